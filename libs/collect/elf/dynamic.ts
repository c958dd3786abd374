import { fields, type Header, PT, type Segment, toOffset } from './header.ts';
import * as source from './source.ts';

/** Tags of the dynamic segment that are read here (gABI, chapter 5, and GNU's extensions). */
const DT = {
  needed: 1,
  hash: 4,
  strtab: 5,
  symtab: 6,
  rela: 7,
  strsz: 10,
  soname: 14,
  rpath: 15,
  rel: 17,
  jmprel: 23,
  bindNow: 24,
  runpath: 29,
  flags: 30,
  gnuHash: 0x6ffffef5,
  versym: 0x6ffffff0,
  flags1: 0x6ffffffb,
  verdef: 0x6ffffffc,
  verneed: 0x6ffffffe,
  auxiliary: 0x7ffffffd,
  filter: 0x7fffffff,
} as const;

/** `DT_FLAGS` and `DT_FLAGS_1` bits. */
const DF_BIND_NOW = 8;
const DF_1_NOW = 1;
const DF_1_NODEFLIB = 0x800;
const DF_1_PIE = 0x8000000;

/** Many times what the largest programs have; garbage ends here. */
const MOST = 4096;

/** What the dynamic segment says, names looked up. */
export interface Dynamic {
  readonly needed: readonly string[];
  /** Libraries whose symbols come first, if they are there (`DT_AUXILIARY`). */
  readonly auxiliary: readonly string[];
  /** Libraries that stand in for this one (`DT_FILTER`). */
  readonly filter: readonly string[];
  readonly soname: string | undefined;
  /** As it is written: separated by colons, tokens not expanded. */
  readonly rpath: string | undefined;
  readonly runpath: string | undefined;
  readonly flags: {
    /** Every symbol is bound at start: `DT_BIND_NOW`, `DF_BIND_NOW` or `DF_1_NOW`. */
    readonly bindNow: boolean;
    /** `DF_1_PIE`. */
    readonly pie: boolean;
    /** `DF_1_NODEFLIB`: the loader's default directories are not searched. */
    readonly noDefaultLibraries: boolean;
  };
  /** Offsets in the file of what other readers need. */
  readonly tables: {
    readonly strings: source.Strings;
    readonly needs: number | undefined;
    readonly defines: number | undefined;
    /** The dynamic symbols. No tag says how many: they end at the latest at `end`, where the next table begins. */
    readonly symbols: { readonly offset: number; readonly end: number } | undefined;
  };
}

/** Reads the dynamic segment as ld.so does, through the loaded segments; undefined in a file that has none. */
export function dynamic(file: source.Source, head: Header, all: readonly Segment[]): Dynamic | undefined {
  // A detached debug file keeps the header of its dynamic segment without the bytes.
  const segment = all.find(({ type, fileSize }) => type === PT.dynamic && fileSize > 0);
  if (segment === undefined) {
    return undefined;
  }
  const tags = entries(file, head, toOffset(all, segment.address, 'dynamic segment'), segment.fileSize);
  const value = (tag: number): number | undefined => tags.findLast(([found]) => found === tag)?.[1];
  const place = (tag: number, what: string): number | undefined => {
    const address = value(tag);
    return address === undefined ? undefined : toOffset(all, address, what);
  };
  const strings = { offset: place(DT.strtab, 'string table') ?? 0, size: value(DT.strsz) ?? 0 };
  const name = (tag: number, what: string): string | undefined => {
    const index = value(tag);
    return index === undefined ? undefined : source.string(file, strings, index, what);
  };
  const names = (tag: number, what: string): string[] =>
    tags.filter(([found]) => found === tag).map(([, index]) => source.string(file, strings, index, what));
  const flags = value(DT.flags) ?? 0;
  const flags1 = value(DT.flags1) ?? 0;
  return {
    needed: names(DT.needed, 'DT_NEEDED'),
    auxiliary: names(DT.auxiliary, 'DT_AUXILIARY'),
    filter: names(DT.filter, 'DT_FILTER'),
    soname: name(DT.soname, 'DT_SONAME'),
    rpath: name(DT.rpath, 'DT_RPATH'),
    runpath: name(DT.runpath, 'DT_RUNPATH'),
    flags: {
      bindNow: value(DT.bindNow) !== undefined || (flags & DF_BIND_NOW) !== 0 || (flags1 & DF_1_NOW) !== 0,
      pie: (flags1 & DF_1_PIE) !== 0,
      noDefaultLibraries: (flags1 & DF_1_NODEFLIB) !== 0,
    },
    tables: {
      strings,
      needs: place(DT.verneed, 'table of needed versions'),
      defines: place(DT.verdef, 'table of defined versions'),
      symbols: symbolTable(all, value),
    },
  };
}

/** `[tag, value]` pairs up to DT_NULL. */
function entries(file: source.Source, head: Header, offset: number, length: number): [number, number][] {
  const width = head.bits / 8;
  const found: [number, number][] = [];
  const table = source.bytes(file, offset, length, 'dynamic segment');
  const field = fields(table, head);
  for (let at = 0; at + 2 * width <= table.length; at += 2 * width) {
    const tag = field.word(at);
    if (tag === 0) {
      return found;
    }
    if (found.length === MOST) {
      throw source.invalid('the dynamic segment is too long', offset + at, `at most ${MOST} entries`);
    }
    found.push([tag, field.word(at + width)]);
  }
  throw source.invalid('the dynamic segment does not end with DT_NULL', offset);
}

function symbolTable(
  all: readonly Segment[],
  value: (tag: number) => number | undefined,
): Dynamic['tables']['symbols'] {
  const address = value(DT.symtab);
  if (address === undefined) {
    return undefined;
  }
  const offset = toOffset(all, address, 'dynamic symbol table');
  const segment = all.find(
    ({ type, address: start, fileSize }) => type === PT.load && address >= start && address < start + fileSize,
  );
  const last = segment === undefined ? address : segment.address + segment.fileSize;
  const followers = [DT.strtab, DT.hash, DT.gnuHash, DT.versym, DT.verdef, DT.verneed, DT.rel, DT.rela, DT.jmprel]
    .map(value)
    .filter((next) => next !== undefined && next > address)
    .map(Number);
  return { offset, end: offset + Math.min(last, ...followers) - address };
}
