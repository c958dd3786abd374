import { lstatSync, mkdirSync, readlinkSync } from 'node:fs';
import { ForgeError } from '../core/errors.ts';

/** Paths inside a folder, resolved as after a chroot to it: absolute links begin at the folder, `..` stops there. */
export interface Jail {
  /** The host path of a folder, made (with its parents) where it is not there; a link to a folder counts as one. */
  directory(path: string): string;
  /** The host path of an entry whose parent folders are made as needed; the entry itself may be there or not. */
  entry(path: string): string;
  /** The host path of an entry that must be there; only its parents are resolved. Throws `ARCHIVE_ESCAPE`. */
  existing(path: string): string;
  /** To be called before what lies at `path` becomes a link. */
  forget(path: string): void;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** A jail at `root`, which must be a folder of the host. */
export function open(root: string): Jail {
  // By path inside the jail: the host path of a real folder. Asked again only after something became a link.
  const known = new Map<string, string>();

  const resolve = (path: string, links: number): string => {
    const earlier = known.get(path);
    if (earlier !== undefined) return earlier;
    if (path === '' || path === '/') return root;
    const slash = path.lastIndexOf('/');
    const parentPath = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name === '..') throw escapes(path);
    const parent = resolve(parentPath, links);
    const real = folder(`${parent}/${name}`, path, parent.slice(root.length), links);
    known.set(path, real);
    return real;
  };

  const folder = (place: string, path: string, parent: string, links: number): string => {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats === undefined) mkdirSync(place);
    else if (stats.isSymbolicLink()) {
      if (links === 0) throw new ForgeError('ARCHIVE_ESCAPE', `too many links on the way to ${path}`);
      return resolve(join(parent, readlinkSync(place)), links - 1);
    } else if (!stats.isDirectory()) throw new ForgeError('ARCHIVE_ENTRY_REFUSED', `${path} is not a folder`);
    return place;
  };

  const entry = (path: string): string => {
    const slash = path.lastIndexOf('/');
    return `${resolve(path.slice(0, slash), MAX_LINKS)}/${path.slice(slash + 1)}`;
  };

  return {
    directory: (path) => resolve(path, MAX_LINKS),
    entry,
    existing(path) {
      const place = entry(path);
      if (lstatSync(place, { throwIfNoEntry: false }) === undefined)
        throw new ForgeError('ARCHIVE_CORRUPT', `a hard link to ${path}, which is not there`);
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
