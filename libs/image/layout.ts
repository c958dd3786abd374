import { constants, createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ForgeError, hasCode } from '../core/errors.ts';
import * as platform from '../core/platform.ts';
import * as image from './image.ts';
import type { Layer } from './layer.ts';
import * as manifest from './manifest.ts';
import * as reader from './reader.ts';
import * as schema from './schema.ts';
import * as staging from './staging.ts';
import * as validate from './validate.ts';

/** What `oci-layout` says. */
export const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** The annotation by which we know an image that we wrote into a layout. A tool that puts in its own does not copy it. */
const MARK = 'org.h3forge.layout';

const replaceable: staging.Replaceable = { commit: 'index.json', blobs: join('blobs', 'sha256'), ours };

export interface WriteOptions {
  /** The image's name in the layout (`org.opencontainers.image.ref.name`), mostly a tag: `1.26`. */
  readonly ref?: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes an image as an OCI image layout (OCI image specification 1.1, "Image Layout"), which other tools read as
 * `oci:DIR:REF`. It is written and validated beside `dir`; a layout of ours that lies there is replaced by the rename of
 * its index. Layers are hard links where the file system allows it.
 * Throws `IMAGE_INVALID`, `DIGEST_MISMATCH` (a layer was changed since it was made) or `DESTINATION_OCCUPIED`.
 */
export async function write(built: image.Image, dir: string, options: WriteOptions = {}): Promise<void> {
  const annotations: manifest.Annotations = {
    [MARK]: '1',
    ...(options.ref !== undefined && { [manifest.keys.refName]: options.ref }),
  };
  const index = manifest.index([image.descriptor(built, annotations)]);
  await staging.replace(dir, replaceable, async (fresh) => {
    await mkdir(join(fresh, 'blobs', 'sha256'), { recursive: true });
    await writeFile(join(fresh, 'oci-layout'), LAYOUT);
    await writeFile(join(fresh, validate.blob(built.manifest.config.digest)), built.configBytes);
    await writeFile(join(fresh, validate.blob(built.digest)), built.manifestBytes);
    for (const layer of built.layers) await place(layer, join(fresh, validate.blob(layer.digest)), options.signal);
    await writeFile(join(fresh, 'index.json'), manifest.bytes(index));
    await validate.validate(reader.ofFolder(fresh), options.signal);
  });
}

/** Whether {@link write} may write there. Throws `DESTINATION_OCCUPIED`. */
export async function check(dir: string): Promise<void> {
  await staging.check(dir, replaceable);
}

/** The blobs of a layout whose images are all ours: one that another tool added to is a layout of somebody else. */
async function ours(dir: string): Promise<string[] | undefined> {
  const source = reader.ofFolder(dir);
  const index = await invalidIsNone(async () =>
    schema.parse(schema.index, await reader.document(source, 'index.json'), 'index.json'),
  );
  if (index === undefined || index.manifests.some(({ annotations }) => annotations?.[MARK] === undefined)) return;
  const blobs = index.manifests.map(async ({ digest }) => {
    const path = validate.blob(digest);
    // One that was damaged names nothing.
    const found = await invalidIsNone(async () =>
      schema.parse(schema.manifest, await reader.document(source, path), path),
    );
    const named = found === undefined ? [] : [found.config, ...found.layers];
    return [path, ...named.map((descriptor) => validate.blob(descriptor.digest))].map((name) => basename(name));
  });
  return (await Promise.all(blobs)).flat();
}

const invalidIsNone = <T>(read: () => Promise<T>): Promise<T | undefined> =>
  read().catch((error: unknown) => {
    if (error instanceof ForgeError && error.code === 'IMAGE_INVALID') return undefined;
    throw error;
  });

/** Hard link, else copy. */
async function place(layer: Layer, path: string, signal?: AbortSignal): Promise<void> {
  if (layer.file === undefined) {
    await pipeline(layer.open(), createWriteStream(path), { ...(signal && { signal }) });
    return;
  }
  try {
    await link(layer.file, path);
  } catch (error) {
    // The same layer twice in one image.
    if (hasCode(error, 'EEXIST')) return;
    // Another file system, one without hard links, or the kernel forbids them for files of other users.
    if (!hasCode(error, 'EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS')) throw error;
    await copyFile(layer.file, path, constants.COPYFILE_FICLONE);
  }
}

/**
 * Reads an image of a layout folder (or an archive of one), and verifies every byte of it first. `ref` chooses among
 * several. Throws `IMAGE_INVALID`, `DIGEST_MISMATCH`, `IMAGE_UNKNOWN` (no such ref, or several images and no ref).
 */
export async function read(path: string, options: WriteOptions = {}): Promise<image.Image> {
  const images = await validate.inspect(path, options.signal);
  const name = ({ descriptor }: validate.Checked): string => descriptor.annotations?.[manifest.keys.refName] ?? '';
  const matching = images.filter((found) => options.ref === undefined || name(found) === options.ref);
  const [found] = matching;
  if (found === undefined || new Set(matching.map(({ descriptor }) => descriptor.digest)).size > 1) {
    throw new ForgeError('IMAGE_UNKNOWN', `${path} has ${found === undefined ? 'no such image' : 'several images'}`, {
      expected: images.map(name).join(', '),
      found: options.ref ?? 'no name given',
    });
  }
  const { config, configBytes, manifestBytes, layers } = found;
  return image.freeze({
    platform: platform.parse(`${config.os}/${config.architecture}`),
    config,
    configBytes,
    manifest: found.manifest,
    manifestBytes,
    layers,
  });
}
