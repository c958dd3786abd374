import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import * as layout from '../../libs/image/layout.ts';
import { blob, validate } from '../../libs/image/validate.ts';
import { rejection } from '../support/errors.ts';
import { build, flip, folder, hasProgram, tree } from './support.ts';

describe('write', () => {
  test('gives a layout with exactly the blobs of the image', async () => {
    await using temp = await folder();
    const image = await build(join(temp.path, 'store'));
    const dir = join(temp.path, 'out', 'image');
    await layout.write(image, dir, { ref: '1.26' });
    const blobs = [image.digest, image.manifest.config.digest, ...image.layers.map((layer) => layer.digest)];
    const found = await tree(dir);
    expect([...found.keys()]).toEqual(
      [
        'blobs',
        'blobs/sha256',
        'index.json',
        'oci-layout',
        ...blobs.map((blob) => `blobs/sha256/${digest.hex(blob)}`),
      ].sort(),
    );
    expect(JSON.parse(found.get('oci-layout') ?? '')).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(JSON.parse(found.get('index.json') ?? '')).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          digest: image.digest,
          size: image.manifestBytes.length,
          platform: { architecture: 'amd64', os: 'linux' },
          annotations: { 'org.h3forge.layout': '1', 'org.opencontainers.image.ref.name': '1.26' },
        },
      ],
    });
    expect(await readdir(join(temp.path, 'out'))).toEqual(['image']);
  });

  test('twice, in two folders, gives the same bytes', async () => {
    await using temp = await folder();
    for (const name of ['a', 'b']) {
      await layout.write(await build(join(temp.path, `store-${name}`), 'zstd'), join(temp.path, name));
    }
    expect(await tree(join(temp.path, 'a'))).toEqual(await tree(join(temp.path, 'b')));
  });

  test('replaces an earlier layout as a whole, and fills an empty folder', async () => {
    await using temp = await folder();
    const dir = join(temp.path, 'image');
    await mkdir(dir);
    await layout.write(await build(join(temp.path, 'store'), 'gzip', 'old'), dir);
    const image = await build(join(temp.path, 'store'), 'gzip', 'new');
    await layout.write(image, dir);
    await layout.write(image, join(temp.path, 'fresh'));
    expect(await tree(dir)).toEqual(await tree(join(temp.path, 'fresh')));
  });

  test('does not replace what it did not write', async () => {
    await using temp = await folder();
    const image = await build(join(temp.path, 'store'));
    const dir = join(temp.path, 'home');
    await mkdir(dir);
    await writeFile(join(dir, 'letter'), 'dear');
    await writeFile(join(temp.path, 'file'), 'dear');
    for (const place of [dir, join(temp.path, 'file')]) {
      await expect(layout.write(image, place)).rejects.toMatchObject({ code: 'DESTINATION_OCCUPIED' });
    }
    expect([...(await tree(dir))]).toEqual([['letter', 'dear']]);
  });

  test('a layout of another program, or one that it added to, is not replaced', async () => {
    await using temp = await folder();
    const store = join(temp.path, 'store');
    const dir = join(temp.path, 'image');
    await layout.write(await build(store, 'gzip', 'old'), dir);
    const index = JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as {
      manifests: { annotations?: unknown }[];
    };
    const [ours] = index.manifests;
    for (const manifests of [[{ ...ours, annotations: undefined }], [ours, { ...ours, annotations: undefined }]]) {
      await writeFile(join(dir, 'index.json'), JSON.stringify({ ...index, manifests }));
      const before = await tree(dir);
      const error = await rejection(layout.write(await build(store, 'gzip', 'new'), dir));
      expect(error).toMatchObject({ code: 'DESTINATION_OCCUPIED', hint: expect.stringContaining('another place') });
      expect(await tree(dir)).toEqual(before);
    }
  });

  test('of our own, what no index of ours names is kept; a damaged one is repaired', async () => {
    await using temp = await folder();
    const store = join(temp.path, 'store');
    const dir = join(temp.path, 'image');
    const old = await build(store, 'gzip', 'old');
    const image = await build(store, 'gzip', 'new');
    await layout.write(image, join(temp.path, 'fresh'));
    await layout.write(old, dir);
    const foreign = join('blobs', 'sha256', 'f'.repeat(64));
    await writeFile(join(dir, foreign), 'foreign');
    await layout.write(image, dir);
    expect(await tree(dir)).toEqual(
      new Map(
        [...(await tree(join(temp.path, 'fresh'))), [foreign, 'foreign'] as const].sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    );
    await flip(join(dir, blob(image.digest)), 3);
    await layout.write(image, dir);
    await validate(dir);
  });

  test('a link to nothing, and a place below a file, are refused', async () => {
    await using temp = await folder();
    const image = await build(join(temp.path, 'store'));
    await writeFile(join(temp.path, 'file'), '');
    await symlink('nowhere', join(temp.path, 'link'));
    await symlink('loop', join(temp.path, 'loop'));
    for (const name of ['link', 'loop', 'file/image']) {
      expect((await rejection(layout.write(image, join(temp.path, name)))).code).toBe('DESTINATION_OCCUPIED');
    }
  });

  test.skipIf(!hasProgram('skopeo') || !hasProgram('umoci'))(
    'with its mark it is read by skopeo and umoci',
    async () => {
      await using temp = await folder();
      const image = await build(join(temp.path, 'store'));
      const dir = join(temp.path, 'image');
      await layout.write(image, dir, { ref: '1.26' });
      const run = (name: string, ...args: string[]): string => execFileSync(name, args, { encoding: 'utf8' });
      expect(JSON.parse(run('skopeo', 'inspect', `oci:${dir}:1.26`))).toMatchObject({ Digest: image.digest });
      expect(run('umoci', 'list', '--layout', dir).trim()).toBe('1.26');
      // An image that skopeo puts beside ours, or in its place, makes the layout no longer ours.
      await layout.write(image, join(temp.path, 'source'), { ref: '1.26' });
      run('skopeo', '--insecure-policy', 'copy', `oci:${join(temp.path, 'source')}:1.26`, `oci:${dir}:1.26`);
      expect((await rejection(layout.write(image, dir))).code).toBe('DESTINATION_OCCUPIED');
    },
  );

  test('a layer that was damaged in the store leaves the old layout', async () => {
    await using temp = await folder();
    const dir = join(temp.path, 'image');
    await layout.write(await build(join(temp.path, 'store'), 'gzip', 'old'), dir);
    const before = await tree(dir);
    const image = await build(join(temp.path, 'store'), 'gzip', 'new');
    await flip(image.layers[1]?.file ?? '', 50);
    await expect(layout.write(image, dir)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringContaining(image.layers[1]?.digest ?? ''),
    });
    await expect(layout.write(image, join(temp.path, 'other'))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await tree(dir)).toEqual(before);
    expect((await readdir(temp.path)).sort()).toEqual(['image', 'store']);
  });

  test('killed at any moment, the old or the new is there, and the next run cleans up', async () => {
    await using temp = await folder();
    const dir = join(temp.path, 'image');
    const support = new URL('./support.ts', import.meta.url);
    const module = new URL('../../libs/image/layout.ts', import.meta.url);
    const script = `
      const { build } = await import(${JSON.stringify(support)});
      const layout = await import(${JSON.stringify(module)});
      const images = await Promise.all(['old', 'new'].map((text) => build(${JSON.stringify(join(temp.path, 'store'))}, 'gzip', text)));
      console.log('ready');
      for (let turn = 0; ; turn++) await layout.write(images[turn % 2], ${JSON.stringify(dir)});
    `;
    let there = false;
    for (let run = 0; run < 6; run++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const closed = once(child, 'close');
      // A child that fails at once is seen below, by what it left.
      await Promise.race([once(child.stdout, 'data'), closed]);
      await sleep(20 + run * 17);
      child.kill('SIGKILL');
      await closed;
      // Once there, it is there after every kill.
      there ||= (await readdir(temp.path)).includes('image');
      if (there) await validate(dir);
    }
    expect(there).toBe(true);
    await layout.write(await build(join(temp.path, 'store')), dir);
    await validate(dir);
    expect((await readdir(temp.path)).sort()).toEqual(['image', 'store']);
  }, 60_000);
});

describe('read', () => {
  test.each(['gzip', 'zstd', 'none'] as const)('gives back what was written: %s', async (compression) => {
    await using temp = await folder();
    const image = await build(join(temp.path, 'store'), compression);
    const dir = join(temp.path, 'image');
    await layout.write(image, dir, { ref: '1.26' });
    await rm(join(temp.path, 'store'), { recursive: true });
    const read = await layout.read(dir, { ref: '1.26' });
    expect(read.digest).toBe(image.digest);
    expect(read.platform).toBe(image.platform);
    expect(read.configBytes).toEqual(image.configBytes);
    expect(JSON.stringify(read.manifest.layers)).toBe(JSON.stringify(image.manifest.layers));
    const facts = (layers: typeof image.layers): unknown => layers.map(({ file: _file, open: _open, ...rest }) => rest);
    expect(facts(read.layers)).toEqual(facts(image.layers));
    await layout.write(read, join(temp.path, 'again'), { ref: '1.26' });
    expect(await tree(join(temp.path, 'again'))).toEqual(await tree(dir));
  });

  test('names what is there when the name is unknown', async () => {
    await using temp = await folder();
    const dir = join(temp.path, 'image');
    await layout.write(await build(join(temp.path, 'store')), dir, { ref: '1.26' });
    await expect(layout.read(dir, { ref: '2' })).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN', expected: '1.26' });
    await expect(layout.read(join(temp.path, 'none'))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });

  test('one of several needs a name', async () => {
    await using temp = await folder();
    const dir = join(temp.path, 'image');
    const [one, two] = [
      await build(join(temp.path, 'store'), 'gzip', '1'),
      await build(join(temp.path, 'store'), 'gzip', '2'),
    ];
    const index = async (place: string): Promise<{ manifests: unknown[] }> =>
      JSON.parse(await readFile(join(place, 'index.json'), 'utf8')) as { manifests: unknown[] };
    await layout.write(one, join(temp.path, 'one'), { ref: 'one' });
    await layout.write(two, dir, { ref: 'two' });
    for (const [name, bytes] of await tree(join(temp.path, 'one'))) {
      if (name.startsWith('blobs/sha256/')) await writeFile(join(dir, name), Buffer.from(bytes, 'latin1'));
    }
    const both = await index(dir);
    both.manifests.push(...(await index(join(temp.path, 'one'))).manifests);
    await rm(join(dir, 'index.json'));
    await writeFile(join(dir, 'index.json'), JSON.stringify(both));
    expect((await layout.read(dir, { ref: 'one' })).digest).toBe(one.digest);
    expect((await layout.read(dir, { ref: 'two' })).digest).toBe(two.digest);
    await expect(layout.read(dir)).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });
  });
});
