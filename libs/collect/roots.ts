import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import { ForgeError, hasCode } from '../core/errors.ts';
import { type Found, type Node, walk } from './lookup.ts';

/** Several host directories seen as one root file system; where two have the same path, the first wins. */
export interface Roots {
  /** The host directories, first the one that wins. */
  readonly directories: readonly string[];
  /** What lies at a path none of whose parents is a symbolic link; the path itself may be one. */
  entry(path: string): Node | undefined;
  /** Follows a path to its end, symbolic links inside the root; undefined if nothing is there. Throws `SYMLINK_LOOP`. */
  lookup(path: string): Found | undefined;
  /** The names in a directory, all host directories together, sorted. The path is one without symbolic links. */
  list(path: string): string[];
}

/** A host directory that holds part of a directory of the root; `root` is its place in the order. */
interface Part {
  readonly root: number;
  readonly host: string;
}

/** `from` is a real directory in that root, but a link to `to` in another. */
interface Alias {
  readonly from: string;
  readonly to: string;
  readonly root: number;
}

/**
 * Opens host directories as one root. Nothing outside them is ever read: each host path goes only through real
 * directories. Throws `ROOT_MISSING`, `ROOT_UNREADABLE`.
 *
 * A directory at the top that is a symbolic link in one of them (`/lib -> usr/lib`) and a directory in another
 * (`make install` into an empty folder wrote `/lib/...`) is the link, and what the directory holds is seen at its
 * target: so it will be once both are in one image, and so dpkg treats it. Deeper down the first simply wins.
 */
export function open(directories: readonly string[]): Roots {
  const tops = directories.map(real);
  const aliases = findAliases(tops);
  const parts = new Map<string, readonly Part[]>([['/', tops.map((host, root) => ({ root, host }))]]);
  const nodes = new Map<string, Node | undefined>();

  const partsOf = (path: string): readonly Part[] => {
    const known = parts.get(path);
    if (known !== undefined) {
      return known;
    }
    const own = merge(partsOf(posix.dirname(path)), posix.basename(path));
    const aliased = aliases
      .filter(({ to }) => to === path)
      .map(({ root, from }) => ({ root, host: join(tops[root] ?? '', from) }));
    // A stable sort: within one root what lies at the path itself comes first.
    const found = aliased.length === 0 ? own : [...own, ...aliased].sort((a, b) => a.root - b.root);
    parts.set(path, found);
    return found;
  };

  const find = (path: string): Node | undefined => {
    if (path === '/') {
      return { type: 'directory', source: tops[0] ?? '' };
    }
    const alias = aliases.find(({ from }) => from === path);
    const name = posix.basename(path);
    const all = partsOf(posix.dirname(path));
    const found = all.flatMap(({ host }) => nodeAt(join(host, name)) ?? []);
    if (alias !== undefined) {
      return found.find(({ type }) => type === 'symlink');
    }
    // A directory may be there by an alias alone: `/usr/lib` of roots of which one has only `/lib`.
    const aliased = aliases.some(({ to }) => to === path) ? partsOf(path)[0] : undefined;
    return found[0] ?? (aliased && { type: 'directory', source: aliased.host });
  };

  const entry = (path: string): Node | undefined => {
    if (!nodes.has(path)) {
      nodes.set(path, find(path));
    }
    return nodes.get(path);
  };

  return {
    directories: tops,
    entry,
    lookup: (path) => walk(path, entry),
    list: (path) => [...new Set(partsOf(path).flatMap(({ host }) => readdirSync(host)))].sort(),
  };
}

/** The host directories of a subdirectory: down to the first that has something else in its place, which hides the rest. */
function merge(parents: readonly Part[], name: string): Part[] {
  const found: Part[] = [];
  for (const { root, host } of parents) {
    const path = join(host, name);
    const stat = status(path);
    if (stat !== undefined && !stat.isDirectory()) {
      break;
    }
    if (stat !== undefined) {
      found.push({ root, host: path });
    }
  }
  return found;
}

function findAliases(tops: readonly string[]): Alias[] {
  const names = [...new Set(tops.flatMap((host) => readdirSync(host)))].sort();
  return names.flatMap((name) => {
    const found = tops.map((host) => nodeAt(join(host, name)));
    const link = found.find((node) => node?.type === 'symlink');
    const to = link?.type === 'symlink' ? posix.resolve('/', link.target) : '/';
    return to === '/' || to === `/${name}`
      ? []
      : found.flatMap((node, root) => (node?.type === 'directory' ? [{ from: `/${name}`, to, root }] : []));
  });
}

function nodeAt(host: string): Node | undefined {
  const stat = status(host);
  if (stat === undefined) {
    return undefined;
  }
  if (stat.isSymbolicLink()) {
    return { type: 'symlink', source: host, target: readlinkSync(host) };
  }
  return { type: stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : 'other', source: host };
}

function status(host: string): Stats | undefined {
  try {
    return lstatSync(host, { throwIfNoEntry: false });
  } catch (cause) {
    throw new ForgeError('ROOT_UNREADABLE', `cannot look at ${host}`, { cause });
  }
}

function real(directory: string): string {
  try {
    return realpathSync(directory);
  } catch (cause) {
    const code = hasCode(cause, 'ENOENT', 'ENOTDIR') ? 'ROOT_MISSING' : 'ROOT_UNREADABLE';
    throw new ForgeError(code, `there is no root file system at ${directory}`, { cause });
  }
}
