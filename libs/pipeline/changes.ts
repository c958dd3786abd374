import type { Lock, PinnedSource } from '../core/lock.ts';
import { type Change, diff, SOURCES } from '../debian/locker.ts';
import * as version from '../debian/version.ts';
import type { Made } from './lock.ts';

/** One row of what is different between a lock and the one that would be made now. */
export interface ChangeRow {
  /** A binary package, a source by its name in the lock, or how many packages a root has that is new or gone. */
  readonly package: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** The roots in which it is different, or `sources`. */
  readonly where: readonly string[];
  /** The suites that have the new version. */
  readonly suites: readonly string[];
  /** True where one of them is a security suite, and the package was there before. */
  readonly security: boolean;
  readonly why: string;
}

/**
 * What is different, each package once although several roots have it, a root that is new or gone in one row; pure. Sorted:
 * packages by name, then roots, then sources.
 */
export function rows(before: Lock | undefined, made: Made): ChangeRow[] {
  const whole = wholeRoots(before, made.lock);
  const changes = diff(before, made.lock).filter(({ where }) => !whole.has(where));
  const packages = new Map<string, Change[]>();
  for (const change of changes.filter(({ where }) => where !== SOURCES)) {
    const key = `${change.package}\0${change.from}\0${change.to}`;
    packages.set(key, [...(packages.get(key) ?? []), change]);
  }
  return [
    ...[...packages].sort(byKey).flatMap(([, [first, ...others]]) => {
      if (first === undefined) return [];
      const suites = first.to === undefined ? [] : made.suitesOf(first.package, first.to);
      const where = [first, ...others].map((change) => change.where);
      return [rowOf(first, where, suites, whyPackage(first, suites, made.chains.get(first.where)))];
    }),
    ...whole.values(),
    ...changes
      .filter(({ where }) => where === SOURCES)
      .map((change) => {
        const [old, now] = [before?.sources[change.package], made.lock.sources[change.package]];
        const suites = now === undefined ? [] : made.suitesOf(now.package, now.version);
        return rowOf(change, [SOURCES], suites, whySource(old, now, suites));
      }),
  ];
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

const rowOf = (
  { package: name, from, to }: Change,
  where: readonly string[],
  suites: readonly string[],
  why: string,
): ChangeRow => ({
  package: name,
  from,
  to,
  where,
  suites,
  security: from !== undefined && from !== to && suites.some(isSecurity),
  why,
});

/** Roots of which the one lock has nothing and the other something: what each of their packages is, the lock says. */
function wholeRoots(before: Lock | undefined, after: Lock): Map<string, ChangeRow> {
  const names = [...new Set([...Object.keys(before?.roots ?? {}), ...Object.keys(after.roots)])].sort();
  return new Map(
    names.flatMap((name): [string, ChangeRow][] => {
      const [old, now] = [before?.roots[name], after.roots[name]];
      const list = now ?? old ?? [];
      if (old !== undefined && now !== undefined) return [];
      const title = list.length === 1 ? '1 package' : `${list.length} packages`;
      const why = now === undefined ? 'nothing asks for this root' : 'a new root';
      const row = { package: title, from: undefined, to: undefined, where: [name], suites: [], security: false, why };
      return [[name, row]];
    }),
  );
}

const isSecurity = (suite: string): boolean => suite.endsWith('-security');

/** Where a version is from: `security: trixie-security`, or `in trixie, trixie-updates`. */
const origin = (suites: readonly string[]): string => {
  const security = suites.filter(isSecurity);
  return security.length > 0 ? `security: ${security.join(', ')}` : `in ${suites.join(', ')}`;
};

function whyPackage(
  { package: name, from, to }: Change,
  suites: readonly string[],
  chains: ReadonlyMap<string, readonly string[]> | undefined,
): string {
  if (to === undefined) return 'no longer needed';
  if (from === to) return `the same version, another file; ${origin(suites)}`;
  if (from !== undefined) return `${version.compare(to, from) < 0 ? 'an older version; ' : ''}${origin(suites)}`;
  const chain = chains?.get(name) ?? [];
  return chain.length === 0 ? 'asked for' : `needed by ${chain.join(' -> ')}`;
}

function whySource(old: PinnedSource | undefined, now: PinnedSource | undefined, suites: readonly string[]): string {
  if (now === undefined) return 'nothing asks for this source';
  const isSame = old?.version === now.version;
  const notes = [
    old === undefined ? 'a new source' : undefined,
    isSame ? undefined : suites.length === 0 ? 'pinned by hand' : origin(suites),
    now.unserved !== true && (isSame ? old.unserved === true : old?.heldBack === now.version)
      ? 'served now'
      : undefined,
    now.unserved === true && !(isSame && old.unserved === true) ? notServed(now) : undefined,
    now.heldBack !== undefined && now.heldBack !== old?.heldBack ? heldBack(now.heldBack) : undefined,
    isSame && old.heldBack !== undefined && now.heldBack === undefined
      ? `${old.heldBack} is in no index any more`
      : undefined,
  ].filter((note) => note !== undefined);
  return notes.join('; ') || 'the same version, found or read otherwise';
}

const notServed = ({ upstream }: PinnedSource): string =>
  `no mirror serves it${upstream === undefined ? '' : ', nor does its author'}: only its digest is known`;
const heldBack = (newer: string): string => `held back: ${newer}, which no mirror serves`;

/** What the signed indexes have of the sources of a lock, and nobody serves: no refreshing of the lock brings it. */
export interface Unserved {
  /** The name in the lock. */
  readonly source: string;
  readonly package: string;
  readonly locked: string;
  /** The newer version that is held back. */
  readonly heldBack?: string;
  /** True where not even the locked one is served. */
  readonly unserved?: true;
}

/** Those sources, by name. */
export const unserved = ({ sources }: Lock): Unserved[] =>
  Object.keys(sources)
    .sort()
    .flatMap((source) => {
      const { package: name, version: locked, heldBack: newer, unserved: isUnserved } = sources[source] as PinnedSource;
      if (newer === undefined && isUnserved === undefined) return [];
      return [
        {
          source,
          package: name,
          locked,
          ...(newer === undefined ? {} : { heldBack: newer }),
          ...(isUnserved === undefined ? {} : { unserved: isUnserved }),
        },
      ];
    });

/** The same as lines for a person. */
export function unservedLines(lock: Lock): string[] {
  const all = unserved(lock);
  const absent = all.filter((one) => one.unserved === true).map(({ source, locked }) => `${source} ${locked}`);
  return [
    ...all.flatMap(({ package: name, locked, heldBack: newer }) =>
      newer === undefined
        ? []
        : [`held back: ${name} ${newer} is signed, but no mirror serves its source; ${locked} is locked`],
    ),
    ...(absent.length === 0 ? [] : [`not served, so only the digest is known: ${absent.join(', ')}`]),
  ];
}

/** The roots and sources that were asked for otherwise when a lock was made: it is stale for them. */
export const stale = (before: Lock, after: Lock): string[] =>
  Object.keys(after.definitions)
    .filter((name) => before.definitions[name] !== after.definitions[name])
    .sort();
