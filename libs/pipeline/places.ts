import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { ForgeError } from '../core/errors.ts';
import type { PinnedFile } from '../core/lock.ts';
import type { Fetch } from '../debian/index.ts';
import * as locker from '../debian/locker.ts';
import { url } from '../debian/mirror.ts';
import type { Trust } from '../debian/release.ts';
import * as patches from '../source/patches.ts';
import * as downloads from '../store/download.ts';
import * as http from '../store/http.ts';
import type { Context } from './context.ts';

export type PlacesContext = Pick<Context, 'mirrors' | 'store' | 'signal' | 'machine'> & { readonly trust: Trust };

/** What making a lock asks of mirrors and of authors; what was answered once is not asked again. */
export interface Places extends locker.SourceLockOptions {
  /** Fetches from the first mirror that answers. Throws `INDEX_UNREACHABLE`. */
  readonly fetch: Fetch;
  /** For the snapshot archive: when it has what mirrors have now. */
  readonly date: string;
}

/** Hours after which the snapshot archive surely has imported what a mirror serves now. */
const IMPORTED = 12;

/** Milliseconds that an author's server has to answer: what cannot be reached must not hold everything up. */
const PATIENCE = 5000;

/** The places that a context names. */
export const places = (context: PlacesContext): Places => ({
  fetch: fetcher(context),
  available: once(served(context), ({ archive, path }) => `${archive} ${path}`),
  published: once(published(context), (address) => address),
  readSeries: once(series(context), ({ sha256 }) => sha256),
  // The snapshot archive answers with its last import before that time, which follows the mirrors by some hours, and a file
  // that was replaced stays on them for longer.
  date: locker.stamp(new Date(context.trust.now.getTime() + IMPORTED * 60 * 60 * 1000)),
});

function once<Question, Answer>(
  ask: (about: Question) => Promise<Answer>,
  key: (about: Question) => string,
): (about: Question) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (about) => {
    const answer = answers.get(key(about)) ?? ask(about);
    answers.set(key(about), answer);
    return answer;
  };
}

const fetcher =
  ({ mirrors, signal, trust }: PlacesContext): Fetch =>
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
  ({ mirrors, signal, trust }: PlacesContext) =>
  async (file: PinnedFile): Promise<boolean> => {
    for (const base of mirrors(file.archive, locker.stamp(trust.now))) {
      if (await answers(url(base, file.path), signal)) return true;
    }
    return false;
  };

/** Whether its author serves a file. */
const published =
  ({ signal }: PlacesContext) =>
  (address: string): Promise<boolean> =>
    answers(address, signal, PATIENCE);

async function answers(address: string, signal: AbortSignal, patience?: number): Promise<boolean> {
  const limited = patience === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  try {
    return await http.exists(address, limited);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ForgeError || limited.aborted) return false;
    throw error;
  }
}

const series =
  ({ mirrors, signal, store, trust }: PlacesContext) =>
  async (file: PinnedFile): Promise<readonly string[]> => {
    const urls = mirrors(file.archive, locker.stamp(trust.now)).map((base) => url(base, file.path));
    const wanted = { name: basename(file.path), sha256: file.sha256, size: file.size, urls };
    await downloads.begin(store, [wanted], { signal, concurrency: 1, onBytes: () => undefined }).all;
    return await patches.inArchive(downloads.open(store, file.sha256));
  };
