import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Closure } from '../core/closure.ts';
import type { Entry } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';

/** Git keeps no empty directories; a file of this name stands for one and does not go into the image. */
const KEEP = '.gitkeep';

/**
 * The entries of a folder that lies as the root file system shall. Modes are made the same on all machines: 0755 for
 * what the owner may execute, 0644 for the rest, owner 0:0. Links stay links. Directories are only named where
 * nothing is in them. Throws `ROOTFS_UNSUPPORTED` for devices, sockets and pipes, `ROOTFS_SOURCE_MISSING`.
 */
export function read(directory: string, reason: string): Entry[] {
  const walk = (path: string): Entry[] => {
    const names = readdirSync(join(directory, path)).sort();
    const inside = names.filter((name) => name !== KEEP).flatMap((name) => one(posix.join(path, name)));
    return inside.length > 0 || path === '/'
      ? inside
      : [{ type: 'directory', path, mode: 0o755, uid: 0, gid: 0, reason }];
  };
  const one = (path: string): Entry[] => {
    const source = join(directory, path);
    const stat = lstatSync(source);
    if (stat.isDirectory()) {
      return walk(path);
    }
    if (stat.isSymbolicLink()) {
      return [{ type: 'symlink', path, target: readlinkSync(source), uid: 0, gid: 0, reason }];
    }
    if (!stat.isFile()) {
      throw new ForgeError('ROOTFS_UNSUPPORTED', `${source} is a device, a socket or a pipe`);
    }
    return [file(path, source, stat, reason)];
  };
  try {
    return walk('/');
  } catch (cause) {
    throw cause instanceof ForgeError
      ? cause
      : new ForgeError('ROOTFS_SOURCE_MISSING', `cannot read the files for the image from ${directory}`, { cause });
  }
}

/**
 * The entries of a closure, modes and owners as in {@link read}; the first reason of each goes with it.
 * Throws `ROOTFS_SOURCE_MISSING` for a file that is no longer where it was collected.
 */
export const fromClosure = (closure: Closure): Entry[] =>
  closure.map((item): Entry => {
    const [first] = item.reasons;
    const reason = first?.by === undefined ? (first?.via ?? '') : `${first.via} of ${first.by}`;
    if (item.type === 'symlink') {
      return { type: 'symlink', path: item.path, target: item.target, uid: 0, gid: 0, reason };
    }
    let stat: Stats;
    try {
      stat = statSync(item.source);
    } catch (cause) {
      throw new ForgeError('ROOTFS_SOURCE_MISSING', `${item.path} cannot be read from ${item.source}`, { cause });
    }
    return file(item.path, item.source, stat, reason);
  });

const file = (path: string, source: string, stat: Stats, reason: string): Entry => ({
  type: 'file',
  path,
  mode: (stat.mode & 0o100) === 0 ? 0o644 : 0o755,
  size: stat.size,
  uid: 0,
  gid: 0,
  content: { file: source },
  reason,
});
