import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar-stream';
import { extractTar } from '../archive/extract.ts';
import { ForgeError } from '../core/errors.ts';
import type { Image } from './image.ts';
import { type Layer, uncompressed } from './layer.ts';
import * as whiteout from './whiteout.ts';

export interface Options {
  /** Sets the numeric owners and set-id bits of the image. Needs root. */
  readonly preserveOwner?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks an image: its layers over each other, from the lowest, with whiteouts, into a folder that is made, or empty.
 * Every layer is verified as it is read. A failure leaves the folder empty.
 * Throws `DIGEST_MISMATCH`, `IMAGE_INVALID`, `DESTINATION_OCCUPIED`, or what `extractTar` throws for a layer.
 */
export async function unpack(image: Pick<Image, 'layers'>, dir: string, options: Options = {}): Promise<void> {
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0) {
    throw new ForgeError('DESTINATION_OCCUPIED', `${dir} is not empty`, { expected: 'an empty folder' });
  }
  const { signal, ...extraction } = options;
  try {
    for (const [position, layer] of image.layers.entries()) {
      // Below the lowest layer there is nothing to hide or to replace.
      if (position > 0) await prepare(layer, dir, signal);
      const content = Readable.from(uncompressed(layer, signal), { objectMode: false });
      await extractTar(content, dir, {
        ...extraction,
        ...(signal && { signal }),
        filter: (path) => whiteout.parse(path) === undefined,
      });
    }
  } catch (error) {
    for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true, force: true });
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Takes away what a layer hides or replaces, before anything of it is unpacked: a whiteout is for the layers below only,
 * wherever in the layer it stands.
 */
async function prepare(layer: Layer, dir: string, signal?: AbortSignal): Promise<void> {
  const members = tar.extract();
  const feeding = pipeline(Readable.from(uncompressed(layer, signal), { objectMode: false }), members);
  // The loop below ends with the same error.
  feeding.catch(() => undefined);
  for await (const member of members) {
    const path = join('/', member.header.name).replace(/(?<=.)\/$/, '');
    const effect = whiteout.parse(path);
    if (effect !== undefined) await whiteout.apply(effect, dir);
    else if (path !== '/') await whiteout.makeRoom(path, member.header.type === 'directory', dir);
    member.resume();
  }
  await feeding;
}
