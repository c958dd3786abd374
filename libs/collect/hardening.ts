import type { Elf } from './elf.ts';

/** The facts that {@link of} judges: a parsed file will do. */
export type Facts = Pick<Elf, 'type' | 'relro' | 'flags' | 'stack' | 'features'>;

/** How a program or library is protected. */
export interface Hardening {
  /** It loads at any address: a position-independent program, or a shared library, which always is. */
  readonly pie: boolean;
  /** Read-only after relocation: `full` where all symbols are bound at start, so that the whole GOT is read-only. */
  readonly relro: 'full' | 'partial' | 'none';
  /** The stack is not executable. Only a file that says so counts: without a word the kernel may make it executable. */
  readonly nx: boolean;
  /** The stack protector is used somewhere; undefined if the imported names are not known. */
  readonly canary: boolean | undefined;
  /** A `_FORTIFY_SOURCE` variant of a function is used; undefined if the imported names are not known. */
  readonly fortify: boolean | undefined;
  /** Control-flow enforcement, as the file is marked for it. */
  readonly cet: { readonly ibt: boolean; readonly shstk: boolean };
}

/**
 * Judges a file from what it says. `imports` are its undefined dynamic symbols (`elf.imports`). `canary` and `fortify`
 * being false is no proof: a small library may have nothing to protect.
 */
export const of = (facts: Facts, imports?: readonly string[]): Hardening => ({
  pie: facts.type === 'shared',
  relro: !facts.relro ? 'none' : facts.flags.bindNow ? 'full' : 'partial',
  nx: facts.stack === 'data',
  canary: imports?.includes('__stack_chk_fail'),
  fortify: imports?.some((name) => /^__\w+_chk$/.test(name)),
  cet: facts.features,
});
