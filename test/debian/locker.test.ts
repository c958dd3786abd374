import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import type { Lock, PinnedFile, PinnedPackage } from '../../libs/core/lock.ts';
import * as locker from '../../libs/debian/locker.ts';
import type { SourceRecord } from '../../libs/debian/sources.ts';
import { rejection } from '../support/errors.ts';

const file = (path: string, archive = 'debian'): PinnedFile => ({ archive, path, size: 1, sha256: digest.of(path) });

const source = (version: string, archive = 'debian', more: Partial<SourceRecord> = {}): SourceRecord => ({
  name: 'nginx',
  version,
  format: '3.0 (quilt)',
  files: [
    file(`pool/nginx_${version}.dsc`, archive),
    file('pool/nginx_1.26.3.orig.tar.gz', archive),
    file('pool/nginx_1.26.3.orig.tar.gz.asc', archive),
    file(`pool/nginx_${version}.debian.tar.xz`, archive),
  ],
  ...more,
});

const everything = {
  available: () => Promise.resolve(true),
  published: () => Promise.reject(new Error('asked for')),
  readSeries: () => Promise.resolve(['a.patch', 'b.patch']),
};
const nginx = { package: 'nginx', patches: true };

describe('a source', () => {
  const records = [source('1.26.3-3+deb13u7'), source('1.26.3-3+deb13u10', 'debian-security'), source('1.26.3-3')];

  test('its newest version, with the patches', async () => {
    expect(await locker.lockSource(records, nginx, everything)).toEqual({
      package: 'nginx',
      version: '1.26.3-3+deb13u10',
      orig: file('pool/nginx_1.26.3.orig.tar.gz', 'debian-security'),
      debian: file('pool/nginx_1.26.3-3+deb13u10.debian.tar.xz', 'debian-security'),
      patches: ['a.patch', 'b.patch'],
    });
  });

  test('the newest that can be had, and which is held back', async () => {
    const available = ({ archive }: PinnedFile) => Promise.resolve(archive !== 'debian-security');
    expect(await locker.lockSource(records, nginx, { ...everything, available })).toMatchObject({
      version: '1.26.3-3+deb13u7',
      heldBack: '1.26.3-3+deb13u10',
      orig: { archive: 'debian' },
    });
  });

  test("without Debian's archive where the channel takes none", async () => {
    const asked: string[] = [];
    const pinned = await locker.lockSource(
      records,
      { package: 'nginx', patches: false },
      {
        available: ({ path }) => {
          asked.push(path);
          return Promise.resolve(true);
        },
        published: () => Promise.reject(new Error('asked for')),
        readSeries: () => Promise.reject(new Error('asked for')),
      },
    );
    expect(Object.keys(pinned).sort()).toEqual(['orig', 'package', 'version']);
    expect(asked).toEqual(['pool/nginx_1.26.3.orig.tar.gz']);
  });

  test('that is nowhere', async () => {
    const nowhere = { ...everything, available: () => Promise.resolve(false) };
    const error = await rejection(locker.lockSource(records, nginx, nowhere));
    expect(error.code).toBe('SOURCE_MISSING');
    expect(error.expected).toContain('nginx_1.26.3-3+deb13u10.debian.tar.xz');
    expect((await rejection(locker.lockSource([], nginx, everything))).code).toBe('SOURCE_MISSING');
  });

  describe('without its patches', () => {
    const definition = { package: 'nginx', patches: false, upstream: 'https://example.org/nginx-VERSION.tar.gz' };
    const nowhere = { ...everything, available: () => Promise.resolve(false) };

    test('that nobody serves is known by its digest', async () => {
      const published = () => Promise.resolve(false);
      expect(await locker.lockSource(records, definition, { ...nowhere, published })).toEqual({
        package: 'nginx',
        version: '1.26.3-3+deb13u10',
        unserved: true,
        upstream: 'https://example.org/nginx-1.26.3.tar.gz',
        orig: file('pool/nginx_1.26.3.orig.tar.gz', 'debian-security'),
      });
    });

    test('that its author serves counts as served, and only then is the author asked', async () => {
      const asked: string[] = [];
      const published = (url: string) => {
        asked.push(url);
        return Promise.resolve(true);
      };
      const pinned = await locker.lockSource([source('1:1.26.3-3')], definition, { ...nowhere, published });
      expect(pinned).toMatchObject({ version: '1:1.26.3-3', upstream: 'https://example.org/nginx-1.26.3.tar.gz' });
      expect(pinned.unserved).toBeUndefined();
      expect(asked).toEqual(['https://example.org/nginx-1.26.3.tar.gz']);
      expect((await locker.lockSource(records, definition, everything)).upstream).toBe(asked[0]);
    });

    test('an older one that is served goes before a newer one that is not', async () => {
      const available = ({ archive }: PinnedFile) => Promise.resolve(archive === 'debian');
      const options = { ...everything, available, published: () => Promise.resolve(false) };
      const pinned = await locker.lockSource(records, definition, options);
      expect(pinned).toMatchObject({ version: '1.26.3-3+deb13u7', heldBack: '1.26.3-3+deb13u10' });
      expect(pinned.unserved).toBeUndefined();
    });
  });

  test.each([true, false])('that is pinned by hand (served: %s)', async (isServed) => {
    const url = 'https://example.org/download/nginx-1.31.5.tar.gz';
    const definition = { url, version: '1.31.5', size: 7, sha256: digest.hex(digest.of('x')), evidence: 'there' };
    const asked: string[] = [];
    const published = (address: string) => {
      asked.push(address);
      return Promise.resolve(isServed);
    };
    expect(await locker.lockArchive('nginx', definition, { published })).toEqual({
      package: 'nginx',
      version: '1.31.5',
      upstream: url,
      ...(isServed ? {} : { unserved: true }),
      orig: { archive: '-', path: 'nginx-1.31.5.tar.gz', size: 7, sha256: digest.of('x') },
    });
    expect(asked).toEqual([url]);
  });

  test.each<[string, Partial<SourceRecord>]>([
    ['a native format', { format: '3.0 (native)', files: [file('pool/nginx_1.tar.xz')] }],
    ['several original archives', { files: [...source('1').files, file('pool/nginx_1.26.3.orig-more.tar.gz')] }],
    ['no archive of Debian', { files: source('1').files.slice(0, 3) }],
  ])('%s is SOURCE_UNSUPPORTED', async (_name, more) => {
    const error = await rejection(locker.lockSource([source('1', 'debian', more)], nginx, everything));
    expect(error.code).toBe('SOURCE_UNSUPPORTED');
  });
});

const pinned = (name: string, version: string, content = version): PinnedPackage => ({
  ...file(`pool/${name}_${version}.deb`),
  sha256: digest.of(content),
  name,
  version,
  architecture: 'amd64',
});

test('what changed', () => {
  const base = { schema: 1 as const, archives: {}, definitions: {} };
  const orig = file('pool/orig');
  const before: Lock = {
    ...base,
    roots: { builder: [pinned('gcc', '14'), pinned('make', '4'), pinned('same', '1')], gone: [pinned('x', '1')] },
    sources: { nginx: { package: 'nginx', version: '1-1', orig } },
  };
  const after: Lock = {
    ...base,
    roots: { builder: [pinned('gcc', '15'), pinned('same', '1'), pinned('zip', '3')] },
    sources: { nginx: { package: 'nginx', version: '1-2', orig }, lua: { package: 'lua', version: '5', orig } },
  };
  expect(locker.diff(before, after)).toEqual([
    { where: 'builder', package: 'gcc', from: '14', to: '15' },
    { where: 'builder', package: 'make', from: '4', to: undefined },
    { where: 'builder', package: 'zip', from: undefined, to: '3' },
    { where: 'gone', package: 'x', from: '1', to: undefined },
    { where: 'sources', package: 'lua', from: undefined, to: '5' },
    { where: 'sources', package: 'nginx', from: '1-1', to: '1-2' },
  ]);
  expect(locker.diff(after, after)).toEqual([]);
  const rebuilt: Lock = { ...after, roots: { builder: [pinned('gcc', '15', 'other bytes')] } };
  expect(locker.diff({ ...after, roots: { builder: [pinned('gcc', '15')] } }, rebuilt)).toEqual([
    { where: 'builder', package: 'gcc', from: '15', to: '15' },
  ]);
  expect(locker.diff(undefined, { ...base, roots: { a: [pinned('x', '1')] }, sources: {} })).toEqual([
    { where: 'a', package: 'x', from: undefined, to: '1' },
  ]);
});

test('whether a source is served is part of what changed', () => {
  const orig = file('pool/orig');
  const lockOf = (more: object): Lock => ({
    ...{ schema: 1, archives: {}, definitions: {}, roots: {} },
    sources: { nginx: { package: 'nginx', version: '1-1', orig, ...more } },
  });
  const row = { where: 'sources', package: 'nginx', from: '1-1', to: '1-1' };
  expect(locker.diff(lockOf({}), lockOf({ unserved: true }))).toEqual([row]);
  expect(locker.diff(lockOf({ heldBack: '2-1' }), lockOf({}))).toEqual([row]);
  expect(locker.diff(lockOf({ unserved: true }), lockOf({ unserved: true }))).toEqual([]);
});

test('a date as the snapshot archive has it', () => {
  expect(locker.stamp(new Date('2026-11-19T02:12:54.000Z'))).toBe('20261119T021254Z');
});
