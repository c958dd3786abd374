import type { RootDefinition } from '../core/channel.ts';
import type { Digest } from '../core/digest.ts';
import type { Lock, PinnedFile, PinnedPackage, PinnedSource } from '../core/lock.ts';
import type { GitPin } from '../core/module.ts';
import * as keys from './keys.ts';
import * as locks from './locks.ts';
import type { Parts } from './parts.ts';

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
  /** The root that these packages are added to; absent where they are a root by themselves. */
  readonly base?: RootMaterial;
}

/** How a source tree is come by. */
export type Origin =
  | { readonly type: 'pinned'; readonly pinned: PinnedSource }
  | { readonly type: 'git'; readonly pin: GitPin }
  /** It lies on this machine, and is not copied into the store. */
  | { readonly type: 'local'; readonly path: string };

export interface SourceMaterial extends Material {
  readonly kind: 'source';
  readonly origin: Origin;
}

/** Where the packages of roots are looked up. */
export interface Book {
  readonly code: keys.Code;
  readonly lock: Lock;
  readonly parts: Parts;
}

/** The material of a root of a lock, by itself. */
export function root({ code, lock, parts }: Book, name: string): RootMaterial {
  const files = locks.packages(lock, name, parts);
  const definition = parts.roots[name]?.definition as RootDefinition;
  return { kind: 'root', name, definition, files, key: keys.root(code, definition, files) };
}

/** The named packages alone, without what they depend on; they are among those of the given roots. */
export function only({ code }: Book, wanted: readonly string[], ...roots: readonly RootMaterial[]): RootMaterial {
  const [first] = roots as [RootMaterial];
  const all = roots.flatMap(({ files }) => files);
  const files = wanted.flatMap((name) => all.find((entry) => entry.name === name) ?? []);
  const definition: RootDefinition = { ...first.definition, links: {}, directories: [] };
  return { kind: 'root', name: 'packages', definition, files, key: keys.root(code, definition, files) };
}

/** A root with the packages of others added to it; the root itself where there are none. */
export function extended({ code }: Book, base: RootMaterial, extra: readonly RootMaterial[]): RootMaterial {
  // Two modules may need the same library.
  const files = [...new Map(extra.flatMap((one) => one.files).map((entry) => [entry.name, entry])).values()];
  if (files.length === 0) return base;
  // What maintainer scripts would have made is there already.
  const definition: RootDefinition = { ...base.definition, links: {}, directories: [] };
  const name = `${base.name} with ${extra.map((one) => one.name.replace(/^module-/, '')).join(', ')}`;
  return { kind: 'root', name, definition, files, base, key: keys.extended(code, base.key, definition, files) };
}

/** The material of a source of a lock. `builder` has the `patch` program. */
export function sourceTree({ code, lock, parts }: Book, name: string, builder: RootMaterial): SourceMaterial {
  const pinned = locks.source(lock, name, parts);
  const files = pinned.debian === undefined ? [pinned.orig] : [pinned.orig, pinned.debian];
  const key = keys.source(code, pinned, builder.key);
  return { kind: 'source', name, origin: { type: 'pinned', pinned }, files, key };
}

/** The material of a git commit. */
export const gitTree = (code: keys.Code, name: string, pin: GitPin): SourceMaterial => ({
  kind: 'source',
  name,
  origin: { type: 'git', pin },
  files: [],
  key: keys.git(code, pin),
});

/** The material of a folder of this machine, of that digest. */
export const localTree = (name: string, path: string, key: Digest): SourceMaterial => ({
  kind: 'source',
  name,
  origin: { type: 'local', path },
  files: [],
  key,
});
