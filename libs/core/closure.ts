/** Why a file is in a closure: who asked for it, and by what. */
export interface Reason {
  /** The path (in the image) of the file that asked; undefined where the recipe itself did. */
  readonly by?: string;
  /** How, in the words of the format: `DT_NEEDED libssl.so.3`, `PT_INTERP`, `symlink`, `.note.dlopen`, or the recipe's own words. */
  readonly via: string;
}

interface Common {
  /** Absolute, as the image has it. */
  readonly path: string;
  /** Every reason, first the one by which it was found. Never empty. */
  readonly reasons: readonly Reason[];
}

/** A regular file of the closure. */
export interface ClosureFile extends Common {
  readonly type: 'file';
  /** Where it lies on this machine. */
  readonly source: string;
}

/** A symbolic link on the way to a file of the closure. */
export interface ClosureLink extends Common {
  readonly type: 'symlink';
  /** As `readlink` gives it. */
  readonly target: string;
}

/** Exactly the files that some programs need at run time: sorted by path, no path twice. */
export type Closure = readonly (ClosureFile | ClosureLink)[];
