/** What every entry of a root file system has. The time is not here: a layer has one time for all its entries. */
interface Common {
  /** Absolute in the image, `/` between, no `.` or `..`, no trailing slash: `/usr/sbin/nginx`. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Why it is there, for a person: one link of the chain that `why` prints. */
  readonly reason?: string;
}

/** A regular file's bytes: on disk, or in memory where they were generated. */
export type Content = { readonly file: string } | { readonly bytes: Uint8Array };

export interface FileEntry extends Common {
  readonly type: 'file';
  /** Permission bits, `0o755`. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  readonly content: Content;
}

export interface DirectoryEntry extends Common {
  readonly type: 'directory';
  readonly mode: number;
}

export interface SymlinkEntry extends Common {
  readonly type: 'symlink';
  /** As `readlink` gives it, absolute or relative. */
  readonly target: string;
}

/** One file, directory or symbolic link of a root file system. */
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry;

/** Sorted by path, byte by byte in UTF-8, so that a directory comes before what is in it. */
export const sorted = (entries: Iterable<Entry>): Entry[] =>
  [...entries].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
