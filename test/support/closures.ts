import * as closure from '../../libs/collect/closure.ts';
import type { Closure } from '../../libs/core/closure.ts';
import * as platforms from '../../libs/core/platform.ts';
import * as elfwriter from './elfwriter.ts';
import * as tree from './tree.ts';

/** The platform of the roots made here. */
export const platform = platforms.parse('linux/amd64');
/** Debian's library folder on it. */
export const DIR = 'usr/lib/x86_64-linux-gnu';

/** What a handcrafted file says beside its machine. */
export type Made = Partial<elfwriter.Description>;
/** A library of the platform. */
export const amd64 = (made: Made = {}): Uint8Array =>
  elfwriter.write({ bits: 64, littleEndian: true, machine: 62, ...made });
/** A library of another platform. */
export const i386 = (made: Made = {}): Uint8Array =>
  elfwriter.write({ bits: 32, littleEndian: true, machine: 3, ...made });
/** A program of the platform. */
export const program = (made: Made = {}): Uint8Array => amd64({ interpreter: platform.loader, ...made });
/** The FDO dlopen metadata as notes. */
export const dlopen = (text: string): Made['notes'] => [{ owner: 'FDO', type: 0x407c0c0a, content: Buffer.from(text) }];

/** A usr-merged root with a loader and a C library. */
export const base: tree.Tree = {
  lib: { link: 'usr/lib' },
  lib64: { link: 'usr/lib64' },
  'usr/lib64/ld-linux-x86-64.so.2': { link: `/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2` },
  [`${DIR}/ld-linux-x86-64.so.2`]: amd64({ soname: 'ld-linux-x86-64.so.2' }),
  [`${DIR}/libc.so.6`]: amd64({
    soname: 'libc.so.6',
    needed: ['ld-linux-x86-64.so.2'],
    defines: [
      { name: 'libc.so.6', base: true },
      { name: 'GLIBC_2.2.5' },
      { name: 'GLIBC_2.34', parents: ['GLIBC_2.2.5'] },
    ],
  }),
};

/** Resolves in folders made for this test, which lie over each other; the recipe asks for the paths. */
export const resolve = (
  trees: tree.Tree | tree.Tree[],
  paths: string[],
  options: Partial<closure.Request> = {},
): Closure =>
  closure.resolve({
    roots: [trees].flat().map((each) => tree.make(each)),
    platform,
    start: paths.map((path) => ({ path, via: 'the recipe' })),
    ...options,
  });
/** The paths of a closure. */
export const paths = (found: Closure): string[] => found.map(({ path }) => path);
/** The file or link of a closure at a path. */
export const item = (found: Closure, path: string): Closure[number] | undefined =>
  found.find((each) => each.path === path);
