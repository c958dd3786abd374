import { z } from 'zod';
import { fields, type Header, PT, type Segment } from './header.ts';
import * as source from './source.ts';

const dlopenNote = z.array(
  z.object({
    feature: z.string().optional(),
    description: z.string().optional(),
    priority: z.enum(['required', 'recommended', 'suggested']).default('recommended'),
    soname: z.array(z.string().min(1)).min(1),
  }),
);

/** One dependency that a file opens by itself; of several names any one will do, the first is liked best. */
export type Dlopen = z.infer<typeof dlopenNote>[number];

/** What the notes say. */
export interface Notes {
  /** Hexadecimal. */
  readonly buildId: string | undefined;
  /** The FDO dlopen metadata, all notes together. */
  readonly dlopen: readonly Dlopen[];
  /** Control-flow enforcement on x86: indirect branch tracking, shadow stack. */
  readonly features: { readonly ibt: boolean; readonly shstk: boolean };
}

const NT_GNU_BUILD_ID = 3;
const NT_GNU_PROPERTY_TYPE_0 = 5;
const NT_FDO_DLOPEN = 0x407c0c0a;
const GNU_PROPERTY_X86_FEATURE_1_AND = 0xc0000002;
const EM_386 = 3;
const EM_X86_64 = 62;

interface Note {
  readonly owner: string;
  readonly type: number;
  readonly content: Uint8Array;
  /** Of the content, in the file. */
  readonly offset: number;
}

/** Reads the notes of all note segments. Throws `ELF_INVALID`, `ELF_TRUNCATED`. */
export function notes(file: source.Source, head: Header, all: readonly Segment[]): Notes {
  const found = all
    .filter(({ type, fileSize }) => type === PT.note && fileSize > 0)
    .flatMap((segment) => inSegment(file, head, segment));
  const buildId = found.find(({ owner, type }) => owner === 'GNU' && type === NT_GNU_BUILD_ID);
  const properties = found.filter(({ owner, type }) => owner === 'GNU' && type === NT_GNU_PROPERTY_TYPE_0);
  const x86 = head.machine === EM_X86_64 || head.machine === EM_386;
  const bits = x86 ? (properties.map((note) => feature1(head, note)).find((value) => value !== 0) ?? 0) : 0;
  return {
    buildId: buildId === undefined ? undefined : Buffer.from(buildId.content).toString('hex'),
    dlopen: found.filter(({ owner, type }) => owner === 'FDO' && type === NT_FDO_DLOPEN).flatMap(dlopen),
    features: { ibt: (bits & 1) !== 0, shstk: (bits & 2) !== 0 },
  };
}

/*
 * One note: | name size | content size | type | name, padded | content, padded |
 * Padded to 4 bytes, or to 8 in a segment that is aligned to 8 (64-bit GNU properties).
 */
function inSegment(file: source.Source, head: Header, segment: Segment): Note[] {
  const bytes = source.bytes(file, segment.offset, segment.fileSize, 'note segment');
  const align = segment.align === 8 ? 8 : 4;
  const padded = (at: number): number => Math.ceil(at / align) * align;
  const field = fields(bytes, head);
  const found: Note[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameEnd = at + 12 + field.u32(at);
    const start = padded(nameEnd);
    const end = start + field.u32(at + 4);
    if (nameEnd > bytes.length || end > bytes.length) {
      throw source.invalid('a note is longer than its segment', segment.offset + at);
    }
    const owner = Buffer.from(bytes.subarray(at + 12, nameEnd))
      .toString('latin1')
      .replace(/\0+$/, '');
    found.push({ owner, type: field.u32(at + 8), content: bytes.subarray(start, end), offset: segment.offset + start });
    at = padded(end);
  }
  return found;
}

/** The x86 feature bits of a property note: | type | size | data, padded to a word | ... */
function feature1(head: Header, note: Note): number {
  const field = fields(note.content, head);
  const width = head.bits / 8;
  for (let at = 0; at + 8 <= note.content.length; ) {
    const size = field.u32(at + 4);
    if (at + 8 + size > note.content.length) {
      throw source.invalid('a GNU property is longer than its note', note.offset + at);
    }
    if (field.u32(at) === GNU_PROPERTY_X86_FEATURE_1_AND && size >= 4) {
      return field.u32(at + 8);
    }
    at += 8 + Math.ceil(size / width) * width;
  }
  return 0;
}

function dlopen(note: Note): Dlopen[] {
  const where = 'a dlopen note is not the JSON that the FDO specification describes';
  let json: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(note.content).replace(/\0+$/, '');
    json = JSON.parse(text);
  } catch (cause) {
    throw source.invalid(where, note.offset, 'a JSON array', undefined, cause);
  }
  const result = dlopenNote.safeParse(json);
  if (!result.success) {
    throw source.invalid(where, note.offset, 'objects with a soname array', undefined, result.error);
  }
  return result.data;
}
