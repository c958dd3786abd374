import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { clone } from '../../libs/archive/clone.ts';
import { program, type Xz } from '../../libs/archive/xz.ts';
import * as digest from '../../libs/core/digest.ts';
import { ForgeError } from '../../libs/core/errors.ts';
import type { PinnedPackage } from '../../libs/core/lock.ts';
import { silent } from '../../libs/core/progress.ts';
import * as ar from '../../libs/debian/ar.ts';
import * as deb from '../../libs/debian/deb.ts';
import * as root from '../../libs/debian/root.ts';
import { rejection } from '../support/errors.ts';
import { make, type Tree } from '../support/tree.ts';

const dpkgDeb = spawnSync('dpkg-deb', ['--version']).error === undefined;

/** A `.deb` with these files, built by dpkg-deb; its maintainer script would leave a trace if it ran. */
function build(name: string, files: Tree, compression = 'xz'): Buffer {
  const dir = make(files);
  mkdirSync(join(dir, 'DEBIAN'));
  writeFileSync(
    join(dir, 'DEBIAN/control'),
    `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n`,
  );
  writeFileSync(join(dir, 'DEBIAN/postinst'), '#!/bin/sh\ntouch /h3forge-script-ran\n');
  chmodSync(join(dir, 'DEBIAN/postinst'), 0o755);
  const file = join(make(), 'test.deb');
  const built = spawnSync('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', dir, file], {
    encoding: 'utf8',
  });
  expect(built.stderr).toBe('');
  return readFileSync(file);
}

const hasXz = spawnSync('xz', ['--version']).error === undefined;
const native = program(['xz'], new AbortController().signal);

const from = (bytes: Buffer): Readable =>
  Readable.from([bytes.subarray(0, 70), bytes.subarray(70)], { objectMode: false });

/** Every path below a folder with what it is. */
const list = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stats = lstatSync(join(dir, name));
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) return `${name} -> ${readlinkSync(join(dir, name))}`;
      return stats.isDirectory()
        ? `${name}/ ${mode}`
        : `${name} ${mode} ${stats.mtimeMs / 1000} ${readFileSync(join(dir, name))}`;
    });

describe.skipIf(!dpkgDeb)('a .deb', () => {
  test.each(['xz', 'zstd', 'gzip', 'none'])('compressed with %s unpacks as dpkg-deb -x does', async (compression) => {
    const bytes = build(
      'a',
      {
        'usr/bin/a': { program: '#!/bin/sh\n' },
        'usr/lib/liba.so': { link: 'liba.so.1' },
        'usr/lib/liba.so.1': 'x'.repeat(99_999),
      },
      compression,
    );
    const [ours, theirs] = [make(), make()];
    await deb.unpack(from(bytes), ours);
    const file = join(make(), 'a.deb');
    writeFileSync(file, bytes);
    expect(spawnSync('dpkg-deb', ['-x', file, theirs]).status).toBe(0);
    expect(list(ours)).toEqual(list(theirs));
  });

  test('cut anywhere is DEB_CORRUPT or ARCHIVE_TRUNCATED', async () => {
    const bytes = build('a', { 'usr/bin/a': 'text' });
    for (let length = 0; length < bytes.length - 1; length += 53) {
      const { code } = await rejection(deb.unpack(from(bytes.subarray(0, length)), make()));
      expect(code, `${length} bytes`).toMatch(/^(DEB_CORRUPT|ARCHIVE_TRUNCATED)$/);
    }
  });

  test('its members are those that ar lists', async () => {
    const bytes = build('a', { 'usr/bin/a': 'text' });
    const members: [string, number][] = [];
    for await (const { name, size } of ar.members(from(bytes))) members.push([name, size]);
    expect(members.map(([name]) => name)).toEqual(['debian-binary', 'control.tar.xz', 'data.tar.xz']);
    expect(members[0]?.[1]).toBe(4);
  });

  test('anything else is DEB_CORRUPT', async () => {
    for (const text of ['', '!<arch>\n', 'no archive at all', `!<arch>\n${'x'.repeat(60)}`]) {
      expect((await rejection(deb.unpack(from(Buffer.from(text)), make()))).code).toBe('DEB_CORRUPT');
    }
  });
});

describe.skipIf(!dpkgDeb)('a root', () => {
  const parts: Omit<root.RootParts, 'packages'> = {
    folderLinks: { '/bin': 'usr/bin', '/lib': 'usr/lib' },
    links: { '/usr/bin/awk': 'mawk', '/etc/new/link': '/usr/bin/awk' },
    directories: ['/proc', '/build/deep'],
    exclude: ['/usr/share/man'],
  };
  /** Packages with their bytes, in the order given. */
  const assemble = async (
    packages: Readonly<Record<string, Buffer>>,
    dir: string,
    options: Partial<root.AssembleOptions & Pick<root.RootParts, 'isBegun'>> = {},
  ): Promise<void> => {
    const pinned = Object.entries(packages).map(
      ([name, bytes]): PinnedPackage => ({
        name,
        version: '1',
        architecture: 'all',
        archive: 'debian',
        path: `pool/${name}.deb`,
        size: bytes.length,
        sha256: digest.of(bytes),
      }),
    );
    const open = async ({ path }: { path: string }): Promise<Readable> => {
      // Not always the same package first.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      return from(packages[path.replace(/^pool\/|\.deb$/g, '')] ?? Buffer.alloc(0));
    };
    const { isBegun = false, ...rest } = options;
    await root.assemble({ ...parts, links: isBegun ? {} : parts.links, packages: pinned, isBegun }, open, dir, {
      signal: new AbortController().signal,
      progress: silent,
      ...rest,
    });
  };

  test('is its packages, its links and its folders, without scripts and what is excluded', async () => {
    const dir = make();
    await assemble(
      {
        mawk: build('mawk', { 'usr/bin/mawk': { program: 'mawk' }, 'usr/share/man/man1/mawk.1': 'manual' }),
        old: build('old', { 'bin/sh': { program: 'sh' }, 'lib/libold.so': 'old' }),
      },
      dir,
    );
    expect(readdirSync(dir).sort()).toEqual(['bin', 'build', 'etc', 'lib', 'proc', 'usr']);
    expect(readlinkSync(join(dir, 'bin'))).toBe('usr/bin');
    expect(readdirSync(join(dir, 'usr/bin')).sort()).toEqual(['awk', 'mawk', 'sh']);
    expect(readFileSync(join(dir, 'usr/lib/libold.so'), 'utf8')).toBe('old');
    expect(readlinkSync(join(dir, 'etc/new/link'))).toBe('/usr/bin/awk');
    expect(statSync(join(dir, 'build/deep')).isDirectory()).toBe(true);
    expect(() => readdirSync(join(dir, 'usr/share/man/man1'))).toThrow();
    expect(() => statSync('/h3forge-script-ran')).toThrow();
  });

  test('two packages with the same file, also by way of a link, are a conflict', async () => {
    const sh = build('one', { 'usr/bin/sh': 'one' });
    for (const other of [build('two', { 'usr/bin/sh': 'two' }), build('two', { 'bin/sh': 'two' })]) {
      const error = await rejection(assemble({ one: sh, two: other }, make()));
      expect(error.code).toBe('ROOT_FILE_CONFLICT');
      expect(`${error.message} ${error.found}`).toMatch(/one.*two|two.*one/);
    }
  });

  test('the same again, whatever comes first', async () => {
    const packages = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name) => [
        name,
        build(name, { [`usr/lib/${name}`]: name.repeat(1000), [`usr/share/${name}/x`]: 'x' }),
      ]),
    );
    const [first, second] = [make(), make()];
    await assemble(packages, first);
    await assemble(packages, second);
    expect(list(first)).toEqual(list(second));
  });

  test.skipIf(!hasXz)(
    'another decoder decodes every package, as many at once as are asked for, and gives the same',
    async () => {
      const packages = Object.fromEntries(
        ['a', 'b', 'c', 'd', 'e'].map((name) => [name, build(name, { [`usr/lib/${name}`]: name.repeat(200_000) })]),
      );
      const started: string[] = [];
      let [running, most] = [0, 0];
      const counting: Xz = (packed) => {
        started.push('xz');
        running++;
        most = Math.max(most, running);
        return native(packed).once('close', () => running--);
      };
      const [ours, theirs] = [make(), make()];
      await assemble(packages, ours);
      await assemble(packages, theirs, { xz: counting, concurrency: 2 });
      expect(list(theirs)).toEqual(list(ours));
      expect(started).toHaveLength(5);
      expect(most).toBe(2);
    },
  );

  test('packages are added to a root that is there, without writing into what it shares with another', async () => {
    const dir = make();
    await assemble({ one: build('one', { 'bin/one': 'one', 'usr/lib/shared': 'before' }) }, dir);
    const copy = make();
    await clone(dir, copy);
    await assemble({ two: build('two', { 'bin/two': 'two', 'usr/lib/shared': 'after' }) }, copy, { isBegun: true });
    expect(readdirSync(join(copy, 'usr/bin')).sort()).toEqual(['awk', 'one', 'two']);
    expect(readFileSync(join(copy, 'usr/lib/shared'), 'utf8')).toBe('after');
    expect(readFileSync(join(dir, 'usr/lib/shared'), 'utf8')).toBe('before');
  });

  test('a package that cannot be opened ends it', async () => {
    const error = await rejection(assemble({ broken: Buffer.from('no package') }, make()));
    expect(error.code).toBe('DEB_CORRUPT');
  });

  test('a failure or an abort ends the packages that are under way, before it ends', async () => {
    const whole = build('slow', { 'usr/bin/slow': 'x'.repeat(50_000) });
    const package_ = (name: string): PinnedPackage => ({
      name,
      version: '1',
      architecture: 'all',
      archive: 'debian',
      path: name,
      size: 1,
      sha256: digest.of(name),
    });
    for (const cut of [0, 30, 100, whole.length - 500]) {
      const stalled = new Readable({ read: () => undefined });
      stalled.push(whole.subarray(0, cut));
      const controller = new AbortController();
      const work = root.assemble(
        { ...parts, packages: [package_('stalled'), ...(cut === 30 ? [] : [package_('broken')])] },
        ({ path }) => Promise.resolve(path === 'stalled' ? stalled : from(Buffer.alloc(100, 'no package'))),
        make(),
        { signal: controller.signal, progress: silent },
      );
      if (cut === 30) setTimeout(() => controller.abort(new ForgeError('STOPPED', 'enough')), 10);
      expect((await rejection(work)).code).toBe(cut === 30 ? 'STOPPED' : 'DEB_CORRUPT');
      expect(stalled.destroyed).toBe(true);
    }
  });
});

test('a file is read once and closed', async () => {
  const file = join(make({ 'x.deb': '!<arch>\n' }), 'x.deb');
  const stream = createReadStream(file);
  await rejection(deb.unpack(stream, make()));
  await expect.poll(() => stream.closed).toBe(true);
});
