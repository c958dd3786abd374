import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import type { Image } from '../../libs/image/image.ts';
import * as layout from '../../libs/image/layout.ts';
import { blob, validate } from '../../libs/image/validate.ts';
import { build, flip, folder } from './support.ts';

/** A layout of its own (no hard links), to be damaged. */
async function written(
  dir: string,
  compression: 'gzip' | 'zstd' | 'none' = 'gzip',
): Promise<{ image: Image; dir: string }> {
  const image = await build(join(dir, 'store'), compression);
  await layout.write(image, join(dir, 'first'));
  await cp(join(dir, 'first'), join(dir, 'image'), { recursive: true });
  return { image, dir: join(dir, 'image') };
}

type Json = Record<string, unknown>;

/** Changes the configuration, and all that points at it, so that every digest is right again. */
async function rewrite(image: Image, dir: string, change: (config: Json, manifest: Json) => void): Promise<void> {
  const config = JSON.parse(Buffer.from(image.configBytes).toString()) as Json;
  const manifest = JSON.parse(Buffer.from(image.manifestBytes).toString()) as Json & { config: Json };
  const index = JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as { manifests: Json[] };
  change(config, manifest);
  const place = async (value: Json, pointer: Json): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(value));
    await writeFile(join(dir, blob(digest.of(bytes))), bytes);
    Object.assign(pointer, { digest: digest.of(bytes), size: bytes.length });
  };
  await place(config, manifest.config);
  await place(manifest, index.manifests[0] ?? {});
  await writeFile(join(dir, 'index.json'), JSON.stringify(index));
}

test.each(['gzip', 'zstd', 'none'] as const)('accepts a good image: %s', async (compression) => {
  await using temp = await folder();
  await validate((await written(temp.path, compression)).dir);
});

describe('names the blob', () => {
  test.each([
    ['layer', (image: Image) => image.layers[0]?.digest ?? image.digest, 100],
    ['config', (image: Image) => image.manifest.config.digest, 60],
    ['manifest', (image: Image) => image.digest, 60],
  ] as const)('of which a byte was changed: %s', async (what, which, position) => {
    await using temp = await folder();
    const { image, dir } = await written(temp.path);
    const damaged = which(image);
    await flip(join(dir, blob(damaged)), position);
    await expect(validate(dir)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringContaining(`${what} ${damaged}`),
      expected: expect.stringContaining(damaged),
      found: expect.stringMatching(/^sha256:/),
    });
  });

  test('that was cut, or is not there', async () => {
    await using temp = await folder();
    const { image, dir } = await written(temp.path);
    const [layer] = image.manifest.layers;
    const path = join(dir, blob(layer?.digest ?? image.digest));
    await truncate(path, 10);
    const error = { code: 'IMAGE_INVALID', expected: `${layer?.size} bytes`, found: '10 bytes' };
    await expect(validate(dir)).rejects.toMatchObject(error);
    await rm(path);
    await expect(validate(dir)).rejects.toMatchObject({ ...error, found: 'no such blob' });
  });
});

describe('finds a configuration that does not fit', () => {
  const none = digest.of('none');
  test.each<[string, string, (config: Json, manifest: Json) => void]>([
    [
      'another diffID',
      'DIGEST_MISMATCH',
      (config) => {
        config.rootfs = { type: 'layers', diff_ids: [none, none] };
      },
    ],
    [
      'a diffID too few',
      'IMAGE_INVALID',
      (config) => {
        config.rootfs = { type: 'layers', diff_ids: [none] };
      },
    ],
    [
      'too little history',
      'IMAGE_INVALID',
      (config) => {
        config.history = [{ created_by: 'x' }, { created_by: 'y', empty_layer: true }];
      },
    ],
    [
      'another platform',
      'IMAGE_INVALID',
      (config) => {
        config.architecture = 'arm64';
      },
    ],
    [
      'no root file system',
      'IMAGE_INVALID',
      (config) => {
        delete config.rootfs;
      },
    ],
    [
      'a layer of an unknown type',
      'IMAGE_INVALID',
      (_config, manifest) => {
        manifest.layers = (manifest.layers as Json[]).map((layer) => ({ ...layer, mediaType: 'text/plain' }));
      },
    ],
    [
      'a layer that is not what its type says',
      'IMAGE_INVALID',
      (_config, manifest) => {
        const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd';
        manifest.layers = (manifest.layers as Json[]).map((layer) => ({ ...layer, mediaType }));
      },
    ],
    [
      'another schema',
      'IMAGE_INVALID',
      (_config, manifest) => {
        manifest.schemaVersion = 1;
      },
    ],
  ])('%s', async (_name, code, change) => {
    await using temp = await folder();
    const { image, dir } = await written(temp.path);
    await rewrite(image, dir, change);
    await expect(validate(dir)).rejects.toMatchObject({ code });
  });

  test('but takes fields that it does not know, and null for an empty list', async () => {
    await using temp = await folder();
    const { image, dir } = await written(temp.path);
    await rewrite(image, dir, (config, manifest) => {
      config.config = { Entrypoint: null, Healthcheck: { Test: ['NONE'] } };
      manifest.artifactType = 'application/vnd.example';
    });
    await validate(dir);
  });
});

test.each([
  ['oci-layout', '{"imageLayoutVersion":"2.0.0"}'],
  ['oci-layout', 'not JSON'],
  ['index.json', '{"schemaVersion":2,"manifests":[]}'],
  ['index.json', '{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:0","size":1}]}'],
])('a wrong %s', async (name, text) => {
  await using temp = await folder();
  const { dir } = await written(temp.path);
  await writeFile(join(dir, name), text);
  await expect(validate(dir)).rejects.toMatchObject({ code: 'IMAGE_INVALID', message: expect.stringContaining(name) });
  await rm(join(dir, name));
  await expect(validate(dir)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});
