import { chmodSync, copyFileSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as closure from '../../libs/collect/closure.ts';
import type { Closure } from '../../libs/core/closure.ts';
import type { Platform } from '../../libs/core/platform.ts';
import * as tree from './tree.ts';

/** What a small root is made of. */
export interface Parts {
  /** Host directories seen as one root, which have the programs. */
  readonly from: readonly string[];
  readonly platform: Platform;
  readonly programs: readonly string[];
  readonly directories?: readonly string[];
}

/** The closure of the programs alone. */
export const resolve = ({ from, platform, programs }: Parts): Closure =>
  closure.resolve({ roots: from, platform, start: programs.map((path) => ({ path, via: 'the test runs it' })) });

/** Puts a copy of every file and link of a closure below `top`. */
export function place(found: Closure, top: string): void {
  for (const item of found) {
    const path = join(top, item.path);
    mkdirSync(dirname(path), { recursive: true });
    if (item.type === 'symlink') {
      symlinkSync(item.target, path);
    } else {
      copyFileSync(item.source, path);
      chmodSync(path, statSync(item.source).mode & 0o777);
    }
  }
}

/**
 * A root of a few programs and what they need, nothing else, in a folder that every user may read and that is removed
 * when the test is over.
 */
export function make(parts: Parts): string {
  const top = tree.make();
  chmodSync(top, 0o755);
  place(resolve(parts), top);
  for (const path of ['/proc', '/dev', '/tmp', ...(parts.directories ?? [])]) {
    mkdirSync(join(top, path), { recursive: true });
  }
  return top;
}
