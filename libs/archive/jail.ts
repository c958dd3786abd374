import { lstat, mkdir, readlink } from 'node:fs/promises';
import { ForgeError, hasCode } from '../core/errors.ts';

/** Paths inside a folder, resolved as after a chroot to it: absolute links begin at the folder, `..` stops there. */
export interface Jail {
  /** The host path of a folder, made (with its parents) where it is not there; a link to a folder counts as one. */
  directory(path: string): Promise<string>;
  /** The host path of an entry whose parent folders are made as needed; the entry itself may be there or not. */
  entry(path: string): Promise<string>;
  /** The host path of an entry that must be there; only its parents are resolved. Throws `ARCHIVE_ESCAPE`. */
  existing(path: string): Promise<string>;
  /** To be called before what lies at `path` becomes a link. */
  forget(path: string): void;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** A jail at `root`, which must be a folder of the host. */
export function open(root: string): Jail {
  // By path inside the jail: the host path of a real folder. Asked again only after something became a link.
  const known = new Map<string, string>();

  const resolve = async (path: string, links: number): Promise<string> => {
    const earlier = known.get(path);
    if (earlier !== undefined) return earlier;
    if (path === '' || path === '/') return root;
    const slash = path.lastIndexOf('/');
    const parentPath = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name === '..') throw escapes(path);
    const parent = await resolve(parentPath, links);
    const place = `${parent}/${name}`;
    const real = await folder(place, path, parent.slice(root.length), links);
    known.set(path, real);
    return real;
  };

  const folder = async (place: string, path: string, parent: string, links: number): Promise<string> => {
    for (;;) {
      const stats = await lstat(place).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return undefined;
        throw error;
      });
      if (stats?.isDirectory()) return place;
      if (stats?.isSymbolicLink()) {
        if (links === 0) throw new ForgeError('ARCHIVE_ESCAPE', `too many links on the way to ${path}`);
        return await resolve(join(parent, await readlink(place)), links - 1);
      }
      if (stats !== undefined) throw new ForgeError('ARCHIVE_ENTRY_REFUSED', `${path} is not a folder`);
      await mkdir(place).catch((error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw error;
      });
    }
  };

  const entry = async (path: string): Promise<string> => {
    const slash = path.lastIndexOf('/');
    return `${await resolve(path.slice(0, slash), MAX_LINKS)}/${path.slice(slash + 1)}`;
  };

  return {
    directory: (path) => resolve(path, MAX_LINKS),
    entry,
    async existing(path) {
      const place = await entry(path);
      await lstat(place).catch((cause: unknown) => {
        throw new ForgeError('ARCHIVE_CORRUPT', `a hard link to ${path}, which is not there`, { cause });
      });
      return place;
    },
    forget: (path) => {
      for (const name of known.keys()) if (name === path || name.startsWith(`${path}/`)) known.delete(name);
    },
  };
}

/** A link's target as a path inside the jail; `..` never leads above it, as after a chroot. */
function join(parent: string, target: string): string {
  const parts: string[] = target.startsWith('/') ? [] : parent.split('/').filter((part) => part !== '');
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

const escapes = (path: string): ForgeError => new ForgeError('ARCHIVE_ESCAPE', `${path} leads out of the archive`);
