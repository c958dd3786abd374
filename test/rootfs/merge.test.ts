import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../libs/core/entry.ts';
import * as generated from '../../libs/rootfs/generated.ts';
import * as links from '../../libs/rootfs/links.ts';
import { merge } from '../../libs/rootfs/merge.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

const file = (path: string, text = ''): Entry => generated.file(path, text, 'test');
const link = (path: string, target: string): Entry => generated.link(path, target, 'test');
const directory = (path: string, mode = 0o755, uid = 0): Entry => ({ type: 'directory', path, mode, uid, gid: uid });
const paths = (entries: readonly Entry[]): string[] => entries.map(({ path }) => path);
const find = (entries: readonly Entry[], path: string): Entry | undefined =>
  entries.find((entry) => entry.path === path);

describe('merge', () => {
  const both = (a: Entry[], b: Entry[], overrides = false): Entry[] =>
    merge([
      { name: 'one', entries: a },
      { name: 'two', entries: b, overrides },
    ]);

  test('the same twice is once; the content decides, not where it lies', () => {
    const top = tree.make({ a: 'x'.repeat(600_000), b: 'x'.repeat(600_000), c: `${'x'.repeat(599_999)}y` });
    const from = (name: string): Entry => ({
      ...file('/f'),
      type: 'file',
      mode: 0o644,
      size: 600_000,
      content: { file: join(top, name) },
    });
    expect(both([from('a')], [from('b')])).toHaveLength(1);
    expect(thrown(() => both([from('a')], [from('c')])).code).toBe('ROOTFS_CONFLICT');
    expect(both([from('a')], [generated.file('/f', 'x'.repeat(600_000), 'test')])).toHaveLength(1);
    expect(both([link('/l', 'x')], [link('/l', 'x')])).toHaveLength(1);
    expect(thrown(() => both([link('/l', 'x')], [link('/l', 'y')])).code).toBe('ROOTFS_CONFLICT');
    expect(thrown(() => both([directory('/d')], [directory('/d', 0o700)])).code).toBe('ROOTFS_CONFLICT');
    expect(thrown(() => both([file('/f')], [link('/f', 'x')])).code).toBe('ROOTFS_CONFLICT');
    expect(thrown(() => both([file('/f', 'a')], [{ ...file('/f', 'a'), uid: 1 }])).code).toBe('ROOTFS_CONFLICT');
  });

  test('within one source even an overriding one may not contradict itself', () => {
    expect(thrown(() => both([], [file('/f', 'a'), file('/f', 'b')], true)).code).toBe('ROOTFS_CONFLICT');
  });

  test('below a link: at the real path, and conflicts are seen there', () => {
    const usrMerge = [link('/lib', 'usr/lib'), link('/usr/lib/x', '/opt/x')];
    expect(paths(both(usrMerge, [file('/lib/a'), file('/lib/x/b'), link('/lib/c', 'a'), directory('/lib/d')]))).toEqual(
      [
        ...[
          '/lib',
          '/opt',
          '/opt/x',
          '/opt/x/b',
          '/usr',
          '/usr/lib',
          '/usr/lib/a',
          '/usr/lib/c',
          '/usr/lib/d',
          '/usr/lib/x',
        ],
      ],
    );
    expect(thrown(() => both([...usrMerge, file('/usr/lib/a', '1')], [file('/lib/a', '2')]))).toMatchObject({
      code: 'ROOTFS_CONFLICT',
      message: expect.stringContaining('/usr/lib/a'),
    });
  });

  test('a directory at a link goes where the link leads; a file there is a conflict', () => {
    const entries = both([link('/var/run', '/run')], [directory('/var/run', 0o750, 7)]);
    expect(find(entries, '/run')).toMatchObject({ type: 'directory', mode: 0o750, uid: 7 });
    expect(thrown(() => both([link('/lib', 'usr/lib')], [file('/lib')])).code).toBe('ROOTFS_CONFLICT');
    expect(paths(both([link('/lib', 'usr/lib')], [file('/lib')], true))).toEqual(['/lib']);
  });

  test('a link that is overridden leads nowhere any more', () => {
    const entries = both([link('/etc/x', '/opt'), file('/etc/y')], [file('/etc/x', 'now a file')], true);
    expect(find(entries, '/etc/x')).toMatchObject({ type: 'file' });
    expect(find(entries, '/opt')).toBeUndefined();
  });

  test('below a file', () => {
    expect(thrown(() => both([file('/etc')], [file('/etc/x')]))).toMatchObject({
      code: 'ROOTFS_CONFLICT',
      message: '/etc/x lies below /etc, which is no directory',
    });
  });

  test.each(['etc', '/', '', '/a/../b', '/a//b', '/a/', '/a/.', '/a\0b'])('not a path: %j', (path) => {
    expect(thrown(() => both([file(path)], [])).code).toBe('ROOTFS_PATH_INVALID');
  });

  test.each([[[link('/a', 'b'), link('/b', 'a'), file('/a/x')]], [[link('/a', 'a/b'), file('/a/x')]]])(
    'links in a circle',
    (entries) => {
      expect(thrown(() => both(entries as Entry[], [])).code).toBe('ROOTFS_LINK_LOOP');
    },
  );

  test('whatever goes in, what comes out is a tree without paths through links', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
    const entry = fc.oneof(
      path.map((at) => file(at)),
      path.map((at) => directory(at)),
      fc.tuple(path, fc.oneof(path, fc.constantFrom('..', 'b', '../c', 'a/b'))).map(([at, target]) => link(at, target)),
    );
    let merged = 0;
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 6 }),
        fc.array(entry, { maxLength: 6 }),
        fc.boolean(),
        (a, b, overrides) => {
          let found: Entry[];
          try {
            found = both(a, b, overrides);
          } catch (error) {
            expect((error as { code: string }).code).toMatch(/^ROOTFS_(CONFLICT|LINK_LOOP)$/);
            return;
          }
          merged += 1;
          const types = new Map(found.map((each) => [each.path, each.type]));
          expect(types.size).toBe(found.length);
          for (const { path: at } of found) {
            const parent = at.slice(0, at.lastIndexOf('/'));
            expect(parent === '' || types.get(parent) === 'directory', `${parent} of ${at}`).toBe(true);
          }
          expect(both(found, found)).toEqual(found);
        },
      ),
      { numRuns: 1000 },
    );
    expect(merged).toBeGreaterThan(50);
  });
});

test('links are placed with what other links say of their parents', () => {
  const resolve = links.resolver(
    new Map([
      ['/a/x', '/target'],
      ['/a', '/b/c'],
      ['/b/c', '/d'],
    ]),
  );
  expect(resolve('/a/x/file', 'keep')).toBe('/target/file');
  expect(resolve('/d/x', 'follow')).toBe('/target');
  expect(resolve('/a/x', 'keep')).toBe('/d/x');
  expect(resolve('/../a/./y', 'keep')).toBe('/d/y');
});
