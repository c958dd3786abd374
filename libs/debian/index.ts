import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { decompress } from '../archive/decompress.ts';
import type { Suite } from '../core/channel.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import * as packages from './packages.ts';
import type { Release, Trust } from './release.ts';
import * as release from './release.ts';
import * as sources from './sources.ts';

/** The content of a file of an archive, from whichever mirror answers; the path is relative to the archive's root. */
export type Fetch = (archive: string, path: string, options: { readonly maxBytes: number }) => Promise<Readable>;

export interface OpenOptions {
  readonly fetch: Fetch;
  readonly trust: Trust;
  /** Debian's architecture. */
  readonly architecture: string;
}

/** The indexes of a suite whose release was signed by a pinned key. They are fetched when they are read. */
export interface SignedSuite {
  readonly suite: Suite;
  readonly release: Release;
  /**
   * The binary packages of `main`. What was read counts only when the end was reached: then its digest was right.
   * `names` is shared by suites that are read one after another.
   */
  packages(names?: packages.Names): AsyncGenerator<packages.PackageRecord>;
  /** The named source packages of `main`, in the same way. */
  sources(names: ReadonlySet<string>): AsyncGenerator<sources.SourceRecord>;
}

/** An InRelease file is about 150 kB. */
const LARGEST_RELEASE = 8 * 1024 * 1024;

/**
 * Opens a suite: fetches its InRelease, checks the signature and that it is of this suite. Throws what
 * {@link release.verify} throws, and `RELEASE_OTHER_SUITE`; reading throws `INDEX_MISMATCH` where an index is not what the
 * release says.
 */
export async function open(suite: Suite, options: OpenOptions): Promise<SignedSuite> {
  const folder = `dists/${suite.suite}`;
  const name = `${suite.archive}/${folder}/InRelease`;
  const inRelease = await text(
    await options.fetch(suite.archive, `${folder}/InRelease`, { maxBytes: LARGEST_RELEASE }),
  );
  const signed = await release.verify(inRelease, options.trust, name);
  // A mirror must not pass an old suite off as this one.
  if (signed.codename !== suite.suite && signed.suite !== suite.suite) {
    throw new ForgeError('RELEASE_OTHER_SUITE', `${name} is of another suite`, {
      expected: suite.suite,
      found: `${signed.codename} (${signed.suite})`,
    });
  }
  const content = (path: string): AsyncGenerator<Uint8Array> =>
    readIndex(suite.archive, folder, signed, path, options.fetch);
  return {
    suite,
    release: signed,
    packages: (names) => packages.read(content(`main/binary-${options.architecture}/Packages`), suite.archive, names),
    sources: (names) => sources.read(content('main/source/Sources'), suite.archive, names),
  };
}

/** The uncompressed bytes of an index; at the end its size and digest must have been those of the release. */
async function* readIndex(
  archive: string,
  folder: string,
  { files, acquireByHash }: Release,
  path: string,
  fetch: Fetch,
): AsyncGenerator<Uint8Array> {
  const file = files.get(`${path}.xz`) ?? files.get(`${path}.gz`) ?? files.get(path);
  if (file === undefined) throw new ForgeError('INDEX_MISSING', `${archive}/${folder} has no ${path}`);
  const at = acquireByHash
    ? `${file.path.slice(0, file.path.lastIndexOf('/'))}/by-hash/SHA256/${digest.hex(file.sha256)}`
    : file.path;
  const mismatch = (found: string, cause?: unknown): ForgeError =>
    new ForgeError('INDEX_MISMATCH', `${archive}/${folder}/${file.path} is not what the signed release says`, {
      expected: `${file.size} bytes, ${file.sha256}`,
      found,
      hint: 'try again: the mirror may be in the middle of an update',
      cause,
    });
  const source = await fetch(archive, `${folder}/${at}`, { maxBytes: file.size });
  const hash = digest.hasher();
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > file.size) throw mismatch(`more than ${file.size} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    yield* await decompress(Readable.from(counted(), { objectMode: false }));
    const sha256 = hash.digest();
    if (bytes !== file.size || sha256 !== file.sha256) throw mismatch(`${bytes} bytes, ${sha256}`);
  } catch (error) {
    // The right bytes decompress.
    throw error instanceof ForgeError && error.code.startsWith('ARCHIVE_') ? mismatch(error.message, error) : error;
  } finally {
    source.destroy();
  }
}
