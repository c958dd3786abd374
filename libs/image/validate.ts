import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import { ofMediaType } from './compression.ts';
import type { ImageConfig } from './config.ts';
import * as layer from './layer.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import * as meter from './meter.ts';
import * as reader from './reader.ts';
import * as schema from './schema.ts';

/** One image of a layout, as it was read and verified. */
export interface Checked {
  /** As the index has it. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  /** In the manifest's order. */
  readonly layers: readonly layer.Layer[];
}

/** Where a layout keeps a blob. */
export const blob = (value: Digest): string => `blobs/sha256/${digest.hex(value)}`;

/**
 * Reads an image layout (a folder, or an archive of one) back, every byte of it, and checks it against the OCI image
 * specification 1.1: the size and digest of every descriptor, every diffID by decompressing, media types, and that the
 * configuration and the manifest speak of the same layers. An archive's `manifest.json` must name the same image.
 * Throws `IMAGE_INVALID` or `DIGEST_MISMATCH`, saying which blob, what was expected and what was found.
 */
export async function validate(image: string | reader.Reader, signal?: AbortSignal): Promise<void> {
  await inspect(image, signal);
}

/** The same, and what was read. */
export async function inspect(image: string | reader.Reader, signal?: AbortSignal): Promise<readonly Checked[]> {
  const source = typeof image === 'string' ? await reader.open(image) : image;
  schema.parse(schema.layout, await reader.document(source, 'oci-layout'), 'oci-layout');
  const index = schema.parse(schema.index, await reader.document(source, 'index.json'), 'index.json');
  // A blob that several images share is read once.
  const layers = new Map<string, layer.Layer>();
  const images: Checked[] = [];
  for (const descriptor of index.manifests) images.push(await checkImage(source, descriptor, layers, signal));
  if ((await source.size('manifest.json')) !== undefined) await checkDocker(source, images, signal);
  return images;
}

async function checkImage(
  source: reader.Reader,
  descriptor: Descriptor,
  known: Map<string, layer.Layer>,
  signal?: AbortSignal,
): Promise<Checked> {
  const manifestBytes = await documentBlob(source, descriptor, 'manifest');
  const manifest = schema.parse(schema.manifest, manifestBytes, `manifest ${descriptor.digest}`);
  const configBytes = await documentBlob(source, manifest.config, 'config');
  const config = schema.parse(schema.config, configBytes, `config ${manifest.config.digest}`);
  checkConfig(config, manifest, descriptor);
  const layers: layer.Layer[] = [];
  for (const [position, item] of manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[position];
    const key = `${item.digest} ${item.size} ${item.mediaType} ${diffId}`;
    const checked = known.get(key) ?? (await checkLayer(source, item, diffId, signal));
    known.set(key, checked);
    layers.push(checked);
  }
  return { descriptor, manifest, manifestBytes, config, configBytes, layers };
}

/** What the configuration says must fit to the manifest and to the descriptor that points at it. */
function checkConfig(config: ImageConfig, manifest: Manifest, descriptor: Descriptor): void {
  const what = `config ${manifest.config.digest}`;
  const same = (message: string, expected: string | number, found: string | number): void => {
    if (expected === found) return;
    throw new ForgeError('IMAGE_INVALID', `${what}: ${message}`, {
      expected: String(expected),
      found: String(found),
    });
  };
  same('one diff_id for each layer of the manifest', manifest.layers.length, config.rootfs.diff_ids.length);
  if (config.history !== undefined) {
    const entries = config.history.filter((entry) => entry.empty_layer !== true).length;
    same('one history entry for each layer that is not empty', manifest.layers.length, entries);
  }
  if (descriptor.platform !== undefined) {
    const { os, architecture } = descriptor.platform;
    same('the platform of the index', `${os}/${architecture}`, `${config.os}/${config.architecture}`);
  }
}

async function checkLayer(
  source: reader.Reader,
  descriptor: Descriptor,
  diffId: Digest | undefined,
  signal?: AbortSignal,
): Promise<layer.Layer> {
  const path = blob(descriptor.digest);
  const compression = ofMediaType(descriptor.mediaType);
  await expectSize(source, descriptor, 'layer');
  meter.expect(`layer ${descriptor.digest}`, descriptor, await meter.drain(source.open(path), signal));
  let raw: meter.Measure;
  try {
    raw = await meter.drain(layer.decompress(source.open(path), compression), signal);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ForgeError('IMAGE_INVALID', `layer ${descriptor.digest} is not ${compression}`, { cause });
  }
  meter.expect(`the uncompressed layer ${descriptor.digest}`, { digest: diffId }, raw);
  const facts = { ...descriptor, diffId: raw.digest, rawSize: raw.size, compression };
  const file = source.file(path);
  return file === undefined ? layer.of(facts, () => source.open(path)) : layer.ofFile(file, facts);
}

/** A manifest or a configuration, verified. */
async function documentBlob(source: reader.Reader, descriptor: Descriptor, what: string): Promise<Uint8Array> {
  await expectSize(source, descriptor, what);
  const bytes = await reader.document(source, blob(descriptor.digest));
  meter.expect(`${what} ${descriptor.digest}`, descriptor, { size: bytes.length, digest: digest.of(bytes) });
  return bytes;
}

async function expectSize(source: reader.Reader, descriptor: Descriptor, what: string): Promise<void> {
  const size = await source.size(blob(descriptor.digest));
  if (size === descriptor.size) return;
  throw new ForgeError('IMAGE_INVALID', `${what} ${descriptor.digest} is not whole`, {
    expected: `${descriptor.size} bytes`,
    found: size === undefined ? 'no such blob' : `${size} bytes`,
  });
}

/** `docker load` reads only `manifest.json`: it must lead to the same configuration and the same uncompressed layers. */
async function checkDocker(source: reader.Reader, images: readonly Checked[], signal?: AbortSignal): Promise<void> {
  const what = 'manifest.json';
  for (const item of schema.parse(schema.dockerArchive, await reader.document(source, what), what)) {
    const image = images.find(({ manifest }) => blob(manifest.config.digest) === item.Config);
    if (image === undefined || image.layers.length !== item.Layers.length) {
      throw new ForgeError('IMAGE_INVALID', `${what} names another image than index.json`, {
        expected: images.map(({ manifest }) => blob(manifest.config.digest)).join(', '),
        found: `${item.Config} with ${item.Layers.length} layers`,
      });
    }
    for (const [position, path] of item.Layers.entries()) {
      const checked = image.layers[position];
      if (checked === undefined || path === blob(checked.digest)) continue;
      if (path !== blob(checked.diffId) || (await source.size(path)) === undefined) {
        throw new ForgeError('IMAGE_INVALID', `${what} names another layer than the manifest`, {
          expected: `${blob(checked.digest)} or ${blob(checked.diffId)}`,
          found: path,
        });
      }
      const expected = { digest: checked.diffId, size: checked.rawSize };
      meter.expect(`layer ${checked.diffId}`, expected, await meter.drain(source.open(path), signal));
    }
  }
}
