import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline as connect, type Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import type { Entry } from '../core/entry.ts';
import { blocks, type Compression, compressor, decompressor, mediaTypes, withoutSystem } from './compression.ts';
import * as members from './members.ts';
import * as meter from './meter.ts';
import * as tar from './tar.ts';

/** One layer of an image: a tar archive, mostly compressed, that lies on this machine. */
export interface Layer {
  /** As the OCI image specification names it. */
  readonly mediaType: string;
  /** Of the bytes as they lie and travel. */
  readonly digest: Digest;
  /** Of the uncompressed tar. The same on every machine, which a compressed digest need not be. */
  readonly diffId: Digest;
  /** Bytes as they lie and travel. */
  readonly size: number;
  /** Bytes of the uncompressed tar. */
  readonly rawSize: number;
  readonly compression: Compression;
  /** Where the bytes lie, for a hard link instead of a copy; undefined where they are part of another file. */
  readonly file?: string;
  /** The bytes as they lie. */
  open(): Readable;
}

export interface WriteOptions {
  /** The folder for the blob; made where it is not there. */
  readonly dir: string;
  readonly compression: Compression;
  /** gzip 1 to 9 (6), zstd 1 to 19 (9). */
  readonly level?: number;
  /** The time of every entry, in seconds since 1970 (SOURCE_DATE_EPOCH). */
  readonly mtime: number;
  readonly signal?: AbortSignal;
}

/**
 * Writes entries, in their order, as a layer (OCI image specification, "Image Layer Filesystem Changeset") to
 * `<dir>/<hex of its digest>`. Everything about it is computed in the one pass that writes it; until then the file has a
 * temporary name, and it is removed when anything fails. The bytes depend only on the entries, the time, the compression
 * and its level, and for `digest` on the version of the compressor inside Node.
 * Throws `LAYER_INVALID`, `LAYER_FILE_MISSING`, `LAYER_FILE_CHANGED`, or the signal's reason.
 */
export async function write(entries: readonly Entry[], options: WriteOptions): Promise<Layer> {
  const { dir, compression, mtime, signal } = options;
  members.check(entries);
  const squeeze = compressor(compression, options.level);
  const raw = meter.create();
  const packed = meter.create();
  await mkdir(dir, { recursive: true });
  const temporary = join(dir, `.${randomUUID()}.tmp`);
  try {
    const [written, filled] = await Promise.allSettled([
      pipeline(
        squeeze,
        (chunks: AsyncIterable<Uint8Array>) =>
          meter.through(packed, compression === 'gzip' ? withoutSystem(chunks) : chunks),
        createWriteStream(temporary, { flags: 'wx' }),
      ),
      fill(squeeze, tar.pack(members.of(entries), mtime, signal), raw),
    ]);
    // Where the input failed, the output failed of it, with the same error.
    if (written.status === 'rejected') throw written.reason;
    if (filled.status === 'rejected') throw filled.reason;
    const { digest: diffId, size: rawSize } = raw.measure();
    const measure = packed.measure();
    const file = join(dir, digest.hex(measure.digest));
    await rename(temporary, file);
    return ofFile(file, { ...measure, diffId, rawSize, compression });
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Writes block after block, each when the one before has been taken: so the last one is never joined with the end of the
 * stream, which by chance of timing would give other (equally good) compressed bytes.
 */
async function fill(sink: Transform, chunks: AsyncIterable<Uint8Array>, raw: meter.Meter): Promise<void> {
  try {
    for await (const block of blocks(chunks)) {
      const { promise: taken, resolve, reject } = Promise.withResolvers<void>();
      sink.write(block, (error) => (error ? reject(error) : resolve()));
      // While the compressor's thread has the block.
      raw.update(block);
      await taken;
    }
    sink.end();
  } catch (error) {
    sink.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** What is known of a layer beside its bytes. */
export type Facts = Pick<Layer, 'digest' | 'diffId' | 'size' | 'rawSize' | 'compression'>;

/** A layer whose bytes are a whole file. */
export const ofFile = (file: string, facts: Facts): Layer => ({
  ...of(facts, () => createReadStream(file, { highWaterMark: 256 * 1024 })),
  file,
});

/** A layer whose bytes come from elsewhere. */
export const of = (facts: Facts, open: () => Readable): Layer => ({
  mediaType: mediaTypes[facts.compression],
  digest: facts.digest,
  diffId: facts.diffId,
  size: facts.size,
  rawSize: facts.rawSize,
  compression: facts.compression,
  open,
});

/** The bytes of a tar from those of a layer. Nothing is checked, but damaged compressed data is an error of zlib's. */
export const decompress = (source: Readable, compression: Compression): Readable =>
  // The error also destroys the last stream, and so reaches whoever reads it.
  connect(source, decompressor(compression), () => undefined);

/**
 * The uncompressed tar of a layer, verified: the compressed bytes before anything is given, the diffID as it passes.
 * Throws `DIGEST_MISMATCH` or `IMAGE_INVALID`, the former at the very end where only the diffID is wrong.
 */
export async function* uncompressed(layer: Layer, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  meter.expect(`layer ${layer.digest}`, layer, await meter.drain(layer.open(), signal));
  const raw = meter.create();
  for await (const chunk of decompress(layer.open(), layer.compression)) {
    signal?.throwIfAborted();
    raw.update(chunk);
    yield chunk;
  }
  const expected = { digest: layer.diffId, size: layer.rawSize };
  meter.expect(`the uncompressed layer ${layer.digest}`, expected, raw.measure());
}
