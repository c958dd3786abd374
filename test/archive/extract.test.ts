import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { extractTar } from '../../libs/archive/extract.ts';
import { from, tarOf } from '../support/tar.ts';
import { make } from '../support/tree.ts';

/** What is below a folder, one line per path. Folders' times are not kept, so they are not told. */
function list(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stats = lstatSync(join(dir, name));
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) return `${name} -> ${readlinkSync(join(dir, name))}`;
      if (stats.isDirectory()) return `${name}/ ${mode}`;
      const content = readFileSync(join(dir, name)).toString('base64');
      return `${name} ${mode} ${stats.nlink} ${Math.floor(stats.mtimeMs / 1000)} ${content}`;
    });
}

const gnuTar = spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU tar') === true;

describe.skipIf(!gnuTar)('held against GNU tar', () => {
  const long = 'd'.repeat(120);
  const tree = (): string => {
    const dir = make({
      'a/file': 'content',
      'a/empty': '',
      'a/program': { program: '#!/bin/sh\n' },
      [`${long}/${long}/${'n'.repeat(99)}`]: 'a long name',
      'b/link': { link: '../a/file' },
      'b/dangling': { link: '/no/such/place' },
      'b/long': { link: `../${long}/${long}` },
      'ünïcode/日本': 'text',
      large: Buffer.alloc(3_000_000, 'large '),
      hollow: { directory: true },
    });
    expect(spawnSync('ln', ['a/file', 'b/hard'], { cwd: dir }).status).toBe(0);
    expect(spawnSync('chmod', ['0711', 'hollow'], { cwd: dir }).status).toBe(0);
    expect(spawnSync('chmod', ['0464', 'a/empty'], { cwd: dir }).status).toBe(0);
    return dir;
  };

  test.each(['gnu', 'pax'])('%s format', async (format) => {
    const source = tree();
    const tar = spawnSync('tar', ['-c', `--format=${format}`, '-C', source, '.'], { maxBuffer: 1e8 }).stdout;
    const ours = make();
    await extractTar(from(tar), ours);
    expect(list(ours)).toEqual(list(source));
  });

  test('--strip-components', async () => {
    const source = tree();
    const tar = spawnSync('tar', ['-c', '-C', source, 'a', 'hollow'], { maxBuffer: 1e8 }).stdout;
    const ours = make();
    const theirs = make();
    await extractTar(from(tar), ours, { stripComponents: 1 });
    expect(spawnSync('tar', ['-xp', '--strip-components=1', '-C', theirs], { input: tar }).status).toBe(0);
    expect(list(ours)).toEqual(list(theirs));
  });
});

describe('bytes that are no whole tar', () => {
  test('cut anywhere', async () => {
    const tar = await tarOf([
      { name: 'd', type: 'directory' },
      { name: 'a', content: 'x'.repeat(1000) },
      { name: `long/${'n'.repeat(200)}`, content: 'y'.repeat(600) },
      { name: 'l', type: 'symlink', linkname: 'a' },
      { name: 'zeros', content: '\0'.repeat(512) },
    ]);
    for (let length = 0; length < tar.length - 1024; length += length % 512 === 0 ? 1 : 511) {
      await expect(extractTar(from(tar.subarray(0, length)), make()), `${length} bytes`).rejects.toMatchObject({
        code: 'ARCHIVE_TRUNCATED',
      });
    }
    await extractTar(from(tar), make());
  });

  test('damaged', async () => {
    const tar = await tarOf([
      { name: 'a', content: 'x'.repeat(1000) },
      { name: 'b', content: 'y' },
    ]);
    tar[1024 + 512 + 3] = 1;
    await expect(extractTar(from(tar), make())).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    await expect(extractTar(from(Buffer.alloc(2000, 'text ')), make())).rejects.toMatchObject({
      code: 'ARCHIVE_CORRUPT',
    });
  });

  test('an error of the source is passed on', async () => {
    const broken = new Error('the line broke');
    const source = new Readable({ read: () => source.destroy(broken) });
    await expect(extractTar(source, make())).rejects.toBe(broken);
    const tar = await tarOf([{ name: 'a', content: 'x'.repeat(1000) }]);
    const midway = Readable.from(
      (async function* () {
        yield tar.subarray(0, 1024);
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw broken;
      })(),
      { objectMode: false },
    );
    await expect(extractTar(midway, make())).rejects.toBe(broken);
  });
});

describe('what is there already', () => {
  test('a link to a folder is kept where the archive has the folder (merged /usr)', async () => {
    const dir = make({ 'usr/bin/here': 'x' });
    symlinkSync('usr/bin', join(dir, 'bin'));
    const tar = await tarOf([
      { name: './bin/', type: 'directory' },
      { name: './bin/sh', content: 'shell' },
    ]);
    await extractTar(from(tar), dir);
    expect(readlinkSync(join(dir, 'bin'))).toBe('usr/bin');
    expect(readFileSync(join(dir, 'usr/bin/sh'), 'utf8')).toBe('shell');
  });

  test('a file is replaced, not written into', async () => {
    const dir = make({ file: 'old' });
    expect(spawnSync('ln', ['file', 'other'], { cwd: dir }).status).toBe(0);
    await extractTar(from(await tarOf([{ name: 'file', content: 'new' }])), dir);
    expect([readFileSync(join(dir, 'file'), 'utf8'), readFileSync(join(dir, 'other'), 'utf8')]).toEqual(['new', 'old']);
  });

  test('set-id bits are dropped', async () => {
    const dir = make();
    await extractTar(from(await tarOf([{ name: 'su', content: 'x', mode: 0o6755 }])), dir);
    expect(statSync(join(dir, 'su')).mode & 0o7777).toBe(0o755);
  });

  test('the filter decides by the path in the target', async () => {
    const dir = make();
    const members = [
      { name: './usr/share/man/a', content: 'x' },
      { name: './usr/bin/b', content: 'y' },
    ];
    await extractTar(from(await tarOf(members)), dir, { filter: (path) => !path.startsWith('/usr/share/man') });
    expect(readdirSync(dir, { recursive: true }).sort()).toEqual(['usr', 'usr/bin', 'usr/bin/b']);
  });
});

test('an abort ends it', async () => {
  const controller = new AbortController();
  const endless = new Readable({ read: () => undefined });
  const work = extractTar(endless, make(), { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 10);
  await expect(work).rejects.toThrow('enough');
  expect(endless.destroyed).toBe(true);
});
