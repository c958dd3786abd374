import { StringDecoder } from 'node:string_decoder';

/** Characters of a line; a longer one comes in pieces, so that output without line breaks needs no memory. */
export const LONGEST = 16 * 1024;

/** Makes lines of UTF-8 bytes that arrive in any pieces. Line breaks (`\n`, `\r\n`) are cut off. */
export function splitter(): {
  /** The lines that end in these bytes. */
  take(chunk: Uint8Array): string[];
  /** What came after the last line break. */
  rest(): string[];
} {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  const add = (text: string): string[] => {
    const lines = (pending + text).split('\n');
    pending = lines.pop() ?? '';
    const ended = lines.flatMap((line) => pieces(line.endsWith('\r') ? line.slice(0, -1) : line));
    const long = pieces(pending);
    pending = long.pop() ?? '';
    return [...ended, ...long];
  };
  return {
    take: (chunk) => add(decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))),
    rest: () => {
      const ended = add(decoder.end());
      const last = pending;
      pending = '';
      return last === '' ? ended : [...ended, last];
    },
  };
}

function pieces(line: string): string[] {
  if (line.length <= LONGEST) return [line];
  return Array.from({ length: Math.ceil(line.length / LONGEST) }, (_, n) => line.slice(n * LONGEST, (n + 1) * LONGEST));
}

/** The lines of a stream. */
export async function* of(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const lines = splitter();
  for await (const chunk of chunks) yield* lines.take(chunk);
  yield* lines.rest();
}
