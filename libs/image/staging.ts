import { lstat, mkdir, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ForgeError, hasCode } from '../core/errors.ts';
import * as temporary from '../store/temporary.ts';

/** How a folder that is already there is replaced without a moment in which it is half old and half new. */
export interface Replaceable {
  /** The file by which a reader finds all others. It is moved last, by one rename: the old or the new. */
  readonly commit: string;
  /** A folder in which every name is made of its content, so that old and new can lie there together for a moment. */
  readonly blobs: string;
  /**
   * Of a folder that we wrote, the names in `blobs` that its `commit` leads to: what else lies there is not ours, and is
   * kept. Undefined for any other folder, which is not replaced.
   */
  readonly ours: (dir: string) => Promise<readonly string[] | undefined>;
}

/**
 * A folder beside `path`, on the same file system, to write in. It is removed at the end of the block; what killed runs
 * left beside the same path is removed first.
 */
export async function beside(path: string): Promise<temporary.Temporary> {
  const parent = join(dirname(path), `.${basename(path)}.tmp`);
  await temporary.sweep(parent);
  const stage = await temporary.make(parent);
  return {
    path: stage.path,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]();
      await rmdir(parent).catch((error: unknown) => {
        // Another process writes to the same place.
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
      });
    },
  };
}

/**
 * Fills a folder and puts it at `dir`. Whoever kills this process at any moment leaves the old folder or the new one.
 * One writer for a folder at a time. Throws `DESTINATION_OCCUPIED` where something else lies there.
 */
export async function replace(dir: string, how: Replaceable, fill: (dir: string) => Promise<void>): Promise<void> {
  const { destination, old } = await check(dir, how);
  await using stage = await beside(destination);
  const fresh = join(stage.path, basename(destination));
  await mkdir(fresh);
  await fill(fresh);
  try {
    // Also onto an empty folder.
    await rename(fresh, destination);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    await merge(fresh, destination, how, old);
  }
}

/** Where a folder is to be written, and the blobs of ours that are there already. Throws `DESTINATION_OCCUPIED`. */
export async function check(
  dir: string,
  how: Replaceable,
): Promise<{ readonly destination: string; readonly old: readonly string[] }> {
  const destination = await realpath(dir).catch((error: unknown) => {
    // A link to nothing is found below.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return resolve(dir);
    throw error;
  });
  const found = await what(destination);
  if (found === undefined) return { destination, old: [] };
  const old =
    found !== 'a folder' ? undefined : (await readdir(destination)).length === 0 ? [] : await how.ours(destination);
  if (old !== undefined) return { destination, old };
  throw occupied(destination, 'no folder, an empty one, or one of an earlier run', found);
}

/** What lies at a path, in words; a link is not followed. Undefined where there is nothing. */
export async function what(path: string): Promise<string | undefined> {
  try {
    const stats = await lstat(path);
    if (stats.isDirectory()) return 'a folder';
    return stats.isFile() ? 'a file' : stats.isSymbolicLink() ? 'a symbolic link' : 'a device, pipe or socket';
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    if (!hasCode(error, 'ENOTDIR')) throw error;
    throw occupied(path, 'a place below a folder', 'a file in its way');
  }
}

export const occupied = (path: string, expected: string, found: string): ForgeError =>
  new ForgeError('DESTINATION_OCCUPIED', `${path} is not replaced: it was not written by this program`, {
    expected,
    found,
    hint: 'choose another place, or remove it',
  });

/** Content first, then the file that names it, then what only the old one named. */
async function merge(fresh: string, destination: string, how: Replaceable, old: readonly string[]): Promise<void> {
  const entries = await readdir(fresh, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const paths = files.map((file) => file.slice(fresh.length + 1));
  const blobs = new Set(paths.filter((path) => dirname(path) === how.blobs).map((path) => basename(path)));
  await mkdir(join(destination, how.blobs), { recursive: true });
  for (const path of paths) {
    if (path !== how.commit) await rename(join(fresh, path), join(destination, path));
  }
  await rename(join(fresh, how.commit), join(destination, how.commit));
  for (const name of old) {
    if (!blobs.has(name)) await rm(join(destination, how.blobs, name), { force: true });
  }
}
