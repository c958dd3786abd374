import { lstat, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../libs/core/entry.ts';
import { sorted } from '../../libs/core/entry.ts';
import { unpack } from '../../libs/image/unpack.ts';
import { build, directory, EPOCH, file, flip, folder, rootFs, symlink, write } from './support.ts';

/** Names below a folder, links with their target, files with their content. */
async function names(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(dir.length);
    if (entry.isSymbolicLink()) found.push(`${name} -> ${await readlink(path)}`);
    else found.push(entry.isDirectory() ? `${name}/` : `${name} ${await readFile(path, 'utf8')}`);
  }
  return found.sort();
}

/** Unpacks layers of these entries over each other. */
async function over(dir: string, ...layers: Entry[][]): Promise<string[]> {
  const written = [];
  for (const entries of layers) written.push(await write(sorted(entries), join(dir, 'store')));
  await unpack({ layers: written }, join(dir, 'root'));
  return names(join(dir, 'root'));
}

test.each(['gzip', 'zstd', 'none'] as const)('gives the files of the image: %s', async (compression) => {
  await using temp = await folder();
  const root = join(temp.path, 'root');
  const preserveOwner = process.getuid?.() === 0;
  await unpack(await build(join(temp.path, 'store'), compression), root, { preserveOwner });
  for (const entry of rootFs) {
    const stats = await lstat(join(root, entry.path));
    if (preserveOwner) expect([stats.uid, stats.gid]).toEqual([entry.uid, entry.gid]);
    if (entry.type === 'symlink') expect(await readlink(join(root, entry.path))).toBe(entry.target);
    else expect(stats.mode & 0o7777).toBe(entry.mode);
    if (entry.type === 'file' && 'bytes' in entry.content) {
      expect(await readFile(join(root, entry.path))).toEqual(Buffer.from(entry.content.bytes));
      expect(stats.mtimeMs).toBe(EPOCH * 1000);
    }
  }
  expect(await readFile(join(root, 'index.html'), 'utf8')).toBe('pong');
});

describe('a layer over another', () => {
  const lower = [
    directory('/a'),
    file('/a/one', '1'),
    file('/a/two', '2'),
    directory('/a/deep'),
    file('/a/deep/three', '3'),
    symlink('/link', 'a'),
  ];
  const base = ['/a/', '/a/deep/', '/a/deep/three 3', '/a/one 1', '/a/two 2', '/link -> a'];
  const without = (...gone: string[]): string[] => base.filter((name) => !gone.includes(name));

  test('hides a file, a folder, and what is not there', async () => {
    await using temp = await folder();
    const upper = [file('/a/.wh.one', ''), file('/a/.wh.deep', ''), file('/a/.wh.none', ''), file('/b/.wh.none', '')];
    expect(await over(temp.path, lower, upper)).toEqual(without('/a/one 1', '/a/deep/', '/a/deep/three 3'));
  });

  test('hides all of a folder, but not what it brings itself, wherever the whiteout stands', async () => {
    await using temp = await folder();
    // Sorted, both names come before and after the opaque whiteout.
    const upper = [file('/a/!first', 'x'), file('/a/.wh..wh..opq', ''), file('/a/two', 'new'), file('/a/.wh.two', '')];
    expect(await over(temp.path, lower, upper)).toEqual(['/a/', '/a/!first x', '/a/two new', '/link -> a']);
  });

  test('hides behind a link as after a chroot', async () => {
    await using temp = await folder();
    expect(await over(temp.path, lower, [file('/link/.wh.one', '')])).toEqual(without('/a/one 1'));
    await using other = await folder();
    expect(await over(other.path, lower, [file('/link/.wh..wh..opq', '')])).toEqual(['/a/', '/link -> a']);
  });

  test('puts a file where a folder was, a folder where a file or a link was, a link where a folder was', async () => {
    await using temp = await folder();
    const upper = [symlink('/a/deep', 'one'), directory('/a/one'), file('/a/one/in', 'i'), directory('/link')];
    expect(await over(temp.path, lower, upper)).toEqual(
      ['/a/', '/a/deep -> one', '/a/one/', '/a/one/in i', '/a/two 2', '/link/'].sort(),
    );
    await using other = await folder();
    expect(await over(other.path, lower, [file('/a/deep', 'now a file')])).toContain('/a/deep now a file');
  });

  test('ignores bookkeeping, and whiteouts of the lowest layer', async () => {
    await using temp = await folder();
    const upper = [directory('/.wh..wh.plnk'), file('/.wh..wh.plnk/1.2', ''), file('/.wh..wh.aufs', '')];
    expect(await over(temp.path, [...lower, file('/.wh.a', '')], upper)).toEqual(base);
  });

  test.each(['/.wh.', '/.wh..', '/a/.wh...'])('refuses %s', async (path) => {
    await using temp = await folder();
    await expect(over(temp.path, lower, [file(path, '')])).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    expect(await readdir(join(temp.path, 'root'))).toEqual([]);
  });

  test('never leaves the folder', async () => {
    await using temp = await folder();
    const outside = join(temp.path, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'kept'), 'kept');
    const links = [symlink('/absolute', outside), symlink('/up', '../outside')];
    const upper = [
      file('/absolute/.wh.kept', ''),
      file('/absolute/.wh..wh..opq', ''),
      file('/up/.wh.kept', ''),
      file('/up/.wh..wh..opq', ''),
    ];
    expect(await over(temp.path, links, upper)).toEqual([`/absolute -> ${outside}`, '/up -> ../outside']);
    expect(await readFile(join(outside, 'kept'), 'utf8')).toBe('kept');
  });
});

describe('fails and leaves the folder empty', () => {
  test('where a layer was damaged', async () => {
    await using temp = await folder();
    const image = await build(join(temp.path, 'store'));
    await flip(image.layers[1]?.file ?? '', 30);
    const root = join(temp.path, 'root');
    await expect(unpack(image, root)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await readdir(root)).toEqual([]);
  });

  test('where only the diffID is wrong', async () => {
    await using temp = await folder();
    const [layer] = (await build(join(temp.path, 'store'))).layers;
    if (layer === undefined) throw new Error('no layer');
    const root = join(temp.path, 'root');
    const layers = [{ ...layer, diffId: layer.digest }];
    await expect(unpack({ layers }, root)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await readdir(root)).toEqual([]);
  });

  test('on an abort', async () => {
    await using temp = await folder();
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(unpack(await build(join(temp.path, 'store')), join(temp.path, 'root'), { signal })).rejects.toThrow(
      'stopped',
    );
    expect(await readdir(join(temp.path, 'root'))).toEqual([]);
  });
});

test('does not touch a folder with other files', async () => {
  await using temp = await folder();
  await writeFile(join(temp.path, 'letter'), 'dear');
  const image = await build(join(temp.path, 'store'));
  await expect(unpack(image, temp.path)).rejects.toMatchObject({ code: 'DESTINATION_OCCUPIED' });
  expect((await stat(join(temp.path, 'letter'))).size).toBe(4);
});
