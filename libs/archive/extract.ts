import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { ForgeError, hasCode } from '../core/errors.ts';
import { type Jail, open as openJail } from './jail.ts';

export interface ExtractOptions {
  /** How many leading path components are dropped; an entry with no more than that is skipped. */
  readonly stripComponents?: number;
  /** Sets each entry's numeric owner, and keeps set-id bits, which are dropped otherwise. Needs root. */
  readonly preserveOwner?: boolean;
  /** Entries for which this is false are skipped. The path is absolute in the target: `/usr/bin/env`. */
  readonly filter?: (path: string, header: Header) => boolean;
  readonly signal?: AbortSignal;
}

const BLOCK = 512;

/** Passes a tar on, counting its bytes and how many zeros it ends with: its end mark is two blocks of them (pax(1)). */
async function* watch(
  chunks: AsyncIterable<Uint8Array>,
  end: { bytes: number; zeros: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    let zeros = 0;
    while (zeros < chunk.length && chunk[chunk.length - 1 - zeros] === 0) zeros++;
    end.zeros = zeros === chunk.length ? end.zeros + zeros : zeros;
    end.bytes += chunk.length;
    yield chunk;
  }
}

/** The offset in the archive at which an entry's content ends. */
function endOf(header: Header & { readonly byteOffset?: number }): number {
  const size = header.type === 'directory' ? 0 : (header.size ?? 0);
  return (header.byteOffset ?? 0) + Math.ceil(size / BLOCK) * BLOCK;
}

type TarEntry = Readable & { readonly header: Header };

/**
 * Unpacks an uncompressed tar into `dir`, which must be there. Files, folders, symbolic and hard links, permission bits
 * and times of files are kept. Links are followed as after a chroot to `dir`, so nothing is ever written outside it:
 * what would be is `ARCHIVE_ESCAPE`. Devices, sockets and pipes are `ARCHIVE_ENTRY_REFUSED`. A folder may already be
 * there, also by way of a link (merged /usr); a file that is already there is replaced.
 *
 * Names are made and bytes are written by synchronous calls: each takes a few microseconds, and as many again, or more, to
 * hand it to another thread and back.
 */
export async function extractTar(tar: Readable, dir: string, options: ExtractOptions = {}): Promise<void> {
  const jail = openJail(dir);
  const unpack = extract();
  const end = { bytes: 0, zeros: 0 };
  const feeding = pipeline(tar, (chunks: AsyncIterable<Uint8Array>) => watch(chunks, end), unpack, {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  // The loop below ends with the same error; this keeps it from counting as unhandled meanwhile.
  feeding.catch(() => undefined);
  let entriesEnd = 0;
  try {
    for await (const entry of unpack as unknown as AsyncIterable<TarEntry>) {
      options.signal?.throwIfAborted();
      entriesEnd = endOf(entry.header);
      const path = cleanPath(entry.header.name, options.stripComponents ?? 0);
      if (path === undefined || options.filter?.(path, entry.header) === false) entry.resume();
      else await write(jail, path, entry, options);
    }
    await feeding;
    // tar-stream takes an archive that is cut between two entries for whole.
    if (end.bytes - entriesEnd < BLOCK || end.zeros < BLOCK) {
      throw new ForgeError('ARCHIVE_TRUNCATED', 'the tar ends without its end mark');
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    const fed = await feeding.then(
      () => error,
      (cause: unknown) => cause,
    );
    // Whoever reads an entry while the tar breaks only hears that its stream is gone.
    throw explain(hasCode(error, 'STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE') ? fed : error);
  }
}

async function write(jail: Jail, path: string, entry: TarEntry, options: ExtractOptions): Promise<void> {
  const { header } = entry;
  const owned = options.preserveOwner === true;
  const [uid, gid] = [header.uid ?? 0, header.gid ?? 0];
  const mode = (header.mode ?? 0o644) & (owned ? 0o7777 : 0o1777);
  switch (header.type) {
    case 'directory': {
      entry.resume();
      const place = jail.directory(path);
      if (owned) chownSync(place, uid, gid);
      chmodSync(place, mode);
      return;
    }
    case 'file':
    case 'contiguous-file': {
      const place = jail.entry(path);
      const file = replacing(place, () => openSync(place, 'wx', mode & 0o777));
      try {
        for await (const chunk of entry) writeFileSync(file, chunk as Uint8Array);
        if (owned) fchownSync(file, uid, gid);
        // The process's umask may have taken bits away, and chown takes set-id bits.
        fchmodSync(file, mode);
        if (header.mtime !== undefined) futimesSync(file, header.mtime, header.mtime);
      } finally {
        closeSync(file);
      }
      return;
    }
    case 'symlink': {
      entry.resume();
      const place = jail.entry(path);
      jail.forget(path);
      replacing(place, () => symlinkSync(header.linkname ?? '', place));
      if (owned) lchownSync(place, uid, gid);
      return;
    }
    case 'link': {
      entry.resume();
      const target = cleanPath(header.linkname ?? '', options.stripComponents ?? 0);
      if (target === undefined) throw refused(path, `a hard link to ${header.linkname}`);
      const source = jail.existing(target);
      const place = jail.entry(path);
      if (source !== place) replacing(place, () => linkSync(source, place));
      return;
    }
    default:
      throw refused(path, `a ${header.type}`);
  }
}

/** Makes something new at `place`; what is there already goes first, unless it is a folder. */
function replacing<T>(place: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    if (lstatSync(place).isDirectory()) throw refused(place, 'a file or link where a folder is');
    unlinkSync(place);
    return make();
  }
}

/** An entry's name as an absolute path; undefined for the top folder, or what is stripped. Throws `ARCHIVE_ESCAPE`. */
function cleanPath(name: string, strip: number): string | undefined {
  if (name.includes('\0')) throw refused(name, 'a name with a NUL byte');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..')) {
    throw new ForgeError('ARCHIVE_ESCAPE', `the archive has an entry that leads out of it: ${name}`);
  }
  const rest = parts.slice(strip);
  return rest.length === 0 ? undefined : `/${rest.join('/')}`;
}

const refused = (path: string, what: string): ForgeError =>
  new ForgeError('ARCHIVE_ENTRY_REFUSED', `${path}: ${what} is not unpacked`);

function explain(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ForgeError || 'syscall' in error) return error;
  if (/unexpected end/i.test(error.message))
    return new ForgeError('ARCHIVE_TRUNCATED', 'the tar ends too early', { cause: error });
  if (/invalid tar header|invalid|checksum/i.test(error.message)) {
    return new ForgeError('ARCHIVE_CORRUPT', `not a tar: ${error.message}`, { cause: error });
  }
  return error;
}
