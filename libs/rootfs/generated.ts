import type { FileEntry, SymlinkEntry } from '../core/entry.ts';

/** A file made in memory: 0644, owner 0:0. Text is written as UTF-8. */
export function file(path: string, content: string | Uint8Array, reason: string): FileEntry {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { type: 'file', path, mode: 0o644, uid: 0, gid: 0, size: bytes.length, content: { bytes }, reason };
}

/** A link, owner 0:0. */
export const link = (path: string, target: string, reason: string): SymlinkEntry => ({
  type: 'symlink',
  path,
  target,
  uid: 0,
  gid: 0,
  reason,
});
