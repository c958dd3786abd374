import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import xz from 'xz-decompress';
import { ForgeError, hasCode } from '../core/errors.ts';
import type { Xz } from './xz.ts';

export interface DecompressOptions {
  /** Decodes xz instead of the WebAssembly, which takes twice the time, decodes one stream at a time, and blocks this thread. */
  readonly xz?: Xz;
}

interface Format {
  readonly name: string;
  /** The first bytes of every file of this format. */
  readonly magic: readonly number[];
  /** The uncompressed bytes; an error of the source becomes one of the result. */
  readonly unpack: (packed: Readable) => Readable;
  /** How its decoder says that the input ended too early. */
  readonly endsEarly: RegExp;
}

/** Bytes that come out of a decompressor at once: few and large chunks cost less than many small ones. */
const chunkSize = 256 * 1024;

const through =
  (create: () => NodeJS.ReadWriteStream) =>
  (packed: Readable): Readable =>
    // The callback only takes the error, which also ends the result and so whoever reads it.
    pipeline(packed, create(), () => undefined) as unknown as Readable;

const FORMATS: readonly Format[] = [
  // RFC 1952, with the one compression method there is.
  {
    name: 'gzip',
    magic: [0x1f, 0x8b, 0x08],
    unpack: through(() => createGunzip({ chunkSize })),
    endsEarly: /^Z_BUF_ERROR/,
  },
  // The .xz file format, decoded by XZ Embedded as WebAssembly: it needs no compiler and no library of the machine's.
  {
    name: 'xz',
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
    unpack: (packed) => Readable.fromWeb(new xz.XzReadableStream(Readable.toWeb(packed) as never) as never),
    // XZ_BUF_ERROR, or the program's words.
    endsEarly: /error code 8$|Unexpected end of input$/,
  },
  // RFC 8878.
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    unpack: through(() => createZstdDecompress({ chunkSize })),
    endsEarly: /unexpected end|srcSize_wrong|Z_BUF_ERROR/i,
  },
];

const LONGEST = Math.max(...FORMATS.map(({ magic }) => magic.length));

/**
 * The uncompressed bytes of a gzip, xz or zstd stream, recognised by its first bytes, not by a name; any other stream is
 * given as it is. Data that does not decompress ends the result with `ARCHIVE_CORRUPT`, data that ends too early with
 * `ARCHIVE_TRUNCATED`; an error of the source ends it as it is. Giving the result up closes the source.
 */
export async function decompress(source: Readable, options: DecompressOptions = {}): Promise<Readable> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let head: Uint8Array = Buffer.alloc(0);
  while (head.length < LONGEST) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  const failure: { source?: unknown } = {};
  const whole = Readable.from(again(head, chunks, failure), { objectMode: false });
  const found = FORMATS.find(({ magic }) => magic.every((byte, index) => head[index] === byte));
  if (found === undefined) return whole;
  const format = found.name === 'xz' && options.xz !== undefined ? { ...found, unpack: options.xz } : found;
  return Readable.from(unpacked(source, whole, format, failure), { objectMode: false });
}

/** The head and what follows; an error of the source is noted, to tell it from one of the decoder. */
async function* again(
  head: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
  failure: { source?: unknown },
): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (;;) {
      const { value, done } = await chunks.next();
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    failure.source = error;
    throw error;
  } finally {
    await chunks.return?.();
  }
}

async function* unpacked(
  source: Readable,
  packed: Readable,
  format: Format,
  failure: { source?: unknown },
): AsyncGenerator<Uint8Array> {
  try {
    yield* format.unpack(packed);
  } catch (error) {
    throw 'source' in failure ? failure.source : explain(error, format);
  } finally {
    packed.destroy();
    // That alone would wait for what the source gives next.
    source.destroy();
  }
}

function explain(cause: unknown, { name, endsEarly }: Format): unknown {
  // The data are not to blame.
  if (cause instanceof ForgeError || hasCode(cause, 'ABORT_ERR')) return cause;
  const { code = '', message = String(cause) } = cause as NodeJS.ErrnoException;
  return endsEarly.test(`${code} ${message}`.trim())
    ? new ForgeError('ARCHIVE_TRUNCATED', `the ${name} data ends too early`, { cause })
    : new ForgeError('ARCHIVE_CORRUPT', `the ${name} data cannot be decompressed: ${message}`, { cause });
}
