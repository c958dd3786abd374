import { expect, test } from 'vitest';
import * as series from '../../libs/source/series.ts';

test('the patches of a series file, in order, without comments and empty lines', () => {
  const text = '# from upstream\n0001-fix.patch\n\n  sub/0002.patch -p0  # why\n#0003-off.patch\nlast.diff';
  expect(series.parse(text)).toEqual(['0001-fix.patch', 'sub/0002.patch -p0', 'last.diff']);
  expect(series.parse('')).toEqual([]);
});

test('a command for each, which takes no patch by guessing', () => {
  const [first, second] = series.plan(['a.patch', 'sub/b.patch -p0'], '/build');
  expect(first).toMatchObject({ name: 'patch a.patch', cwd: '/build' });
  expect(first?.argv).toEqual(expect.arrayContaining(['patch', '-p1', '--fuzz=0', '--forward', '--batch']));
  expect(first?.argv).toContain('--input=debian/patches/a.patch');
  expect(second?.argv).toContain('-p0');
  expect(second?.argv).toContain('--input=debian/patches/sub/b.patch');
  expect(second?.argv).not.toContain('-p1');
});
