import { ForgeError } from '../core/errors.ts';
import { type Dynamic, dynamic } from './elf/dynamic.ts';
import { type Header, header, PF_X, PT, type Segment, segments } from './elf/header.ts';
import { type Notes, notes } from './elf/notes.ts';
import { type Sections, sections } from './elf/sections.ts';
import * as source from './elf/source.ts';
import * as symbols from './elf/symbols.ts';
import * as versions from './elf/versions.ts';

export { isElf } from './elf/header.ts';
export type { Dlopen } from './elf/notes.ts';
export { fromBytes, type Source, withFile } from './elf/source.ts';
export type { VersionDefinition, VersionNeed } from './elf/versions.ts';

/** `e_type`, in words. `shared` is a library as well as a position-independent program. */
export type Type = 'none' | 'relocatable' | 'executable' | 'shared' | 'core' | 'other';

/** What an ELF file says about itself, as far as running it is concerned. */
export interface Elf extends Omit<Dynamic, 'tables'>, Notes, Sections {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly type: Type;
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  readonly osAbi: number;
  /** True if there is a dynamic segment: a statically linked program has none, or names nothing in it. */
  readonly dynamic: boolean;
  /** The program interpreter (`PT_INTERP`), absolute. */
  readonly interpreter: string | undefined;
  readonly needs: readonly versions.VersionNeed[];
  readonly defines: readonly versions.VersionDefinition[];
  /** What `PT_GNU_STACK` asks for. */
  readonly stack: 'executable' | 'data' | 'unstated';
  /** There is a `PT_GNU_RELRO`. */
  readonly relro: boolean;
}

const types: readonly Type[] = ['none', 'relocatable', 'executable', 'shared', 'core'];

const nothing: Omit<Dynamic, 'tables'> = {
  needed: [],
  auxiliary: [],
  filter: [],
  soname: undefined,
  rpath: undefined,
  runpath: undefined,
  flags: { bindNow: false, pie: false, noDefaultLibraries: false },
};

/**
 * Reads an ELF file (System V gABI, with GNU's extensions), 32- or 64-bit, of either byte order. What the loader goes
 * by is read through the program headers, so a file without a section table gives the same answers.
 * Throws `ELF_INVALID` and `ELF_TRUNCATED` (what, and at which offset).
 */
export function parse(file: source.Source): Elf {
  const head = header(file);
  const all = segments(file, head);
  const found = dynamic(file, head, all);
  const { tables: _, ...said } = found ?? { ...nothing, tables: undefined };
  const stack = all.find(({ type }) => type === PT.gnuStack);
  return {
    bits: head.bits,
    littleEndian: head.littleEndian,
    type: types[head.type] ?? 'other',
    machine: head.machine,
    osAbi: head.osAbi,
    dynamic: found !== undefined,
    interpreter: interpreter(file, all),
    ...said,
    needs: found === undefined ? [] : versions.needs(file, head, found),
    defines: found === undefined ? [] : versions.defines(file, head, found),
    stack: stack === undefined ? 'unstated' : (stack.flags & PF_X) !== 0 ? 'executable' : 'data',
    relro: all.some(({ type }) => type === PT.gnuRelro),
    ...notes(file, head, all),
    ...sections(file, head),
  };
}

/** {@link parse} for a file on this machine; `name` stands for it in errors. System errors pass as they are. */
export const read = (path: string, name: string = path): Elf => named(name, () => source.withFile(path, parse));

/**
 * The names of the symbols that a file takes from others; undefined in a file without a dynamic segment.
 * Apart from {@link parse}, because a closure never needs them and a large library has tens of thousands.
 */
export function imports(file: source.Source): string[] | undefined {
  const head: Header = header(file);
  const all: Segment[] = segments(file, head);
  const found = dynamic(file, head, all);
  return found === undefined ? undefined : symbols.imports(file, head, found);
}

function named<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof ForgeError)) {
      throw cause;
    }
    const { expected, found, hint } = cause;
    throw new ForgeError(cause.code, `${name}: ${cause.message}`, {
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
      ...(hint === undefined ? {} : { hint }),
      cause,
    });
  }
}

function interpreter(file: source.Source, all: readonly Segment[]): string | undefined {
  // A detached debug file keeps the header without the bytes.
  const segment = all.find(({ type, fileSize }) => type === PT.interp && fileSize > 0);
  return segment && source.string(file, { offset: segment.offset, size: segment.fileSize }, 0, 'PT_INTERP');
}
