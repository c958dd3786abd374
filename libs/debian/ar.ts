import type { Readable } from 'node:stream';
import { ForgeError } from '../core/errors.ts';

/** One member of an ar archive; its content is read before the next member is asked for, or skipped. */
export interface Member {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The content as it arrives. */
  content(): AsyncGenerator<Uint8Array>;
}

const MAGIC = '!<arch>\n';
const HEADER = 60;

/**
 * The members of an ar archive, in order, as deb(5) uses the format: names of at most 16 bytes, content padded to even
 * offsets. Throws `DEB_CORRUPT`.
 *
 *     0          16           28     34     40      48         58  60
 *     | name     | mtime      | uid  | gid  | mode  | size     | `\n
 */
export async function* members(archive: Readable): AsyncGenerator<Member> {
  const reader = readerOf(archive);
  if ((await reader.exactly(MAGIC.length, 'the magic')).toString('latin1') !== MAGIC)
    throw corrupt('not an ar archive');
  for (;;) {
    const header = await reader.atMost(HEADER);
    if (header.length === 0) return;
    const text = header.toString('latin1');
    const size = /^\d+ *$/.test(text.slice(48, 58)) ? Number.parseInt(text.slice(48, 58), 10) : Number.NaN;
    if (header.length < HEADER || !text.endsWith('`\n') || Number.isNaN(size)) throw corrupt('a damaged member header');
    let left = size;
    const content = async function* (): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        const chunk = await reader.some(left);
        left -= chunk.length;
        yield chunk;
      }
    };
    yield { name: text.slice(0, 16).trimEnd().replace(/\/$/, ''), size, content };
    while (left > 0) left -= (await reader.some(left)).length;
    if (size % 2 === 1) await reader.atMost(1);
  }
}

interface Reader {
  /** That many bytes; fewer only at the end. */
  atMost(length: number): Promise<Buffer>;
  /** That many bytes, or `DEB_CORRUPT`. */
  exactly(length: number, what: string): Promise<Buffer>;
  /** At least one byte and no more than `limit`, without copying. */
  some(limit: number): Promise<Uint8Array>;
}

function readerOf(source: Readable): Reader {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);
  const fill = async (): Promise<boolean> => {
    while (rest.length === 0) {
      const { value, done } = await chunks.next();
      if (done === true) return false;
      rest = value;
    }
    return true;
  };
  const take = (length: number): Buffer => {
    const part = rest.subarray(0, length);
    rest = rest.subarray(part.length);
    return part;
  };
  const atMost = async (length: number): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for (let left = length; left > 0 && (await fill()); ) {
      const part = take(left);
      left -= part.length;
      parts.push(part);
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  };
  return {
    atMost,
    async exactly(length, what) {
      const bytes = await atMost(length);
      if (bytes.length < length) throw corrupt(`${what} is cut off`);
      return bytes;
    },
    async some(limit) {
      if (!(await fill())) throw corrupt('a member is cut off');
      return take(limit);
    },
  };
}

const corrupt = (what: string): ForgeError => new ForgeError('DEB_CORRUPT', `not a whole Debian package: ${what}`);
