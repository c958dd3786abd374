import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as archive from '../../libs/image/archive.ts';
import * as layout from '../../libs/image/layout.ts';
import { blob, validate } from '../../libs/image/validate.ts';
import { rejection } from '../support/errors.ts';
import { build, flip, folder, hasProgram, tree } from './support.ts';

const registry = 'registry.example.org';
const tags = ['nginx-quic:1.26', 'example.org:5000/web/nginx-quic:latest'];

describe.skipIf(!hasProgram('tar'))('write, read by GNU tar', () => {
  test.each(['gzip', 'zstd', 'none'] as const)('%s: docker-archive and OCI layout in one', async (compression) => {
    await using temp = await folder();
    const image = await build(join(temp.path, 'store'), compression);
    const path = join(temp.path, 'image.tar');
    await archive.write(image, path, { tags, registry });
    const out = join(temp.path, 'out');
    execFileSync('sh', ['-c', 'mkdir "$1" && tar -C "$1" -xf "$2"', 'sh', out, path]);
    const found = await tree(out);

    const forDocker = image.layers.map(({ digest, diffId }) => blob(compression === 'zstd' ? diffId : digest));
    expect(JSON.parse(found.get('manifest.json') ?? '')).toEqual([
      { Config: blob(image.manifest.config.digest), RepoTags: tags, Layers: forDocker },
    ]);
    const { manifests } = JSON.parse(found.get('index.json') ?? '') as { manifests: { annotations: unknown }[] };
    expect(manifests.map(({ annotations }) => annotations)).toEqual([
      {
        'io.containerd.image.name': `${registry}/library/nginx-quic:1.26`,
        'org.opencontainers.image.ref.name': '1.26',
      },
      {
        'io.containerd.image.name': 'example.org:5000/web/nginx-quic:latest',
        'org.opencontainers.image.ref.name': 'latest',
      },
    ]);
    const named = [image.digest, image.manifest.config.digest, ...image.layers.map(({ digest }) => digest)].map(blob);
    expect([...found.keys()].filter((name) => name.startsWith('blobs/sha256/'))).toEqual(
      [...new Set([...named, ...forDocker])].sort(),
    );
    // The folder that tar gave is a layout like any other, and so is the archive as it lies.
    await validate(out);
    expect((await layout.read(path, { ref: '1.26' })).digest).toBe(image.digest);
    expect((await layout.read(out)).digest).toBe(image.digest);
    // docker load reads plain tar and gzip.
    for (const name of forDocker) {
      const bytes = Buffer.from(found.get(name) ?? '', 'latin1');
      expect(bytes.subarray(0, 2).toString('hex') === '1f8b' || bytes.subarray(257, 262).toString() === 'ustar').toBe(
        true,
      );
    }
  });
});

test('the same image gives the same bytes', async () => {
  await using temp = await folder();
  for (const name of ['a', 'b']) {
    await archive.write(await build(join(temp.path, `store-${name}`)), join(temp.path, name), { tags, registry });
  }
  expect(await readFile(join(temp.path, 'a'))).toEqual(await readFile(join(temp.path, 'b')));
});

test('without a name it is an archive too', async () => {
  await using temp = await folder();
  const image = await build(join(temp.path, 'store'));
  await archive.write(image, join(temp.path, 'image.tar'));
  expect((await layout.read(join(temp.path, 'image.tar'))).digest).toBe(image.digest);
});

test('an archive that was read is written again, byte for byte', async () => {
  await using temp = await folder();
  await archive.write(await build(join(temp.path, 'store'), 'zstd'), join(temp.path, 'a.tar'));
  await archive.write(await layout.read(join(temp.path, 'a.tar')), join(temp.path, 'b.tar'));
  await layout.write(await layout.read(join(temp.path, 'a.tar')), join(temp.path, 'layout'));
  expect(await readFile(join(temp.path, 'a.tar'))).toEqual(await readFile(join(temp.path, 'b.tar')));
});

test('a failure leaves the old file and nothing else', async () => {
  await using temp = await folder();
  const path = join(temp.path, 'image.tar');
  await writeFile(path, 'old');
  const image = await build(join(temp.path, 'store'), 'zstd');
  await flip(image.layers[0]?.file ?? '', 50);
  await expect(archive.write(image, path)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(archive.write(image, path, { signal })).rejects.toThrow('stopped');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect((await readdir(temp.path)).sort()).toEqual(['image.tar', 'store']);
});

test.each<[string, (path: string) => unknown]>([
  ['a folder', (path) => mkdir(path)],
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ['a link to a file', (path) => symlink('store', path)],
  ['a link to nothing', (path) => symlink('nowhere', path)],
])('%s is not replaced', async (_name, make) => {
  await using temp = await folder();
  const image = await build(join(temp.path, 'store'));
  const path = join(temp.path, 'image.tar');
  await make(path);
  const before = await lstat(path);
  expect(await rejection(archive.write(image, path))).toMatchObject({
    code: 'DESTINATION_OCCUPIED',
    hint: expect.stringContaining('another place'),
  });
  expect((await lstat(path)).ino).toBe(before.ino);
  expect((await readdir(temp.path)).sort()).toEqual(['image.tar', 'store']);
});

test('damage is found', async () => {
  await using temp = await folder();
  const path = join(temp.path, 'image.tar');
  const image = await build(join(temp.path, 'store'));
  const damaged = async (change: (bytes: Buffer) => void, code: string): Promise<void> => {
    await archive.write(image, path);
    const bytes = await readFile(path);
    change(bytes);
    await writeFile(path, bytes);
    await expect(validate(path)).rejects.toMatchObject({ code });
  };
  const layer = await readFile(image.layers[0]?.file ?? '');
  await damaged((bytes) => {
    const position = bytes.indexOf(layer) + 100;
    bytes[position] = (bytes[position] ?? 0) ^ 1;
  }, 'DIGEST_MISMATCH');
  await damaged((bytes) => bytes.fill('?', 0, 10), 'IMAGE_INVALID');
  // manifest.json leads to another layer.
  await damaged((bytes) => {
    const position = bytes.indexOf('"Layers":["blobs/sha256/') + 30;
    bytes[position] = bytes[position] === 0x30 ? 0x31 : 0x30;
  }, 'IMAGE_INVALID');
  await archive.write(image, path);
  await truncate(path, 4000);
  await expect(validate(path)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});

describe('names', () => {
  test.each([
    ['nginx', `${registry}/library/nginx:latest`],
    ['web/nginx:1.26', `${registry}/web/nginx:1.26`],
    ['localhost/nginx:1', 'localhost/nginx:1'],
    ['localhost:5000/a/b', 'localhost:5000/a/b:latest'],
    ['builder:5000/nginx', 'builder:5000/nginx:latest'],
    ['example.org/a_b/c-d:x.Y_z', 'example.org/a_b/c-d:x.Y_z'],
  ])('%s', (reference, name) => {
    expect(archive.fullName(reference, registry).name).toBe(name);
  });

  test.each(['', ':1', 'Nginx', 'a/Nginx:1', 'a b', 'a:b:c', '/a', 'a/', '-a', 'nginx@sha256:00'])('not %j', (text) => {
    expect(() => archive.fullName(text, registry)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  test('a short name needs a registry', () => {
    expect(() => archive.fullName('nginx')).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });
});
