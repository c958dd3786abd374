import { posix } from 'node:path';
import { ForgeError } from '../core/errors.ts';

/** What lies at one path of a root file system. `source` is the host path. */
export type Node =
  | { readonly type: 'file' | 'directory' | 'other'; readonly source: string }
  | { readonly type: 'symlink'; readonly source: string; readonly target: string };

/** A symbolic link that was followed. */
export interface Step {
  /** Where the link itself lies; none of its parents is a link. */
  readonly path: string;
  readonly target: string;
  /** True where the link stood for the file, false where it was a directory on the way to it. */
  readonly last: boolean;
}

/** The end of a path. */
export interface Found {
  readonly type: 'file' | 'directory' | 'other';
  /** The path without symbolic links. */
  readonly path: string;
  /** Where it lies on the host. */
  readonly source: string;
  /** The links followed, in that order. */
  readonly links: readonly Step[];
}

/** As many as Linux follows in one path. */
const MOST_LINKS = 40;

/**
 * Follows an absolute path as the kernel does under chroot: component by component, `..` above the top stays at the
 * top, absolute targets begin at the top. `entry` is only asked for paths whose parents are real directories.
 * Gives undefined where nothing is; throws `SYMLINK_LOOP` after 40 links, `PATH_NOT_ABSOLUTE`.
 */
export function walk(path: string, entry: (path: string) => Node | undefined): Found | undefined {
  if (!path.startsWith('/')) {
    throw new ForgeError('PATH_NOT_ABSOLUTE', 'not a path from the top of a root file system', { found: path });
  }
  const links: Step[] = [];
  const pending = components(path);
  let current = '/';
  let node = entry('/');
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (node?.type !== 'directory') {
      return undefined;
    }
    const next = posix.join(current, name);
    const child = entry(next);
    if (child?.type !== 'symlink') {
      current = next;
      node = child;
      continue;
    }
    if (links.length === MOST_LINKS) {
      throw new ForgeError('SYMLINK_LOOP', `too many symbolic links on the way to ${path}`, {
        found: `${links.at(-2)?.path} -> ${links.at(-2)?.target}, ${links.at(-1)?.path} -> ${links.at(-1)?.target}`,
      });
    }
    links.push({ path: next, target: child.target, last: pending.every((left) => left === '.') });
    pending.push(...components(child.target));
    if (child.target.startsWith('/')) {
      current = '/';
      node = entry('/');
    }
  }
  return node === undefined || node.type === 'symlink'
    ? undefined
    : { type: node.type, path: current, source: node.source, links };
}

/** The components of a path, the first one last, so that `pop` takes them in order; a trailing `/` is a `.`. */
const components = (path: string): string[] =>
  path
    .split('/')
    .map((name, index, all) => (name === '' && index === all.length - 1 ? '.' : name))
    .filter((name) => name !== '')
    .reverse();
