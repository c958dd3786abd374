import { lstat, readdir, readlink, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ForgeError, hasCode } from '../core/errors.ts';

/** What an entry of a layer does to the layers below it. */
export type Effect =
  /** Hides the one path. */
  | { readonly kind: 'hide'; readonly path: string }
  /** Hides all that is in the folder. */
  | { readonly kind: 'empty'; readonly path: string }
  /** Bookkeeping of old AUFS engines, which is no file of the image. */
  | { readonly kind: 'ignore' };

const PREFIX = '.wh.';
const META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * Reads a path of a layer as a whiteout (OCI image specification, "Whiteouts"): `/a/.wh.b` hides `/a/b` of the layers
 * below, `/a/.wh..wh..opq` all that is in `/a`. Undefined for any other path. Throws `IMAGE_INVALID` where the hidden
 * name is none.
 */
export function parse(path: string): Effect | undefined {
  const name = basename(path);
  // Also what is in a folder of bookkeeping.
  if (name !== OPAQUE && parts(path).some((part) => part.startsWith(META))) return { kind: 'ignore' };
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { kind: 'empty', path: dirname(path) };
  const hidden = name.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new ForgeError('IMAGE_INVALID', 'a layer has a whiteout of nothing', { found: path });
  }
  return { kind: 'hide', path: join(dirname(path), hidden) };
}

/** Applies a whiteout to what the lower layers left in `root`. */
export async function apply(effect: Effect, root: string): Promise<void> {
  if (effect.kind === 'ignore') return;
  const place = await locate(effect.path, root, effect.kind === 'empty');
  if (place === undefined) return;
  if (effect.kind === 'hide') {
    await rm(place, { recursive: true, force: true });
    return;
  }
  if (!(await lstat(place)).isDirectory()) return;
  for (const name of await readdir(place)) await rm(join(place, name), { recursive: true, force: true });
}

/**
 * Makes room for an entry: what lies there goes, as the specification wants, where one of the two is a folder and the
 * other is not. (A file over a file is replaced, a folder over a folder is kept, without any help.)
 */
export async function makeRoom(path: string, isDirectory: boolean, root: string): Promise<void> {
  const place = await locate(path, root);
  if (place !== undefined && (await lstat(place)).isDirectory() !== isDirectory) {
    await rm(place, { recursive: true, force: true });
  }
}

/**
 * Where a path of the image lies on this machine, with links on the way read as after a chroot; undefined where there is
 * nothing. The last part is followed only if asked.
 */
async function locate(path: string, root: string, follow = false): Promise<string | undefined> {
  const pending = parts(path);
  let at: string[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '..') {
      at.pop();
      continue;
    }
    const place = join(root, ...at, part);
    const stats = await lstat(place).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    });
    if (stats === undefined) return undefined;
    if (!stats.isSymbolicLink() || (pending.length === 0 && !follow)) {
      at.push(part);
      continue;
    }
    links++;
    if (links > MAX_LINKS) return undefined;
    const target = await readlink(place);
    if (target.startsWith('/')) at = [];
    pending.unshift(...parts(target));
  }
  return join(root, ...at);
}

const parts = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');
