import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as lookup from '../../libs/collect/lookup.ts';
import * as roots from '../../libs/collect/roots.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

const open = (...trees: tree.Tree[]): roots.Roots => roots.open(trees.map((each) => tree.make(each)));
const content = (found: lookup.Found | undefined): string | undefined =>
  found?.type === 'file' ? readFileSync(found.source, 'utf8') : undefined;

const merged = {
  lib: { link: 'usr/lib' },
  'usr/lib/x/libz.so.1.3': 'z',
  'usr/lib/x/libz.so.1': { link: 'libz.so.1.3' },
};

describe('one root', () => {
  test('gives the real path and the links on the way', () => {
    expect(open(merged).lookup('/lib/x/libz.so.1')).toMatchObject({
      type: 'file',
      path: '/usr/lib/x/libz.so.1.3',
      links: [
        { path: '/lib', target: 'usr/lib', last: false },
        { path: '/usr/lib/x/libz.so.1', target: 'libz.so.1.3', last: true },
      ],
    });
  });

  test('absolute targets, and ones with too many .., stay inside', () => {
    const root = open({
      'etc/passwd': 'mine',
      absolute: { link: '/etc/passwd' },
      'a/b/climbing': { link: '../../../../../etc/passwd' },
    });
    for (const path of [
      '/absolute',
      '/a/b/climbing',
      '/../../etc/passwd',
      '/a/../etc//passwd',
      '/a/b/../../absolute',
    ]) {
      expect(content(root.lookup(path)), path).toBe('mine');
      expect(root.lookup(path)?.path).toBe('/etc/passwd');
    }
  });

  test('.. after a link is the parent of where the link leads', () => {
    const root = open({
      'usr/lib/x': { directory: true },
      'usr/mark': 'right',
      mark: 'wrong',
      lib: { link: 'usr/lib' },
    });
    expect(content(root.lookup('/lib/../mark'))).toBe('right');
  });

  test('nothing is found below a file, behind a dangling link, or with a slash after a file', () => {
    const root = open({ file: 'x', dangling: { link: 'nowhere' }, directory: { directory: true } });
    expect(root.lookup('/file/below')).toBeUndefined();
    expect(root.lookup('/file/..')).toBeUndefined();
    expect(root.lookup('/file/')).toBeUndefined();
    expect(root.lookup('/dangling')).toBeUndefined();
    expect(root.lookup('/none')).toBeUndefined();
    expect(root.lookup('/directory/')).toMatchObject({ type: 'directory', path: '/directory' });
    expect(root.lookup('/')).toMatchObject({ type: 'directory', path: '/' });
  });

  test('links in a circle are an error that names them', () => {
    const root = open({ a: { link: 'b' }, b: { link: '/a' } });
    expect(thrown(() => root.lookup('/a'))).toMatchObject({
      code: 'SYMLINK_LOOP',
      found: expect.stringContaining('/b -> /a'),
    });
    expect(thrown(() => root.lookup('a')).code).toBe('PATH_NOT_ABSOLUTE');
  });

  test('a root that is not there', () => {
    expect(thrown(() => roots.open([join(tree.make(), 'none')])).code).toBe('ROOT_MISSING');
    expect(thrown(() => roots.open([join(tree.make({ file: '' }), 'file/x')])).code).toBe('ROOT_MISSING');
  });
});

describe('several roots', () => {
  test('the first wins, a directory in both has the names of both', () => {
    const root = open({ 'etc/a': 'new', 'etc/b': 'new' }, { 'etc/a': 'old', 'etc/c': 'old', 'etc/sub/d': 'old' });
    expect(content(root.lookup('/etc/a'))).toBe('new');
    expect(content(root.lookup('/etc/c'))).toBe('old');
    expect(root.list('/etc')).toEqual(['a', 'b', 'c', 'sub']);
    expect(content(root.lookup('/etc/sub/d'))).toBe('old');
  });

  test('a file in the first hides a directory in the second, and the other way round', () => {
    const root = open(
      { x: 'file', 'y/in': 'directory' },
      { 'x/in': 'hidden', y: 'hidden' },
      { 'y/more': 'hidden too' },
    );
    expect(content(root.lookup('/x'))).toBe('file');
    expect(root.lookup('/x/in')).toBeUndefined();
    expect(content(root.lookup('/y/in'))).toBe('directory');
    expect(root.list('/y')).toEqual(['in']);
  });

  test('a link of one root leads to a file of the other', () => {
    const root = open({ 'opt/link': { link: '/srv/file' } }, { 'srv/file': 'there' });
    expect(content(root.lookup('/opt/link'))).toBe('there');
  });

  test('a link of a lower root is never followed on the host in place of a directory of the first', () => {
    const outside = tree.make({ secret: 'outside' });
    const root = open({ 'usr/d/own': 'own' }, { 'usr/d': { link: outside } });
    expect(root.lookup('/usr/d/secret')).toBeUndefined();
    expect(root.list('/usr/d')).toEqual(['own']);
  });

  test.each([
    ['the staging folder first', [{ 'lib/x/libnew.so': 'new', 'lib/x/libz.so.1.3': 'newer' }, merged]],
    ['the staging folder last', [merged, { 'lib/x/libnew.so': 'new', 'lib/x/libz.so.1.3': 'newer' }]],
  ])('a real /lib over or under /lib -> usr/lib is the link: %s', (_name, trees) => {
    const root = open(...(trees as tree.Tree[]));
    for (const path of ['/lib/x/libnew.so', '/usr/lib/x/libnew.so']) {
      expect(root.lookup(path)?.path).toBe('/usr/lib/x/libnew.so');
      expect(content(root.lookup(path))).toBe('new');
    }
    expect(content(root.lookup('/lib/x/libz.so.1'))).toBe(trees[0] === merged ? 'z' : 'newer');
    expect(root.list('/usr/lib/x')).toEqual(['libnew.so', 'libz.so.1', 'libz.so.1.3']);
    expect(root.list('/')).toEqual(['lib', 'usr']);
  });

  test('a directory that is there only by such a link', () => {
    const root = open({ lib64: { link: 'usr/lib64' }, usr: { directory: true } }, { 'lib64/ld.so': 'loader' });
    expect(content(root.lookup('/lib64/ld.so'))).toBe('loader');
    expect(root.lookup('/usr/lib64')).toMatchObject({ type: 'directory' });
  });
});

test('any tree of links and any path: the kernel’s chroot rules hold against a plain model', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const target = fc
    .array(fc.oneof(name, fc.constantFrom('..', '.')), { minLength: 1, maxLength: 4 })
    .chain((parts) => fc.constantFrom(parts.join('/'), `/${parts.join('/')}`));
  const node = fc.oneof(
    fc.constant({ type: 'directory' as const, source: '' }),
    fc.constant({ type: 'file' as const, source: '' }),
    target.map((text) => ({ type: 'symlink' as const, source: '', target: text })),
  );
  const world = fc.dictionary(
    fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`),
    node,
  );
  fc.assert(
    fc.property(world, target, (nodes, path) => {
      const entry = (at: string): lookup.Node | undefined =>
        at === '/' ? { type: 'directory', source: '' } : nodes[at];
      try {
        const found = lookup.walk(`/${path}`, entry);
        // The end is a path without links, of which each part but the last is a directory.
        const parts = (found?.path ?? '/').split('/').filter((part) => part !== '');
        parts.forEach((_part, index) => {
          const at = `/${parts.slice(0, index + 1).join('/')}`;
          expect(entry(at)?.type).toBe(index === parts.length - 1 ? found?.type : 'directory');
        });
        expect(parts).not.toContain('..');
      } catch (error) {
        expect(error).toMatchObject({ code: 'SYMLINK_LOOP' });
      }
    }),
    { numRuns: 2000 },
  );
});

test('nothing is made or changed by looking', () => {
  const top = tree.make({ a: 'x' });
  mkdirSync(join(top, 'empty'));
  const root = roots.open([top]);
  root.lookup('/not/there');
  expect(root.list('/')).toEqual(['a', 'empty']);
});
