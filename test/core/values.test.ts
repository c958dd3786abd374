import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import { type Entry, sorted } from '../../libs/core/entry.ts';
import { ForgeError, hasCode } from '../../libs/core/errors.ts';
import * as output from '../../libs/core/output.ts';
import * as platform from '../../libs/core/platform.ts';
import { thrown } from '../support/thrown.ts';

describe('a digest', () => {
  const hex = createHash('sha256').update('abc').digest('hex');

  test('of bytes, of text, and of what passes in pieces', () => {
    expect(digest.of('abc')).toBe(`sha256:${hex}`);
    expect(digest.of(Buffer.from('abc'))).toBe(`sha256:${hex}`);
    const hasher = digest.hasher();
    for (const letter of 'abc') hasher.update(Buffer.from(letter));
    expect(hasher.digest()).toBe(`sha256:${hex}`);
    expect(digest.hex(digest.fromHex(hex))).toBe(hex);
  });

  test.each([
    '',
    hex,
    `sha512:${hex}`,
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex}0`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}\n`,
  ])('is not %j', (text) => {
    expect(thrown(() => digest.parse(text))).toMatchObject({ code: 'DIGEST_INVALID', found: text });
  });

  test('of JSON does not depend on the order of keys, but on everything else', () => {
    expect(digest.ofJson({ a: 1, b: { c: [2, 3], d: null } })).toBe(digest.ofJson({ b: { d: null, c: [2, 3] }, a: 1 }));
    expect(digest.ofJson([1, 2])).not.toBe(digest.ofJson([2, 1]));
    expect(digest.ofJson({ a: '1' })).not.toBe(digest.ofJson({ a: 1 }));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // `-0` is written as `0`, in JSON as such.
        expect(JSON.parse(digest.canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

test('entries are sorted byte by byte, so that a folder comes before what is in it', () => {
  const entry = (path: string): Entry => ({ type: 'directory', path, mode: 0o755, uid: 0, gid: 0 });
  const paths = ['/usr/lib', '/usr', '/usr-local', '/Usr', '/\u{1d11e}', '/\uffee', '/usr/lib/a'];
  expect(sorted(paths.map(entry)).map(({ path }) => path)).toEqual([
    ...['/Usr', '/usr', '/usr-local', '/usr/lib', '/usr/lib/a'],
    // In UTF-8 the order is that of the code points, in UTF-16 it is not.
    ...['/\uffee', '/\u{1d11e}'],
  ]);
});

describe('a platform', () => {
  test.each([
    ['linux/amd64', 'x86_64-linux-gnu', 'x64'],
    ['linux/arm64', 'aarch64-linux-gnu', 'arm64'],
  ])('%s', (text, triplet, arch) => {
    expect(platform.format(platform.parse(text))).toBe(text);
    expect(platform.parse(text).triplet).toBe(triplet);
    expect(platform.ofMachine('linux', arch)).toBe(platform.parse(text));
  });

  test('that is not known is an error that names those that are', () => {
    expect(thrown(() => platform.ofMachine('darwin', 'arm64'))).toMatchObject({
      code: 'PLATFORM_UNKNOWN',
      expected: 'linux/amd64 or linux/arm64',
      found: 'darwin/arm64',
    });
  });
});

describe('an output', () => {
  test.each(['layout:dist/oci', 'archive:/tmp/a:b.tar', 'dockerfile:.'])('%s', (text) => {
    expect(output.format(output.parse(text))).toBe(text);
  });

  test.each(['', 'layout', 'layout:', 'registry:x', 'Layout:x', ':x'])('is not %j', (text) => {
    expect(thrown(() => output.parse(text))).toMatchObject({ code: 'OUTPUT_INVALID', found: text });
  });

  test('one that is named takes the place of the default of its type', () => {
    const merged = output.merge(
      ['layout:a', 'dockerfile:b'].map(output.parse),
      ['archive:c', 'layout:d', 'layout:e'].map(output.parse),
    );
    expect(merged.map(output.format)).toEqual(['dockerfile:b', 'archive:c', 'layout:d', 'layout:e']);
  });
});

test('an error has a code, and keeps its cause', () => {
  const cause = new Error('why');
  const error = new ForgeError('SOME_CODE', 'what', { expected: 'a', hint: 'do', cause });
  expect(error).toMatchObject({
    name: 'ForgeError',
    code: 'SOME_CODE',
    message: 'what',
    expected: 'a',
    hint: 'do',
    cause,
  });
  expect(error.found).toBeUndefined();
  expect(hasCode(Object.assign(new Error('x'), { code: 'ENOENT' }), 'EEXIST', 'ENOENT')).toBe(true);
  expect(hasCode({ code: 'ENOENT' }, 'ENOENT')).toBe(false);
});
