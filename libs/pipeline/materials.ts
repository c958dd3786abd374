import type { RootDefinition } from '../core/channel.ts';
import type { Digest } from '../core/digest.ts';
import type { Lock, PinnedFile, PinnedPackage, PinnedSource } from '../core/lock.ts';
import * as keys from './keys.ts';
import * as locks from './locks.ts';

/** A root or a source tree that a build may need: its key in the store, and the files that it is made of. */
export interface Material {
  readonly kind: 'root' | 'source';
  readonly key: Digest;
  readonly name: string;
  readonly files: readonly PinnedFile[];
}

export interface RootMaterial extends Material {
  readonly kind: 'root';
  readonly definition: RootDefinition;
  readonly files: readonly PinnedPackage[];
}

export interface SourceMaterial extends Material {
  readonly kind: 'source';
  readonly pinned: PinnedSource;
}

/** The material of a root of a lock. */
export function root(code: keys.Code, lock: Lock, name: string, definition: RootDefinition): RootMaterial {
  const files = locks.packages(lock, name, definition);
  return { kind: 'root', name, definition, files, key: keys.root(code, definition, files) };
}

/** The material of a source of a lock. */
export function sourceTree(code: keys.Code, lock: Lock, name: string, builder: RootMaterial): SourceMaterial {
  const pinned = locks.source(lock, name);
  const files = pinned.debian === undefined ? [pinned.orig] : [pinned.orig, pinned.debian];
  return { kind: 'source', name, pinned, files, key: keys.source(code, pinned, builder.key) };
}
