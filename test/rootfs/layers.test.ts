import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Entry, sorted } from '../../libs/core/entry.ts';
import * as generated from '../../libs/rootfs/generated.ts';
import * as layers from '../../libs/rootfs/layers.ts';
import { merge } from '../../libs/rootfs/merge.ts';
import { thrown } from '../support/thrown.ts';

const below =
  (...prefixes: string[]) =>
  ({ path }: Entry): boolean =>
    prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
const groups: layers.Group[] = [
  { name: 'system', matches: (entry) => !below('/etc/nginx', '/usr/sbin/nginx', '/opt/lua', '/srv')(entry) },
  { name: 'nginx', matches: below('/usr/sbin/nginx', '/opt/lua') },
  { name: 'configuration', matches: () => true },
];
const tree = (...paths: string[]): Entry[] =>
  merge([{ name: 'test', entries: paths.map((path) => generated.file(path, path, 'test')) }]);
const split = (entries: readonly Entry[]): Record<string, string[]> =>
  Object.fromEntries(
    layers.split(entries, groups).map(({ name, entries: own }) => [name, own.map(({ path }) => path)]),
  );

describe('split', () => {
  test('each parent is in the first layer that needs it, and only there', () => {
    expect(
      split(
        tree(
          '/etc/passwd',
          '/etc/nginx/nginx.conf',
          '/usr/lib/libc.so.6',
          '/usr/sbin/nginx',
          '/opt/lua/x.lua',
          '/srv/a/index.html',
        ),
      ),
    ).toEqual({
      system: ['/etc', '/etc/passwd', '/usr', '/usr/lib', '/usr/lib/libc.so.6'],
      nginx: ['/opt', '/opt/lua', '/opt/lua/x.lua', '/usr/sbin', '/usr/sbin/nginx'],
      configuration: ['/etc/nginx', '/etc/nginx/nginx.conf', '/srv', '/srv/a', '/srv/a/index.html'],
    });
  });

  test('empty layers are left out', () => {
    expect(Object.keys(split(tree('/etc/nginx/nginx.conf')))).toEqual(['configuration']);
    expect(layers.split([], groups)).toEqual([]);
  });

  test('empty directories, and those with an owner of their own, go where the predicates say', () => {
    const cache: Entry = { type: 'directory', path: '/opt/lua/cache', mode: 0o700, uid: 101, gid: 101 };
    const empty: Entry = { type: 'directory', path: '/srv/empty', mode: 0o755, uid: 0, gid: 0 };
    const found = split(
      merge([{ name: 'test', entries: [cache, empty, generated.file('/opt/lua/cache/x', '', 'test')] }]),
    );
    expect(found).toEqual({
      nginx: ['/opt', '/opt/lua', '/opt/lua/cache', '/opt/lua/cache/x'],
      configuration: ['/srv', '/srv/empty'],
    });
  });

  test('what nobody wants', () => {
    expect(thrown(() => layers.split(tree('/etc/x'), groups.slice(1, 2)))).toMatchObject({
      code: 'LAYER_UNMATCHED',
      expected: 'nginx',
    });
  });

  const path = fc
    .array(fc.constantFrom('etc', 'nginx', 'usr', 'sbin', 'lib', 'srv', 'opt', 'lua', 'x'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => `/${parts.join('/')}/file`);

  test('nothing is lost or doubled, and every layer can be unpacked on those below it', () => {
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 12 }), (paths) => {
        const entries = tree(...new Set(paths));
        const found = layers.split(entries, groups);
        expect(sorted(found.flatMap((layer) => layer.entries))).toEqual(entries);
        const there = new Set(['']);
        for (const layer of found) {
          for (const entry of layer.entries) {
            expect(there.has(entry.path.slice(0, entry.path.lastIndexOf('/')))).toBe(true);
            there.add(entry.path);
          }
        }
      }),
    );
  });

  test('a changed configuration leaves the layers below as they were', () => {
    const configuration = fc.array(
      fc
        .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
        .map((parts) => `/etc/nginx/${parts.join('/')}/file`),
      { maxLength: 8 },
    );
    const lower = (entries: readonly Entry[]): layers.Layer[] =>
      layers.split(entries, groups).filter(({ name }) => name !== 'configuration');
    fc.assert(
      fc.property(fc.array(path, { maxLength: 12 }), configuration, configuration, (rest, before, after) => {
        const fixed = rest.filter((each) => !below('/etc/nginx')({ ...generated.file(each, '', ''), path: each }));
        expect(lower(tree(...new Set([...fixed, ...before])))).toEqual(lower(tree(...new Set([...fixed, ...after]))));
      }),
    );
  });
});
