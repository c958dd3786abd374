import { posix } from 'node:path';
import { type Entry, sorted } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';
import { same } from './content.ts';
import * as links from './links.ts';

/** Entries that come from one place. */
export interface Source {
  /** For messages: `the closure`, `nginx-quic/rootfs`. */
  readonly name: string;
  readonly entries: readonly Entry[];
  /** True if these may take the place of entries of the sources before. */
  readonly overrides?: boolean;
}

interface Placed {
  readonly entry: Entry;
  readonly source: Source;
}

/**
 * Puts sources together to one root file system, sorted. Entries that are the same are one. An entry below a
 * symbolic link (`/lib/x` beside `/lib -> usr/lib`) goes where the link leads, a directory that is a link as well;
 * no layer may hold a path through a link, for there unpackers differ. Missing parents are added (0755, 0:0).
 * Throws `ROOTFS_CONFLICT` where two sources differ about a path and the later one does not override, or where
 * something lies below a file; `ROOTFS_PATH_INVALID`, `ROOTFS_LINK_LOOP`.
 */
export function merge(sources: readonly Source[]): Entry[] {
  const all = sources.flatMap((source) => source.entries.map((entry): Placed => ({ entry, source })));
  for (const { entry, source } of all) {
    check(entry.path, source.name);
  }
  // Overriding comes first: a link that a file takes the place of leads nowhere any more. Directories wait, since one
  // that is a link in another source is no conflict.
  const kept = new Map<string, Placed>();
  for (const placed of all.filter(({ entry }) => entry.type !== 'directory')) {
    put(kept, placed.entry.path, placed);
  }
  const targets = new Map<string, string>();
  for (const [path, { entry }] of kept) {
    if (entry.type === 'symlink') {
      targets.set(path, entry.target);
    }
  }
  const resolve = links.resolver(targets);
  const found = new Map<string, Placed>();
  for (const placed of [...kept.values(), ...all.filter(({ entry }) => entry.type === 'directory')]) {
    const path = resolve(placed.entry.path, placed.entry.type === 'directory' ? 'follow' : 'keep');
    if (path !== '/') {
      put(found, path, { ...placed, entry: { ...placed.entry, path } });
    }
  }
  return sorted([...parents(found), ...[...found.values()].map(({ entry }) => entry)]);
}

function put(known: Map<string, Placed>, path: string, placed: Placed): void {
  const before = known.get(path);
  if (before === undefined || (before.entry !== placed.entry && !equal(before.entry, placed.entry))) {
    if (before !== undefined && !(placed.source.overrides === true && before.source !== placed.source)) {
      throw new ForgeError('ROOTFS_CONFLICT', `${path} is in the image twice, and not the same`, {
        expected: `${describe(before.entry)} from ${before.source.name}`,
        found: `${describe(placed.entry)} from ${placed.source.name}`,
        hint: 'leave one of them out, or declare that the later one overrides',
      });
    }
    known.set(path, placed);
  }
}

function equal(a: Entry, b: Entry): boolean {
  if (a.uid !== b.uid || a.gid !== b.gid) {
    return false;
  }
  if (a.type === 'symlink') {
    return b.type === 'symlink' && a.target === b.target;
  }
  if (b.type === 'symlink' || a.mode !== b.mode) {
    return false;
  }
  return a.type === 'file'
    ? b.type === 'file' && a.size === b.size && same(a.content, b.content)
    : b.type === 'directory';
}

const describe = (entry: Entry): string =>
  entry.type === 'symlink'
    ? `a link to ${entry.target}`
    : `a ${entry.type}${entry.type === 'file' ? ` of ${entry.size} bytes` : ''}, mode ${entry.mode.toString(8)}, owner ${entry.uid}:${entry.gid}`;

/** The directories that no source names. Throws `ROOTFS_CONFLICT` where a parent is no directory. */
function parents(found: ReadonlyMap<string, Placed>): Entry[] {
  const added = new Map<string, Entry>();
  for (const [path, { source }] of found) {
    for (let parent = posix.dirname(path); parent !== '/'; parent = posix.dirname(parent)) {
      const known = found.get(parent);
      if (known !== undefined && known.entry.type !== 'directory') {
        throw new ForgeError('ROOTFS_CONFLICT', `${path} lies below ${parent}, which is no directory`, {
          expected: 'a directory',
          found: `${describe(known.entry)} from ${known.source.name}, ${path} from ${source.name}`,
        });
      }
      if (known === undefined) {
        added.set(parent, { type: 'directory', path: parent, mode: 0o755, uid: 0, gid: 0 });
      }
    }
  }
  return [...added.values()];
}

function check(path: string, source: string): void {
  if (!path.startsWith('/') || path === '/' || path.includes('\0') || posix.join(path, '.') !== path) {
    throw new ForgeError('ROOTFS_PATH_INVALID', `an entry of ${source} has no proper path`, {
      expected: 'an absolute path without . or .. and without a slash at its end',
      found: JSON.stringify(path),
    });
  }
}
