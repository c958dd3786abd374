import type { RootDefinition, Suite } from '../core/channel.ts';
import type { Digest } from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import type { Lock, PinnedPackage, PinnedSource } from '../core/lock.ts';
import * as suites from '../debian/index.ts';
import * as locker from '../debian/locker.ts';
import * as packages from '../debian/packages.ts';
import type { SourceRecord } from '../debian/sources.ts';
import * as locks from './locks.ts';
import { names, type Parts, type RootPart } from './parts.ts';
import { type PlacesContext, places } from './places.ts';

/** What making a lock needs beside a build's context. */
export type LockContext = PlacesContext & {
  /** Told what is being read. */
  readonly say: (line: string) => void;
};

/** A lock, and what people want to know of how it came about. */
export interface Made {
  readonly lock: Lock;
  /** By root and package: what leads to it, from a requested package to the one that depends on it. */
  readonly chains: ReadonlyMap<string, locker.LockedRoot['chains']>;
  /**
   * The roots that are not in the lock because the suites have not what they need, and why. Only those are, which were
   * to be added to another root and which nobody chose yet.
   */
  readonly leftOut: ReadonlyMap<string, string>;
  /** The suites that have that version of a binary or source package of the lock, in the order in which they were read. */
  readonly suitesOf: (name: string, version: string) => readonly string[];
}

/**
 * Makes the locks of several requests from signed indexes, each index read once, in the order of the requests. The same
 * indexes give the same lock, whatever else is locked with it. Throws what checking an index or resolving throws, and
 * `INDEX_UNREACHABLE` with one line per mirror tried.
 */
export async function makeLocks(requests: readonly Parts[], context: LockContext): Promise<Made[]> {
  const from = places(context);
  const read = await readAll(requests, from.fetch, context);
  const indexOf = indexer(read, context.machine.debian);
  const rooted = requests.map((parts) => lockRoots(parts, indexOf));
  const sources = await Promise.all(requests.map((parts) => lockSources(parts, read, from)));
  const all = requests.map(
    (parts, index): Lock => ({
      schema: 1,
      archives: Object.fromEntries(suitesOfParts(parts).map(({ archive }) => [archive, { date: from.date }])),
      definitions: definitionsOf(parts),
      roots: Object.fromEntries(
        [...(rooted[index]?.locked ?? [])].map(([name, root]): [string, PinnedPackage[]] => [name, [...root.packages]]),
      ),
      sources: Object.fromEntries(sources[index] ?? []),
    }),
  );
  const suitesOf = suiteFinder(read, all);
  return all.map((lock, index) => ({
    lock,
    suitesOf,
    chains: new Map([...(rooted[index]?.locked ?? [])].map(([name, { chains }]) => [name, chains])),
    leftOut: rooted[index]?.leftOut ?? new Map(),
  }));
}

/** What was read of a suite, as far as anybody needs it. */
interface Indexes {
  readonly packages: readonly packages.PackageRecord[];
  readonly sources: readonly SourceRecord[];
}

type Read = ReadonlyMap<string, Indexes>;

/** The lists of suites that packages come from, and those that sources do. */
const binaryLists = ({ roots }: Parts): (readonly Suite[])[] =>
  Object.values(roots).flatMap(({ definition: { suites: own, prefer } }) => [own, ...(prefer ? [prefer.suites] : [])]);
const sourceLists = ({ sources, sourceSuites }: Parts): (readonly Suite[])[] =>
  Object.values(sources).flatMap((one) => ('package' in one ? [one.suites ?? sourceSuites] : []));
const suitesOfParts = (parts: Parts): Suite[] => [...binaryLists(parts), ...sourceLists(parts)].flat();

async function readAll(requests: readonly Parts[], fetch: suites.Fetch, context: LockContext): Promise<Read> {
  const binary = requests.flatMap(binaryLists);
  const hasPackages = new Set(binary.flat().map(keyOf));
  const hasSources = new Set(requests.flatMap(sourceLists).flat().map(keyOf));
  const wanted = new Set(
    requests.flatMap(({ sources }) => Object.values(sources).flatMap((one) => ('package' in one ? [one.package] : []))),
  );
  const keeps = keeper(requests);
  const read = new Map<string, Indexes>();
  // The order in which names are first mentioned is part of apt's choice, so each distribution has an order of its own: it
  // must not depend on which other distributions are read.
  const orders = new Map<string, packages.Names>();
  for (const list of [...binary, ...requests.flatMap(sourceLists)]) {
    const [first] = list;
    if (first === undefined) continue;
    const mentioned = orders.get(keyOf(first)) ?? new Map();
    orders.set(keyOf(first), mentioned);
    // One after another: that bounds the memory.
    for (const suite of list) {
      const key = keyOf(suite);
      if (read.has(key)) continue;
      context.say(`reading ${key}`);
      const { trust, machine } = context;
      const signed = await suites.open(suite, { fetch, trust, architecture: machine.debian });
      read.set(key, {
        packages: hasPackages.has(key) ? await Array.fromAsync(those(signed.packages(mentioned), keeps(key))) : [],
        sources: hasSources.has(key) ? await Array.fromAsync(signed.sources(wanted)) : [],
      });
    }
  }
  return read;
}

/** Of a suite that only preferred packages come from, nothing else is kept: an index has 70 000 records. */
function keeper(requests: readonly Parts[]): (suite: string) => (record: packages.PackageRecord) => boolean {
  const definitions = requests.flatMap(({ roots }) => Object.values(roots).map(({ definition }) => definition));
  const own = new Set(definitions.flatMap((root) => root.suites).map(keyOf));
  const preferred = new Set(definitions.flatMap(({ prefer }) => prefer?.packages ?? []));
  return (suite) => (own.has(suite) ? () => true : ({ name }) => preferred.has(name));
}

async function* those<T>(items: AsyncIterable<T>, keeps: (item: T) => boolean): AsyncGenerator<T> {
  for await (const item of items) if (keeps(item)) yield item;
}

/** Indexes of the suites of roots, each made once. */
function indexer(read: Read, architecture: string): (definition: RootDefinition) => packages.PackageIndex {
  const made = new Map<string, packages.PackageIndex>();
  const of = function* (list: readonly Suite[]): Generator<packages.PackageRecord> {
    for (const suite of list) yield* read.get(keyOf(suite))?.packages ?? [];
  };
  return ({ suites: own, prefer }) => {
    const key = JSON.stringify([own, prefer]);
    const known = made.get(key);
    if (known !== undefined) return known;
    const records = prefer === undefined ? of(own) : locker.preferring(of(own), of(prefer.suites), prefer.packages);
    const index = packages.index(records, architecture);
    made.set(key, index);
    return index;
  };
}

/** The roots of a lock, and why some are not in it. */
interface Roots {
  readonly locked: ReadonlyMap<string, locker.LockedRoot>;
  readonly leftOut: ReadonlyMap<string, string>;
}

function lockRoots({ roots }: Parts, indexOf: (definition: RootDefinition) => packages.PackageIndex): Roots {
  const locked = new Map<string, locker.LockedRoot>();
  const leftOut = new Map<string, string>();
  const lockOne = (name: string): locker.LockedRoot => {
    const done = locked.get(name);
    if (done !== undefined) return done;
    const { definition, base } = roots[name] as RootPart;
    const index = indexOf(definition);
    const root =
      base === undefined
        ? locker.lockRoot(index, definition)
        : locker.lockExtra(index, (roots[base] as RootPart).definition, lockOne(base).packages, definition);
    locked.set(name, root);
    return root;
  };
  // Those that others are added to first: what is wrong with them concerns all.
  for (const name of Object.keys(roots)) if (isRequired(name, roots)) lockOne(name);
  for (const name of Object.keys(roots)) {
    try {
      lockOne(name);
    } catch (error) {
      if (!(error instanceof ForgeError) || !error.code.startsWith('DEPENDENCY_')) throw error;
      leftOut.set(name, error.message);
    }
  }
  return { locked, leftOut };
}

/** A choice of the catalogue may be missing from a distribution, or for some days not fit it; what a recipe names may not. */
const isRequired = (name: string, roots: Parts['roots']): boolean =>
  roots[name]?.base === undefined || name === names.recipe;

const lockSources = (
  { sources, sourceSuites }: Parts,
  read: Read,
  options: locker.SourceLockOptions,
): Promise<(readonly [name: string, PinnedSource])[]> =>
  Promise.all(
    Object.entries(sources).map(async ([name, definition]) => {
      if ('url' in definition) return [name, await locker.lockArchive(name, definition, options)] as const;
      const list = definition.suites ?? sourceSuites;
      const records = list.flatMap((suite) => read.get(keyOf(suite))?.sources ?? []);
      return [name, await locker.lockSource(records, definition, options)] as const;
    }),
  );

const definitionsOf = (parts: Parts): Record<string, Digest> =>
  Object.fromEntries([
    ...Object.keys(parts.roots).map((name) => [name, locks.definitionOfRoot(parts, name)] as const),
    ...Object.keys(parts.sources).flatMap((name) => {
      const definition = locks.definitionOfSource(parts, name);
      return definition === undefined ? [] : [[locks.sourceKey(name), definition] as const];
    }),
  ]);

/** Only what is locked is looked for: an index has a hundred times as many packages. */
function suiteFinder(read: Read, all: readonly Lock[]): Made['suitesOf'] {
  const found = new Map<string, string[]>(
    all
      .flatMap(({ roots, sources }) => [
        ...Object.values(roots)
          .flat()
          .map(({ name, version }) => idOf(name, version)),
        ...Object.values(sources).map((source) => idOf(source.package, source.version)),
      ])
      .map((id) => [id, []]),
  );
  for (const [key, indexes] of read) {
    const suite = key.slice(key.indexOf(' ') + 1);
    for (const { name, version } of [...indexes.packages, ...indexes.sources]) {
      const list = found.get(idOf(name, version));
      if (list !== undefined && !list.includes(suite)) list.push(suite);
    }
  }
  return (name, version) => found.get(idOf(name, version)) ?? [];
}

const idOf = (name: string, version: string): string => `${name} ${version}`;
const keyOf = ({ archive, suite }: Suite): string => `${archive} ${suite}`;
