import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as lock from '../../libs/core/lock.ts';
import * as pinnedParts from '../../libs/pipeline/locks.ts';
import * as parts from '../../libs/pipeline/parts.ts';
import { channels } from '../../nginx-quic/channels/index.ts';
import { lua } from '../../nginx-quic/lua.ts';
import { modules } from '../../nginx-quic/modules/index.ts';
import { tools } from '../../nginx-quic/tools.ts';
import * as definitions from '../support/definitions.ts';
import { thrown } from '../support/thrown.ts';

const repository = join(import.meta.dirname, '../..');
const sha256 = 'a'.repeat(64);
const file = { archive: 'debian', path: 'pool/main/z/zlib/zlib1g_1.deb', size: 7, sha256 };
const valid = {
  schema: 1,
  archives: { debian: { date: '20261119T021254Z' } },
  definitions: { builder: sha256, sources: sha256 },
  roots: { builder: [{ ...file, name: 'zlib1g', version: '1:1.3', architecture: 'amd64' }] },
  sources: { nginx: { package: 'nginx', version: '1.26.3-3', orig: file, debian: file, patches: ['a.patch'] } },
};
const changed = (change: (value: typeof valid) => unknown): string => {
  const value = structuredClone(valid);
  change(value);
  return JSON.stringify(value);
};
test('is read, and written so that it is read back', () => {
  const read = lock.parse(JSON.stringify(valid), 'x.json');
  expect(read.roots.builder?.[0]?.sha256).toBe(`sha256:${sha256}`);
  const text = lock.format(read);
  expect(lock.parse(text, 'x.json')).toEqual(read);
  expect(lock.format(lock.parse(text, 'x.json'))).toBe(text);
  expect(text.split('\n').filter((line) => line.includes('zlib1g_1.deb'))).toHaveLength(2);
  expect(text.endsWith('}\n')).toBe(true);
});

test('a source may be known by its digest alone, or be published by its author only', () => {
  const { debian: _, patches: __, ...nginx } = valid.sources.nginx;
  const source = { ...nginx, upstream: 'https://example.org/nginx-1.tar.gz', unserved: true };
  const text = JSON.stringify({ ...valid, sources: { nginx: { ...source, orig: { ...file, archive: '-' } } } });
  const read = lock.parse(text, 'x.json');
  expect(lock.parse(lock.format(read), 'x.json')).toEqual(read);
  expect(read.sources.nginx).toMatchObject({ unserved: true, orig: { archive: '-' } });
});

const pinned = (change: object): string => changed(({ roots }) => Object.assign(roots.builder[0] ?? {}, change));

test.each<[string, string, string]>([
  ['no JSON', '{', 'is not JSON'],
  ['another schema', changed((value) => Object.assign(value, { schema: 2 })), 'schema'],
  ['a digest that is none', pinned({ sha256: 'a' }), 'roots.builder.0.sha256'],
  ['a path out of the archive', pinned({ path: 'pool/../../x' }), 'roots.builder.0.path'],
  ['an absolute path', pinned({ path: '/etc/passwd' }), 'roots.builder.0.path'],
  ['a negative size', pinned({ size: -1 }), 'roots.builder.0.size'],
  ['a date that is none', changed(({ archives }) => Object.assign(archives.debian, { date: 'today' })), 'date'],
  ['a field that is not known', changed((value) => Object.assign(value, { more: 1 })), 'more'],
  [
    'an author without https',
    changed(({ sources }) => Object.assign(sources.nginx, { upstream: 'http://x.org/a' })),
    'upstream',
  ],
  ['a source without its archive', changed(({ sources }) => Object.assign(sources.nginx, { orig: 1 })), 'orig'],
])('%s is an error that says where', (_name, text, where) => {
  const error = thrown(() => lock.parse(text, 'x.json'));
  expect(error.code).toBe('LOCK_INVALID');
  expect(error.message).toContain('x.json');
  expect(error.message).toContain(where);
  expect(error.hint).toBe('npm run lock');
});

const locks: readonly (readonly [path: string, all: parts.Parts])[] = [
  ...channels.map((channel) => [`nginx-quic/locks/${channel.name}.json`, parts.of(channel, { modules, lua })] as const),
  ['nginx-quic/locks/tools.json', parts.ofRoots(tools)],
  ['test/support/locks/test.json', parts.ofRoots(definitions.roots)],
];

test.each(locks)('%s is a lock, and has every package and source that is asked for', (path, all) => {
  const read = lock.parse(readFileSync(join(repository, path), 'utf8'), path);
  const namesOf = (root: string | undefined): string[] => read.roots[root ?? '']?.map(({ name }) => name) ?? [];
  for (const [root, { definition, base }] of Object.entries(all.roots)) {
    // Not every distribution has every choice of the catalogue.
    if (base !== undefined && read.roots[root] === undefined) continue;
    const names = namesOf(root);
    expect([...names, ...namesOf(base)], root).toEqual(expect.arrayContaining([...definition.packages]));
    expect(names, root).toEqual([...new Set(names)].sort((a, b) => (a < b ? -1 : 1)));
    expect(
      names.filter((name) => namesOf(base).includes(name)),
      root,
    ).toEqual([]);
    expect(
      definition.without?.filter((name) => names.includes(name) && !definition.packages.includes(name)) ?? [],
    ).toEqual([]);
    expect(pinnedParts.packages(read, root, all)).toHaveLength(names.length);
  }
  expect(Object.keys(read.sources).sort()).toEqual(Object.keys(all.sources).sort());
  for (const name of Object.keys(all.sources)) expect(pinnedParts.source(read, name, all).orig.size).toBeGreaterThan(0);
});
