import { ForgeError } from '../core/errors.ts';

/** One stanza of a control file: its fields by name. Of a field of several lines, they are joined by `\n`, trimmed. */
export type Stanza<Field extends string = string> = { readonly [field in Field]?: string };

/** No line of an index is longer; more is no text of this format. */
const LONGEST_LINE = 16 * 1024 * 1024;

/**
 * The stanzas of a control file (deb822(5)) as they stream by, with no other fields than those asked for. Field names
 * are compared as they are written in Debian's indexes. Throws `CONTROL_INVALID` for a line that is no field.
 */
export async function* stanzas<Field extends string>(
  chunks: AsyncIterable<Uint8Array>,
  fields: readonly Field[],
): AsyncGenerator<Stanza<Field>> {
  const wanted = new Set<string>(fields);
  let stanza: Record<string, string> = {};
  let empty = true;
  let current: string | undefined;
  for await (const lines of batches(chunks)) {
    for (const line of lines) {
      const first = line.charCodeAt(0);
      if (line === '' || (isBlank(first) && line.trim() === '' && empty)) {
        if (!empty) yield stanza as Stanza<Field>;
        stanza = {};
        empty = true;
        current = undefined;
      } else if (isBlank(first)) {
        if (empty) throw invalid(line);
        if (current !== undefined) stanza[current] = `${stanza[current]}\n${line.trim()}`;
      } else if (first !== COMMENT) {
        const colon = line.indexOf(':');
        if (colon <= 0) throw invalid(line);
        const name = line.slice(0, colon);
        empty = false;
        current = wanted.has(name) ? name : undefined;
        if (current !== undefined) stanza[current] = line.slice(colon + 1).trim();
      }
    }
  }
  if (!empty) yield stanza as Stanza<Field>;
}

/** The stanzas of a short text. */
export async function parse<Field extends string>(text: string, fields: readonly Field[]): Promise<Stanza<Field>[]> {
  const found: Stanza<Field>[] = [];
  for await (const stanza of stanzas(oneChunk(text), fields)) found.push(stanza);
  return found;
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const COMMENT = 0x23;
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const invalid = (line: string): ForgeError =>
  new ForgeError('CONTROL_INVALID', 'not a line of a control file', {
    expected: 'Name: value',
    found: line.slice(0, 80),
  });

/** The whole lines of each chunk, so that the loop above waits once per chunk and not once per line. */
async function* batches(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw invalid(rest);
    yield lines.map(withoutReturn);
  }
  const last = rest + decoder.decode();
  if (last !== '') yield [withoutReturn(last)];
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
