import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as runtime from '../../dockerfiles/runtime.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import type { Image } from './image.ts';
import { uncompressed } from './layer.ts';
import * as reader from './reader.ts';
import * as staging from './staging.ts';

/** The folder of a context that has the layers. */
const LAYERS = 'layers';

const replaceable: staging.Replaceable = { commit: 'Dockerfile', blobs: LAYERS, ours };

/** What a Dockerfile must say to give this image: a pure function of it. */
export function describe(image: Image): runtime.Runtime {
  const { config = {}, history = [] } = image.config;
  const made = history.filter((entry) => entry.empty_layer !== true);
  const labels = config.Labels ?? {};
  const title = labels['org.opencontainers.image.title'];
  const version = labels['org.opencontainers.image.version'];
  return {
    about: [
      ...(title === undefined ? [] : [[title, version].filter((part) => part !== undefined).join(' ')]),
      'The layers below are those of the OCI image whose manifest is',
      image.digest,
    ],
    layers: image.layers.map((layer, position) => ({
      file: `${LAYERS}/${layerName(layer.diffId, position)}`,
      madeBy: made[position]?.created_by ?? layer.diffId,
    })),
    labels,
    env: (config.Env ?? []).map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
    }),
    ports: Object.keys(config.ExposedPorts ?? {}),
    volumes: Object.keys(config.Volumes ?? {}),
    user: config.User,
    workingDir: config.WorkingDir,
    stopSignal: config.StopSignal,
    entrypoint: config.Entrypoint,
    cmd: config.Cmd,
  };
}

/** The position for people, the digest so that a name never has two contents. */
const layerName = (diffId: digest.Digest, position: number): string =>
  `${position + 1}-${digest.hex(diffId).slice(0, 16)}.tar`;

/** The Dockerfile of an image. Throws `DOCKERFILE_UNSAYABLE` for a configuration that no Dockerfile can express. */
export function render(image: Image): string {
  try {
    return runtime.render(describe(image));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ForgeError('DOCKERFILE_UNSAYABLE', cause.message, {
      cause,
      hint: 'labels, variables and paths of the recipe must be one line',
    });
  }
}

/**
 * Writes a build context that says the same as the image: `Dockerfile`, `.dockerignore` and `layers/*.tar` (uncompressed
 * and verified). It is written beside `dir`; a context of an earlier run is replaced by the rename of its Dockerfile.
 * Throws `DOCKERFILE_UNSAYABLE`, `DIGEST_MISMATCH`, `DESTINATION_OCCUPIED`.
 */
export async function writeContext(image: Image, dir: string, options: { signal?: AbortSignal } = {}): Promise<void> {
  const text = render(image);
  await staging.replace(dir, replaceable, async (fresh) => {
    await mkdir(join(fresh, LAYERS));
    for (const [position, layer] of image.layers.entries()) {
      const file = join(fresh, LAYERS, layerName(layer.diffId, position));
      await pipeline(uncompressed(layer, options.signal), createWriteStream(file));
    }
    await writeFile(join(fresh, '.dockerignore'), runtime.IGNORE);
    await writeFile(join(fresh, 'Dockerfile'), text);
  });
}

/** Whether {@link writeContext} may write there. Throws `DESTINATION_OCCUPIED`. */
export async function check(dir: string): Promise<void> {
  await staging.check(dir, replaceable);
}

/** The layers of a context whose Dockerfile we made. */
async function ours(dir: string): Promise<string[] | undefined> {
  const source = reader.ofFolder(dir);
  if ((await source.size('Dockerfile')) === undefined) return undefined;
  const text = new TextDecoder().decode(await reader.document(source, 'Dockerfile'));
  // As `layerName` makes them.
  return text.startsWith(runtime.MARK) ? (text.match(/\b\d+-[0-9a-f]{16}\.tar\b/g) ?? []) : undefined;
}
