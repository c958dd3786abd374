import type { Dynamic } from './dynamic.ts';
import { type Fields, fields, type Layout } from './header.ts';
import * as source from './source.ts';

/** The versions that a file wants of one library (`.gnu.version_r`). */
export interface VersionNeed {
  /** As in `DT_NEEDED`. */
  readonly library: string;
  readonly versions: readonly {
    readonly name: string;
    /** Only weak symbols want it: the loader does not insist. */
    readonly weak: boolean;
  }[];
}

/** A version that a library offers (`.gnu.version_d`). */
export interface VersionDefinition {
  readonly name: string;
  /** The library's own name rather than a version of its symbols. */
  readonly base: boolean;
  /** The versions that it inherits from. */
  readonly parents: readonly string[];
}

const FLAG_BASE = 1;
const FLAG_WEAK = 2;

/** Many times what the largest libraries have; lists that run through garbage end here. They cannot run in circles. */
const MOST = 4096;

/** Reads the list of needed versions. Throws `ELF_INVALID`, `ELF_TRUNCATED`. */
export function needs(file: source.Source, layout: Layout, { tables }: Dynamic): VersionNeed[] {
  if (tables.needs === undefined) {
    return [];
  }
  const room = { left: MOST };
  const what = 'table of needed versions';
  const name = (index: number): string => source.string(file, tables.strings, index, 'a needed version');
  return list(file, layout, { offset: tables.needs, size: 16, next: 12, what, room }, (need, at) => ({
    library: name(need.u32(4)),
    versions: list(file, layout, { offset: at + need.u32(8), size: 16, next: 12, what, room }, (version) => ({
      name: name(version.u32(8)),
      weak: (version.u16(4) & FLAG_WEAK) !== 0,
    })),
  }));
}

/** Reads the list of defined versions. Throws `ELF_INVALID`, `ELF_TRUNCATED`. */
export function defines(file: source.Source, layout: Layout, { tables }: Dynamic): VersionDefinition[] {
  if (tables.defines === undefined) {
    return [];
  }
  const room = { left: MOST };
  const what = 'table of defined versions';
  return list(file, layout, { offset: tables.defines, size: 20, next: 16, what, room }, (definition, at) => {
    const from = at + definition.u32(12);
    const [name = '', ...parents] = list(file, layout, { offset: from, size: 8, next: 4, what, room }, (field) =>
      source.string(file, tables.strings, field.u32(0), 'a defined version'),
    );
    return { name, base: (definition.u16(2) & FLAG_BASE) !== 0, parents };
  });
}

interface Walk {
  readonly offset: number;
  /** Bytes of one record. */
  readonly size: number;
  /** Where in a record the distance to the next one stands; 0 there ends the list, and that alone ends it for ld.so. */
  readonly next: number;
  readonly what: string;
  /** Shared by a list and the lists within it. */
  readonly room: { left: number };
}

function list<T>(file: source.Source, layout: Layout, walk: Walk, read: (field: Fields, at: number) => T): T[] {
  const found: T[] = [];
  let at = walk.offset;
  for (;;) {
    if (walk.room.left === 0) {
      throw source.invalid(`the ${walk.what} does not end`, at, `at most ${MOST} records`);
    }
    walk.room.left -= 1;
    const field = fields(source.bytes(file, at, walk.size, walk.what), layout);
    found.push(read(field, at));
    const distance = field.u32(walk.next);
    if (distance === 0) {
      return found;
    }
    at += distance;
  }
}
