import type { Dynamic } from './dynamic.ts';
import { fields, type Layout } from './header.ts';
import * as source from './source.ts';

/** Records read at a time. */
const BLOCK = 1024;

/** Mangled names may be long, so their sum has the limit: many times what the largest programs have. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * The names of the dynamic symbols that a file takes from others, in the order of its table.
 * Throws `ELF_INVALID`, `ELF_TRUNCATED`.
 */
export function imports(file: source.Source, layout: Layout, { tables }: Dynamic): string[] {
  if (tables.symbols === undefined) {
    return [];
  }
  const { offset, end } = tables.symbols;
  const wide = layout.bits === 64;
  const size = wide ? 24 : 16;
  const count = Math.floor((end - offset) / size);
  const found: string[] = [];
  let left = MOST_BYTES;
  for (let start = 0; start < count; start += BLOCK) {
    const block = Math.min(BLOCK, count - start);
    const field = fields(source.bytes(file, offset + start * size, block * size, 'dynamic symbol table'), layout);
    for (let index = 0; index < block; index += 1) {
      const name = field.u32(index * size);
      if (name >= tables.strings.size) {
        return found; // Past the last symbol: `end` is a bound, not a count.
      }
      if (name !== 0 && field.u16(index * size + (wide ? 6 : 14)) === 0) {
        const text = source.string(file, tables.strings, name, 'a dynamic symbol', left);
        left -= text.length;
        found.push(text);
      }
    }
  }
  return found;
}
