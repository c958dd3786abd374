/** What a handcrafted ELF file says; what is left out is not in it. */
export interface Description {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly machine: number;
  /** `e_type`; 3 (shared) unless told. */
  readonly type?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly auxiliary?: readonly string[];
  readonly soname?: string;
  readonly rpath?: string;
  readonly runpath?: string;
  readonly flags?: number;
  readonly flags1?: number;
  readonly needs?: readonly { library: string; versions: readonly { name: string; weak?: boolean }[] }[];
  readonly defines?: readonly { name: string; base?: boolean; parents?: readonly string[] }[];
  readonly notes?: readonly { owner: string; type: number; content: Uint8Array }[];
  /** What notes are padded to; 4 unless told. */
  readonly noteAlign?: 4 | 8;
  readonly imports?: readonly string[];
  readonly stack?: 'executable' | 'data';
  readonly relro?: boolean;
  /** Section names; each becomes an empty section, `.symtab` of the right type. */
  readonly sections?: readonly string[];
}

const BASE = 0x10000;
const TAGS = { needed: 1, strtab: 5, symtab: 6, strsz: 10, syment: 11, soname: 14, rpath: 15, runpath: 29, flags: 30 };
const GNU = {
  flags1: 0x6ffffffb,
  verdef: 0x6ffffffc,
  verdefnum: 0x6ffffffd,
  verneed: 0x6ffffffe,
  verneednum: 0x6fffffff,
};

/** Where a part of the file lies. */
interface Place {
  readonly offset: number;
  readonly size: number;
}

/**
 * Writes a minimal ELF file: one loaded segment over all of it, and what the description asks for. Made to test the
 * reader with classes and byte orders that the machine's own compiler does not make.
 */
export function write(description: Description): Uint8Array {
  const { bits, littleEndian, machine } = description;
  const wide = bits === 64;
  const number = (value: number, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, size);
    if (size === 8) {
      view.setBigUint64(0, BigInt(value), littleEndian);
    } else if (size === 4) {
      view.setUint32(0, value, littleEndian);
    } else {
      view.setUint16(0, value, littleEndian);
    }
    return bytes;
  };
  const half = (value: number): Buffer => number(value, 2);
  const word = (value: number): Buffer => number(value, 4);
  const address = (value: number): Buffer => number(value, bits / 8);

  const strings = stringTable();
  const headerSize = wide ? 64 : 52;
  const segmentSize = wide ? 56 : 32;
  const room = headerSize + 8 * segmentSize;
  const body: Buffer[] = [Buffer.alloc(room)];
  let length = room;
  const put = (...parts: readonly Buffer[]): Place => {
    const bytes = Buffer.concat(parts);
    const offset = Math.ceil(length / 8) * 8;
    body.push(Buffer.alloc(offset - length), bytes);
    length = offset + bytes.length;
    return { offset, size: bytes.length };
  };

  const segments: { type: number; flags: number; place: Place; align: number }[] = [];
  if (description.interpreter !== undefined) {
    segments.push({ type: 3, flags: 4, place: put(Buffer.from(`${description.interpreter}\0`)), align: 1 });
  }
  if (description.notes !== undefined) {
    const align = description.noteAlign ?? 4;
    const padding = (length: number): Buffer => Buffer.alloc((align - (length % align)) % align);
    const notes = description.notes.flatMap(({ owner, type, content }) => {
      const name = Buffer.from(`${owner}\0`);
      const header = [word(name.length), word(content.length), word(type), name, padding(12 + name.length)];
      return [...header, Buffer.from(content), padding(content.length)];
    });
    segments.push({ type: 4, flags: 4, place: put(...notes), align });
  }

  const tags: [number, number][] = [];
  const tag = (id: number, ...names: readonly (string | undefined)[]): void => {
    tags.push(...names.flatMap((name): [number, number][] => (name === undefined ? [] : [[id, strings.add(name)]])));
  };
  tag(TAGS.needed, ...(description.needed ?? []));
  tag(0x7ffffffd, ...(description.auxiliary ?? []));
  tag(TAGS.soname, description.soname);
  tag(TAGS.rpath, description.rpath);
  tag(TAGS.runpath, description.runpath);
  if (description.flags !== undefined) tags.push([TAGS.flags, description.flags]);
  if (description.flags1 !== undefined) tags.push([GNU.flags1, description.flags1]);
  const { needs = [], defines = [] } = description;
  if (needs.length > 0) {
    const records = needs.flatMap(({ library, versions }, index) => [
      ...[half(1), half(versions.length), word(strings.add(library)), word(16)],
      word(index === needs.length - 1 ? 0 : 16 + 16 * versions.length),
      ...versions.flatMap(({ name, weak }, at) => [
        ...[word(elfHash(name)), half(weak === true ? 2 : 0), half(2 + at), word(strings.add(name))],
        word(at === versions.length - 1 ? 0 : 16),
      ]),
    ]);
    tags.push([GNU.verneed, BASE + put(...records).offset], [GNU.verneednum, needs.length]);
  }
  if (defines.length > 0) {
    const records = defines.flatMap(({ name, base, parents = [] }, index) => [
      ...[
        half(1),
        half(base === true ? 1 : 0),
        half(index + 1),
        half(1 + parents.length),
        word(elfHash(name)),
        word(20),
      ],
      word(index === defines.length - 1 ? 0 : 20 + 8 * (1 + parents.length)),
      ...[name, ...parents].flatMap((text, at) => [word(strings.add(text)), word(at === parents.length ? 0 : 8)]),
    ]);
    tags.push([GNU.verdef, BASE + put(...records).offset], [GNU.verdefnum, defines.length]);
  }
  const symbols = ['', ...(description.imports ?? [])].map((name) => {
    const index = word(strings.add(name));
    const info = Buffer.from([0x12, 0]);
    return wide
      ? Buffer.concat([index, info, half(0), address(0), address(0)])
      : Buffer.concat([index, address(0), word(0), info, half(0)]);
  });
  const symbolTable = put(...symbols);
  const stringPlace = put(strings.bytes());
  tags.push([TAGS.symtab, BASE + symbolTable.offset], [TAGS.syment, wide ? 24 : 16]);
  tags.push([TAGS.strtab, BASE + stringPlace.offset], [TAGS.strsz, stringPlace.size], [0, 0]);
  segments.push({
    type: 2,
    flags: 6,
    place: put(...tags.flatMap(([id, value]) => [address(id), address(value)])),
    align: 8,
  });
  const nowhere = { offset: 0, size: 0 };
  if (description.stack !== undefined) {
    segments.push({ type: 0x6474e551, flags: description.stack === 'data' ? 6 : 7, place: nowhere, align: 16 });
  }
  if (description.relro === true) {
    segments.push({ type: 0x6474e552, flags: 4, place: nowhere, align: 1 });
  }
  segments.unshift({ type: 1, flags: 7, place: { offset: 0, size: length }, align: 0x1000 });

  let sectionTable: Place = nowhere;
  const names = ['', ...(description.sections ?? []), '.shstrtab'];
  if (description.sections !== undefined) {
    const table = stringTable();
    const indexes = names.map(table.add);
    const place = put(table.bytes());
    const headers = names.map((name, index) => {
      const type = index === 0 ? 0 : name === '.symtab' ? 2 : name === '.shstrtab' ? 3 : 1;
      const where = name === '.shstrtab' ? place : nowhere;
      const start = [word(indexes[index] ?? 0), word(type), address(0), address(0), address(where.offset)];
      return Buffer.concat([...start, address(where.size), word(0), word(0), address(1), address(0)]);
    });
    sectionTable = put(...headers);
  }

  const file = Buffer.concat(body);
  const counts = description.sections === undefined ? [0, 0] : [names.length, names.length - 1];
  const header = Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1, ...new Array<number>(9).fill(0)]),
    ...[half(description.type ?? 3), half(machine), word(1), address(0), address(headerSize)],
    ...[address(sectionTable.offset), word(0), half(headerSize), half(segmentSize), half(segments.length)],
    ...[half(wide ? 64 : 40), half(counts[0] ?? 0), half(counts[1] ?? 0)],
  ]);
  const programHeaders = segments.map(({ type, flags, place, align }) => {
    const where = [address(place.offset), address(BASE + place.offset), address(BASE + place.offset)];
    const sizes = [address(place.size), address(place.size)];
    return wide
      ? Buffer.concat([word(type), word(flags), ...where, ...sizes, address(align)])
      : Buffer.concat([word(type), ...where, ...sizes, word(flags), address(align)]);
  });
  Buffer.concat([header, ...programHeaders]).copy(file);
  return file;
}

function stringTable(): { add(text: string): number; bytes(): Buffer } {
  let bytes = Buffer.from([0]);
  const known = new Map<string, number>([['', 0]]);
  return {
    add: (text) => {
      const index = known.get(text) ?? bytes.length;
      if (!known.has(text)) {
        known.set(text, index);
        bytes = Buffer.concat([bytes, Buffer.from(`${text}\0`)]);
      }
      return index;
    },
    bytes: () => bytes,
  };
}

/** The System V hash of a version's name (gABI). */
function elfHash(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name)) {
    hash = (hash << 4) + byte;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}
