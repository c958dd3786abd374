import { fields, type Header } from './header.ts';
import * as source from './source.ts';

/** What only the section table tells; the loader never looks there, and a stripped file may have none. */
export interface Sections {
  /** A `.symtab`: the file is not stripped. */
  readonly hasSymbolTable: boolean;
  /** Any `.debug_*` section. */
  readonly hasDebug: boolean;
}

const SHT_SYMTAB = 2;
const SHN_XINDEX = 0xffff;

/** Reads the section table. Throws `ELF_INVALID`, `ELF_TRUNCATED`: the table is a file's end, so a cut file shows here. */
export function sections(file: source.Source, head: Header): Sections {
  const { offset, recordSize } = head.sections;
  if (offset === 0) {
    return { hasSymbolTable: false, hasDebug: false };
  }
  const wide = head.bits === 64;
  const size = wide ? 64 : 40;
  if (recordSize !== size) {
    throw source.invalid('wrong size of a section header', wide ? 58 : 46, `${size}`, `${recordSize}`);
  }
  const read = (at: number, count: number): Uint8Array => source.bytes(file, at, count * size, 'section table');
  // Counts that do not fit the ELF header stand in the first section header.
  const first = fields(read(offset, 1), head);
  const count = head.sections.count === 0 ? first.word(wide ? 32 : 20) : head.sections.count;
  const names = head.sectionNames === SHN_XINDEX ? first.u32(wide ? 40 : 24) : head.sectionNames;
  if (count === 0) {
    return { hasSymbolTable: false, hasDebug: false };
  }
  const field = fields(read(offset, count), head);
  if (names >= count) {
    throw source.invalid('no section has the section names', offset, `below ${count}`, `${names}`);
  }
  const table = {
    offset: field.word(names * size + (wide ? 24 : 16)),
    size: field.word(names * size + (wide ? 32 : 20)),
  };
  let hasSymbolTable = false;
  let hasDebug = false;
  for (let index = 1; index < count; index += 1) {
    hasSymbolTable ||= field.u32(index * size + 4) === SHT_SYMTAB;
    // Section 0 holds nothing: the file has no names at all.
    hasDebug ||= names !== 0 && isDebug(file, table, field.u32(index * size), index);
  }
  return { hasSymbolTable, hasDebug };
}

function isDebug(file: source.Source, table: source.Strings, name: number, index: number): boolean {
  if (name >= table.size) {
    throw source.invalid(`the name of section ${index} lies outside its string table`, table.offset);
  }
  return /^\.z?debug_/.test(Buffer.from(file.read(table.offset + name, 8)).toString('latin1'));
}
