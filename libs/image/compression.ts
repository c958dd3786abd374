import type { Transform } from 'node:stream';
import { PassThrough } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { ForgeError } from '../core/errors.ts';

/** How a layer's tar is compressed. */
export type Compression = 'gzip' | 'zstd' | 'none';

/** The media types of the OCI image specification for a layer, by compression. */
export const mediaTypes: Readonly<Record<Compression, string>> = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  none: 'application/vnd.oci.image.layer.v1.tar',
};

/** The compression that a layer's media type names. Throws `IMAGE_INVALID`. */
export function ofMediaType(mediaType: string): Compression {
  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    if (mediaTypes[compression] === mediaType) return compression;
  }
  throw new ForgeError('IMAGE_INVALID', 'a layer has an unknown media type', {
    expected: Object.values(mediaTypes).join(', '),
    found: mediaType,
  });
}

/** Above zstd's level 19 a decoder needs a window larger than the 8 MiB that all decoders accept. */
const levels = { gzip: { lowest: 1, highest: 9, usual: 6 }, zstd: { lowest: 1, highest: 19, usual: 9 } };

/** Bytes that go to and come from the compressor at once. */
const CHUNK = 256 * 1024;

/**
 * A compressor whose output depends on nothing but its input, the level and the version of the library inside Node:
 * one thread, no time, no name. Throws `LAYER_INVALID` for a level that is not there.
 */
export function compressor(compression: Compression, level?: number): Transform {
  if (compression === 'none') return new PassThrough();
  const { lowest, highest, usual } = levels[compression];
  const chosen = level ?? usual;
  if (!Number.isInteger(chosen) || chosen < lowest || chosen > highest) {
    throw new ForgeError('LAYER_INVALID', `${compression} has no such level`, {
      expected: `${lowest} to ${highest}`,
      found: String(chosen),
    });
  }
  return compression === 'gzip'
    ? createGzip({ level: chosen, chunkSize: CHUNK })
    : createZstdCompress({
        chunkSize: CHUNK,
        params: { [constants.ZSTD_c_compressionLevel]: chosen, [constants.ZSTD_c_checksumFlag]: 1 },
      });
}

/** The way back. */
export const decompressor = (compression: Compression): Transform =>
  compression === 'none'
    ? new PassThrough()
    : compression === 'gzip'
      ? createGunzip({ chunkSize: CHUNK })
      : createZstdDecompress({ chunkSize: CHUNK });

/**
 * Sets the one byte of a gzip header (RFC 1952) that zlib takes from the operating system it was compiled for:
 *
 *     1f 8b | 08 | flags 00 | mtime 00 00 00 00 | level | OS -> ff, unknown
 */
export async function* withoutSystem(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const OS = 9;
  let passed = 0;
  for await (const chunk of chunks) {
    if (passed <= OS && OS < passed + chunk.length) chunk[OS - passed] = 0xff;
    passed += chunk.length;
    yield chunk;
  }
}

/**
 * The same bytes in blocks of one size. The compressors see the same calls however the bytes came, and few of them: a
 * tar stream is full of chunks of 512 bytes.
 */
export async function* blocks(chunks: AsyncIterable<Uint8Array>, size = CHUNK): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) {
      const part = chunk.subarray(offset, offset + size - filled);
      block.set(part, filled);
      filled += part.length;
      offset += part.length;
      if (filled === size) {
        yield block;
        // The block before may still be read by the compressor's thread.
        block = Buffer.allocUnsafe(size);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
