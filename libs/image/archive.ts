import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import * as image from './image.ts';
import type { Layer } from './layer.ts';
import { uncompressed } from './layer.ts';
import { LAYOUT } from './layout.ts';
import * as manifest from './manifest.ts';
import * as reader from './reader.ts';
import * as staging from './staging.ts';
import * as tar from './tar.ts';
import { blob, validate } from './validate.ts';

export interface WriteOptions {
  /** Names for the loaded image: `nginx-quic:1.26`, `example.org/nginx-quic:1.26`. */
  readonly tags?: readonly string[];
  /** The registry that names without one belong to, as Docker reads them. Needed only where there is such a name. */
  readonly registry?: string;
  readonly signal?: AbortSignal;
}

/** Where containerd, and so Docker with its image store, looks for the full name of an image in an index. */
const CONTAINERD_NAME = 'io.containerd.image.name';

/**
 * Writes an image as one uncompressed tar that is two things at once:
 *
 *     oci-layout  index.json   an OCI image layout (read by containerd, Docker with its image store, skopeo oci-archive:)
 *     manifest.json            docker-archive (read by every Docker from 20.10 on, podman, skopeo docker-archive:)
 *     blobs/sha256/<hex>       what both of them point at
 *
 * Docker 20.10 reads layers of docker-archive that are plain or gzip. So a zstd layer is there twice: compressed for the
 * layout, plain (named by its diffID) for `manifest.json`. The bytes depend only on the image and the tags. Written
 * beside `file`, validated, then moved there by one rename.
 * Throws `REFERENCE_INVALID`, `IMAGE_INVALID`, `DIGEST_MISMATCH`, `DESTINATION_OCCUPIED`.
 */
export async function write(built: image.Image, file: string, options: WriteOptions = {}): Promise<void> {
  const { tags = [], registry, signal } = options;
  const names = tags.map((tag) => fullName(tag, registry));
  const destination = resolve(file);
  await check(destination);
  await using stage = await staging.beside(destination);
  const fresh = join(stage.path, basename(destination));
  // Without fractions; an image without a time gets the time 0.
  const mtime = Math.trunc(Date.parse(built.config.created ?? '') / 1000) || 0;
  const output = createWriteStream(fresh);
  try {
    await pipeline(tar.pack(members(built, names, tags, signal), mtime, signal), output);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  await validate(await reader.ofArchive(fresh), signal);
  await check(destination);
  await rename(fresh, destination);
}

/** Whether {@link write} may write there: over nothing but a plain file. Throws `DESTINATION_OCCUPIED`. */
export async function check(file: string): Promise<void> {
  const found = await staging.what(resolve(file));
  if (found !== undefined && found !== 'a file') throw staging.occupied(file, 'no file, or one to replace', found);
}

function members(
  built: image.Image,
  names: readonly FullName[],
  tags: readonly string[],
  signal?: AbortSignal,
): tar.Member[] {
  const annotated = names.map(({ name, tag }) =>
    image.descriptor(built, { [CONTAINERD_NAME]: name, [manifest.keys.refName]: tag }),
  );
  const index = manifest.index(annotated.length > 0 ? annotated : [image.descriptor(built)]);
  const docker = [
    {
      Config: blob(built.manifest.config.digest),
      RepoTags: tags.length > 0 ? tags : null,
      Layers: built.layers.map((layer) => blob(forDocker(layer))),
    },
  ];
  const blobs = new Map<string, tar.Member>();
  const add = (value: digest.Digest, size: number, content: () => AsyncIterable<Uint8Array>): void => {
    blobs.set(blob(value), regular(blob(value), size, content));
  };
  add(built.digest, built.manifestBytes.length, () => once(built.manifestBytes));
  add(built.manifest.config.digest, built.configBytes.length, () => once(built.configBytes));
  for (const layer of built.layers) {
    add(layer.digest, layer.size, () => layer.open());
    if (layer.compression === 'zstd') add(layer.diffId, layer.rawSize, () => uncompressed(layer, signal));
  }
  return [
    small('oci-layout', Buffer.from(LAYOUT)),
    small('index.json', manifest.bytes(index)),
    small('manifest.json', manifest.bytes(docker)),
    folder('blobs'),
    folder('blobs/sha256'),
    ...[...blobs.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  ];
}

/** The digest of the bytes of a layer that `manifest.json` points at. */
const forDocker = (layer: Layer): digest.Digest => (layer.compression === 'zstd' ? layer.diffId : layer.digest);

const owner = { uid: 0, gid: 0 };

const regular = (name: string, size: number, content: () => AsyncIterable<Uint8Array>): tar.Member => ({
  ...owner,
  name,
  type: 'file',
  mode: 0o644,
  size,
  content,
});

const small = (name: string, bytes: Uint8Array): tar.Member => regular(name, bytes.length, () => once(bytes));

const folder = (name: string): tar.Member => ({ ...owner, name, type: 'directory', mode: 0o755, size: 0 });

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

interface FullName {
  /** With registry and tag. */
  readonly name: string;
  readonly tag: string;
}

const REFERENCE =
  /^(?:(?<host>(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9.-]+(?=:))(?::\d+)?)\/)?(?<path>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?<tag>[\w][\w.-]{0,127}))?$/i;

/**
 * The full name of an image, as Docker makes it from the short one: the registry, `library/` where there is no other
 * folder, and `latest` where there is no tag. Throws `REFERENCE_INVALID`.
 */
export function fullName(reference: string, registry?: string): FullName {
  const { host, path, tag = 'latest' } = REFERENCE.exec(reference)?.groups ?? {};
  if (path === undefined || path !== path.toLowerCase()) {
    throw new ForgeError('REFERENCE_INVALID', 'not the name of an image', { expected: 'name:tag', found: reference });
  }
  if (host !== undefined) return { name: `${host}/${path}:${tag}`, tag };
  if (registry === undefined) {
    throw new ForgeError('REFERENCE_INVALID', 'the name of the image has no registry', {
      expected: `REGISTRY/${reference}`,
      found: reference,
      hint: 'give the name with its registry',
    });
  }
  return { name: `${registry}/${path.includes('/') ? path : `library/${path}`}:${tag}`, tag };
}
