import { open } from 'node:fs/promises';
import type { Entry, FileEntry } from '../core/entry.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import type { Member } from './tar.ts';

/** The entries of a layer as members of its tar: names relative to the root, contents from disk when they are asked for. */
export function* of(entries: Iterable<Entry>): Generator<Member> {
  for (const entry of entries) {
    // The root itself is written as every tar writes it.
    const name = entry.path === '/' ? '.' : entry.path.slice(1);
    const common = { name, uid: entry.uid, gid: entry.gid };
    if (entry.type === 'symlink') {
      yield { ...common, type: 'symlink', mode: 0o777, size: 0, target: entry.target };
    } else if (entry.type === 'directory') {
      yield { ...common, type: 'directory', mode: entry.mode, size: 0 };
    } else {
      yield { ...common, type: 'file', mode: entry.mode, size: entry.size, content: () => content(entry) };
    }
  }
}

/** The bytes of a file, and one more than `size` if there are more, which is enough to see that it grew. */
async function* content(entry: FileEntry): AsyncGenerator<Uint8Array> {
  if ('bytes' in entry.content) {
    if (entry.content.bytes.length > 0) yield entry.content.bytes;
    return;
  }
  const { file } = entry.content;
  const handle = await open(file).catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP')) throw cause;
    throw new ForgeError('LAYER_FILE_MISSING', `the file for ${entry.path} cannot be read: ${file}`, { cause });
  });
  try {
    if (!(await handle.stat()).isFile()) {
      throw new ForgeError('LAYER_FILE_MISSING', `what is given for ${entry.path} is not a file: ${file}`);
    }
    yield* handle.createReadStream({ end: entry.size, highWaterMark: 256 * 1024, autoClose: false });
  } finally {
    await handle.close();
  }
}

/**
 * Checks that entries can be a layer: absolute and clean paths, sorted byte by byte (so that none is there twice and a
 * folder comes before what is in it), modes, owners and sizes in range. Throws `LAYER_INVALID`.
 */
export function check(entries: Iterable<Entry>): void {
  let before: Buffer | undefined;
  for (const entry of entries) {
    const path = Buffer.from(entry.path);
    const fail = (what: string, expected: string, found: string): never => {
      throw new ForgeError('LAYER_INVALID', `${entry.path}: ${what}`, { expected, found });
    };
    if (!clean(entry.path)) fail('not a clean path', 'absolute, without empty parts, "." or ".."', entry.path);
    if (entry.path === '/' && entry.type !== 'directory') fail('the root is no folder', 'directory', entry.type);
    if (before !== undefined && Buffer.compare(before, path) >= 0) {
      fail('not sorted, or there twice', `a path after ${before}`, entry.path);
    }
    before = path;
    for (const owner of [entry.uid, entry.gid]) {
      if (!natural(owner) || owner > 0xfffffffe) fail('not an owner', '0 to 4294967294', String(owner));
    }
    if (entry.type === 'symlink') {
      if (entry.target === '' || !text(entry.target)) fail('not a target', 'text without NUL', entry.target);
      continue;
    }
    if (!natural(entry.mode) || entry.mode > 0o7777) fail('not permission bits', '0 to 0o7777', String(entry.mode));
    if (entry.type === 'file' && !natural(entry.size)) fail('not a size', 'whole bytes', String(entry.size));
  }
}

const natural = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** What UTF-8 can hold and a file system can name. */
const text = (value: string): boolean => value.isWellFormed() && !value.includes('\0');

const clean = (path: string): boolean =>
  path === '/' ||
  (path.startsWith('/') &&
    text(path) &&
    path
      .slice(1)
      .split('/')
      .every((part) => part !== '' && part !== '.' && part !== '..'));
