import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { RootDefinition, SourceDefinition, Suite } from '../core/channel.ts';
import { ForgeError } from '../core/errors.ts';
import type { Lock, PinnedFile } from '../core/lock.ts';
import * as suites from '../debian/index.ts';
import * as locker from '../debian/locker.ts';
import { url } from '../debian/mirror.ts';
import * as packages from '../debian/packages.ts';
import type { Trust } from '../debian/release.ts';
import type { SourceRecord } from '../debian/sources.ts';
import * as patches from '../source/patches.ts';
import * as downloads from '../store/download.ts';
import * as http from '../store/http.ts';
import type { Context } from './context.ts';
import { definitionOf } from './locks.ts';

/** What one lock file is made for. */
export interface LockRequest {
  readonly roots: Readonly<Record<string, RootDefinition>>;
  readonly sources: Readonly<Record<string, SourceDefinition>>;
  readonly sourceSuites: readonly Suite[];
}

/** What making a lock needs beside a build's context. */
export type LockContext = Pick<Context, 'mirrors' | 'store' | 'signal' | 'machine'> & {
  readonly trust: Trust;
  /** Told what is being read. */
  readonly say: (line: string) => void;
};

/**
 * Makes the locks of several requests from signed indexes, each index read once. The same indexes give the same locks.
 * Throws what checking an index or resolving throws, and `INDEX_UNREACHABLE` with one line per mirror tried.
 */
export async function makeLocks(requests: readonly LockRequest[], context: LockContext): Promise<Lock[]> {
  const wanted = unique(
    requests.flatMap(({ roots, sourceSuites }) => [
      ...Object.values(roots).flatMap((root) => root.suites),
      ...sourceSuites,
    ]),
  );
  const sourceNames = new Set(
    requests.flatMap(({ sources }) => Object.values(sources).map((source) => source.package)),
  );
  const fetch = fetcher(context);
  const read = new Map<string, Indexes>();
  // One after another: the order of the names is part of the answer, and one index at a time bounds the memory.
  const names: packages.Names = new Map();
  for (const suite of wanted) {
    context.say(`reading ${suite.archive} ${suite.suite}`);
    const signed = await suites.open(suite, { fetch, trust: context.trust, architecture: context.machine.debian });
    read.set(keyOf(suite), {
      packages: await Array.fromAsync(signed.packages(names)),
      sources: await Array.fromAsync(signed.sources(sourceNames)),
    });
  }
  return await Promise.all(requests.map((request) => makeLock(request, read, context)));
}

interface Indexes {
  readonly packages: readonly packages.PackageRecord[];
  readonly sources: readonly SourceRecord[];
}

async function makeLock(request: LockRequest, read: ReadonlyMap<string, Indexes>, context: LockContext): Promise<Lock> {
  const of = (list: readonly Suite[]): Indexes[] => list.flatMap((suite) => read.get(keyOf(suite)) ?? []);
  const used = unique([...Object.values(request.roots).flatMap((root) => root.suites), ...request.sourceSuites]);
  const roots = Object.entries(request.roots).map(([name, root]) => {
    const index = packages.index(
      of(root.suites).flatMap((indexes) => indexes.packages),
      context.machine.debian,
    );
    return [name, locker.lockRoot(index, root.packages)] as const;
  });
  const records = of(request.sourceSuites).flatMap((indexes) => indexes.sources);
  const sources = await Promise.all(
    Object.entries(request.sources).map(async ([name, definition]) => {
      const options = { available: served(context), readSeries: seriesOf(context) };
      return [name, await locker.lockSource(records, definition, options)] as const;
    }),
  );
  return {
    schema: 1,
    archives: datesOf(used, context.trust.now),
    definitions: {
      ...Object.fromEntries(Object.entries(request.roots).map(([name, root]) => [name, definitionOf(root)])),
      sources: definitionOf(request),
    },
    roots: Object.fromEntries(roots),
    sources: Object.fromEntries(sources),
  };
}

/** Hours after which the snapshot archive surely has imported what a mirror serves now. */
const IMPORTED = 12;

/**
 * Of each archive the time at which to ask the snapshot archive: it answers with its last import before that time, which
 * follows the mirrors by some hours, and a file that was replaced stays on them for longer.
 */
function datesOf(used: readonly Suite[], now: Date): Lock['archives'] {
  const date = locker.stamp(new Date(now.getTime() + IMPORTED * 60 * 60 * 1000));
  return Object.fromEntries(used.map(({ archive }) => [archive, { date }]));
}

/** Fetches from the first mirror that answers. */
const fetcher =
  ({ mirrors, signal, trust }: LockContext): suites.Fetch =>
  async (archive, path, { maxBytes }): Promise<Readable> => {
    const failures: string[] = [];
    const bases = mirrors(archive, locker.stamp(trust.now));
    for (const base of bases) {
      try {
        return await http.get(url(base, path), { signal, maxBytes });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ForgeError)) throw error;
        failures.push(error.message);
      }
    }
    throw new ForgeError('INDEX_UNREACHABLE', `no mirror of ${archive} has ${path}`, {
      expected: `one of ${bases.length} places to answer`,
      found: failures.map((line) => `\n  ${line}`).join(''),
      hint: 'H3FORGE_DEBIAN_MIRROR=http://MIRROR/debian npm run lock',
    });
  };

/** Whether any mirror, the snapshot of today included, serves a file. */
const served =
  ({ mirrors, signal, trust }: LockContext) =>
  async (file: PinnedFile): Promise<boolean> => {
    for (const base of mirrors(file.archive, locker.stamp(trust.now))) {
      const found = await http.exists(url(base, file.path), signal).catch((error: unknown) => {
        signal.throwIfAborted();
        if (error instanceof ForgeError) return false;
        throw error;
      });
      if (found) return true;
    }
    return false;
  };

const seriesOf =
  ({ mirrors, signal, store, trust }: LockContext) =>
  async (file: PinnedFile): Promise<string[]> => {
    const urls = mirrors(file.archive, locker.stamp(trust.now)).map((base) => url(base, file.path));
    const wanted = { name: basename(file.path), sha256: file.sha256, size: file.size, urls };
    await downloads.begin(store, [wanted], { signal, concurrency: 1, onBytes: () => undefined }).all;
    return await patches.inArchive(downloads.open(store, file.sha256));
  };

const keyOf = ({ archive, suite }: Suite): string => `${archive} ${suite}`;
const unique = (list: readonly Suite[]): Suite[] => [...new Map(list.map((suite) => [keyOf(suite), suite])).values()];
