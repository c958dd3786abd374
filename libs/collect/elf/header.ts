import * as source from './source.ts';

/** How the numbers of a file are written. */
export interface Layout {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
}

/** A table of records of one size. */
interface Table {
  readonly offset: number;
  readonly count: number;
  readonly recordSize: number;
}

/** The ELF header (gABI, chapter 4): what the rest is found by. */
export interface Header extends Layout {
  readonly osAbi: number;
  /** `e_type`. */
  readonly type: number;
  /** `e_machine`. */
  readonly machine: number;
  readonly segments: Table;
  readonly sections: Table;
  /** Index of the section that holds the names of the sections. */
  readonly sectionNames: number;
}

/** One program header. Offsets and sizes in bytes. */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** Reads the fields of one record. `word` is an address or offset: 4 bytes in 32-bit files, 8 in 64-bit ones. */
export interface Fields {
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
  word(at: number): number;
}

export const PT = { load: 1, dynamic: 2, interp: 3, note: 4, gnuStack: 0x6474e551, gnuRelro: 0x6474e552 } as const;
export const PF_X = 1;

/** Fields over bytes, in a file's layout. A 64-bit number above 2^53 loses its last digits: no file is that long. */
export function fields(bytes: Uint8Array, layout: Layout): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = layout.littleEndian;
  return {
    u8: (at) => view.getUint8(at),
    u16: (at) => view.getUint16(at, little),
    u32: (at) => view.getUint32(at, little),
    word: (at) => (layout.bits === 32 ? view.getUint32(at, little) : Number(view.getBigUint64(at, little))),
  };
}

/** True if bytes begin as every ELF file does. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/** Reads the ELF header. Throws `ELF_INVALID`, `ELF_TRUNCATED`. */
export function header(file: source.Source): Header {
  const start = file.read(0, 16);
  if (!isElf(start)) {
    const found = start.length === 0 ? 'an empty file' : Buffer.from(start.subarray(0, 4)).toString('hex');
    throw source.invalid('not an ELF file', 0, '7f454c46', found);
  }
  const ident = source.bytes(file, 0, 16, 'ELF header');
  const [, , , , elfClass, data, version, osAbi] = ident;
  if (elfClass !== 1 && elfClass !== 2) {
    throw source.invalid('unknown ELF class', 4, '1 (32-bit) or 2 (64-bit)', `${elfClass}`);
  }
  if (data !== 1 && data !== 2) {
    throw source.invalid('unknown ELF data encoding', 5, '1 (little-endian) or 2 (big-endian)', `${data}`);
  }
  if (version !== 1) {
    throw source.invalid('unknown ELF version', 6, '1', `${version}`);
  }
  const layout: Layout = { bits: elfClass === 1 ? 32 : 64, littleEndian: data === 1 };
  const wide = layout.bits === 64;
  const field = fields(source.bytes(file, 0, wide ? 64 : 52, 'ELF header'), layout);
  const counts = wide ? 54 : 42;
  const segments = { offset: field.word(wide ? 32 : 28), recordSize: field.u16(counts), count: field.u16(counts + 2) };
  const sections = {
    offset: field.word(wide ? 40 : 32),
    recordSize: field.u16(counts + 4),
    count: field.u16(counts + 6),
  };
  const segmentSize = wide ? 56 : 32;
  if (segments.count > 0 && segments.recordSize !== segmentSize) {
    throw source.invalid('wrong size of a program header', counts, `${segmentSize}`, `${segments.recordSize}`);
  }
  if (segments.count === 0xffff) {
    throw source.invalid('more program headers than a program has', counts + 2, 'below 65535', 'an extended count');
  }
  return {
    ...layout,
    osAbi: osAbi ?? 0,
    type: field.u16(16),
    machine: field.u16(18),
    segments,
    sections,
    sectionNames: field.u16(counts + 8),
  };
}

/** Reads the program headers. Throws `ELF_TRUNCATED`, also where a segment to be loaded is not all there. */
export function segments(file: source.Source, head: Header): Segment[] {
  const { offset, count, recordSize } = head.segments;
  if (count === 0) {
    return [];
  }
  const table = source.bytes(file, offset, count * recordSize, 'program header table');
  const wide = head.bits === 64;
  return Array.from({ length: count }, (_, index) => {
    const field = fields(table.subarray(index * recordSize, (index + 1) * recordSize), head);
    const segment = {
      type: field.u32(0),
      flags: field.u32(wide ? 4 : 24),
      offset: field.word(wide ? 8 : 4),
      address: field.word(wide ? 16 : 8),
      fileSize: field.word(wide ? 32 : 16),
      memorySize: field.word(wide ? 40 : 20),
      align: field.word(wide ? 48 : 28),
    };
    if (segment.type === PT.load && segment.fileSize > 0 && segment.offset + segment.fileSize > file.size) {
      throw source.truncated(`loaded segment ${index}`, segment.offset, segment.fileSize, file.size);
    }
    return segment;
  });
}

/** Where in the file the byte lies that is loaded at an address. Throws `ELF_INVALID` if none is. */
export function toOffset(all: readonly Segment[], address: number, what: string): number {
  const segment = all.find(
    ({ type, address: start, fileSize }) => type === PT.load && address >= start && address < start + fileSize,
  );
  if (segment === undefined) {
    throw source.invalid(`the ${what} is at address 0x${address.toString(16)}, which no segment loads`, 0);
  }
  return segment.offset + (address - segment.address);
}
