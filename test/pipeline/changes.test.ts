import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import type { Lock, PinnedPackage, PinnedSource } from '../../libs/core/lock.ts';
import * as changes from '../../libs/pipeline/changes.ts';
import type { Made } from '../../libs/pipeline/lock.ts';

const file = { archive: 'debian', path: 'pool/x', size: 1, sha256: digest.of('x') };

/** `name version`. */
const entry = (title: string): PinnedPackage => {
  const [name = '', version = ''] = title.split(' ');
  return { ...file, sha256: digest.of(title), name, version, architecture: 'amd64' };
};
const source = (title: string, more: Partial<PinnedSource> = {}): PinnedSource => {
  const [name = '', version = ''] = title.split(' ');
  return { package: name, version, orig: file, ...more };
};
const lockOf = (
  roots: Readonly<Record<string, readonly string[]>>,
  sources: Readonly<Record<string, PinnedSource>> = {},
): Lock => ({
  schema: 1,
  archives: {},
  definitions: {},
  roots: Object.fromEntries(Object.entries(roots).map(([name, titles]) => [name, titles.map(entry)])),
  sources,
});

const SUITES: Readonly<Record<string, readonly string[]>> = {
  'libc6 2': ['trixie', 'trixie-updates'],
  'libssl 4': ['trixie', 'trixie-security'],
  'libssl 2': ['trixie'],
  'nginx 2': ['trixie-security'],
  'nginx 3': ['forky'],
};
const made = (lock: Lock, chains: Made['chains'] = new Map()): Made => ({
  lock,
  chains,
  leftOut: new Map(),
  suitesOf: (name, version) => SUITES[`${name} ${version}`] ?? [],
});
const rows = (before: Lock | undefined, after: Lock, chains?: Made['chains']): string[][] =>
  changes
    .rows(before, made(after, chains))
    .map((row) => [row.package, row.from ?? '-', row.to ?? '-', row.where.join(', '), row.why]);

describe('packages', () => {
  test('once, with all roots that have them, and where the new version is from', () => {
    const before = lockOf({ builder: ['libc6 1', 'libssl 3'], client: ['libc6 1', 'zlib 1'] });
    const after = lockOf({ builder: ['libc6 2', 'libssl 4'], client: ['libc6 2'] });
    expect(rows(before, after)).toEqual([
      ['libc6', '1', '2', 'builder, client', 'in trixie, trixie-updates'],
      ['libssl', '3', '4', 'builder', 'security: trixie-security'],
      ['zlib', '1', '-', 'client', 'no longer needed'],
    ]);
    expect(changes.rows(before, made(after)).map(({ package: name, security }) => [name, security])).toEqual([
      ['libc6', false],
      ['libssl', true],
      ['zlib', false],
    ]);
    expect(rows(after, after)).toEqual([]);
  });

  test('different changes of one package apart', () => {
    const before = lockOf({ a: ['libc6 1'], b: ['libc6 1.5'] });
    expect(rows(before, lockOf({ a: ['libc6 2'], b: ['libc6 2'] })).map(([, from, , where]) => [from, where])).toEqual([
      ['1', 'a'],
      ['1.5', 'b'],
    ]);
  });

  test('what needs a new one, and what was asked for', () => {
    const chains = new Map([
      [
        'builder',
        new Map([
          ['libx', ['gcc', 'gcc-14']],
          ['curl', []],
        ]),
      ],
    ]);
    expect(rows(lockOf({ builder: [] }), lockOf({ builder: ['libx 1', 'curl 8'] }), chains)).toEqual([
      ['curl', '-', '8', 'builder', 'asked for'],
      ['libx', '-', '1', 'builder', 'needed by gcc -> gcc-14'],
    ]);
    const [first] = changes.rows(lockOf({ builder: [] }), made(lockOf({ builder: ['libssl 4'] })));
    expect(first?.security, 'what was not there was not in danger').toBe(false);
  });

  test('an older version, and other bytes of the same', () => {
    expect(rows(lockOf({ a: ['libssl 3'] }), lockOf({ a: ['libssl 2'] }))).toEqual([
      ['libssl', '3', '2', 'a', 'an older version; in trixie'],
    ]);
    const after = lockOf({ a: ['libssl 2'] });
    const rebuilt = { ...entry('libssl 2'), sha256: digest.of('other') };
    expect(rows({ ...after, roots: { a: [rebuilt] } }, after)).toEqual([
      ['libssl', '2', '2', 'a', 'the same version, another file; in trixie'],
    ]);
  });
});

test('a root that is new or gone is one row, and so is everything in a first lock', () => {
  const lock = lockOf({ builder: ['gcc 14', 'libc6 1'], 'module-x': ['libx 1'] });
  expect(rows(lockOf({ builder: ['gcc 14', 'libc6 1'], 'module-y': [] }), lock)).toEqual([
    ['1 package', '-', '-', 'module-x', 'a new root'],
    ['0 packages', '-', '-', 'module-y', 'nothing asks for this root'],
  ]);
  expect(rows(undefined, lock).map(([what, , , where]) => [what, where])).toEqual([
    ['2 packages', 'builder'],
    ['1 package', 'module-x'],
  ]);
});

describe('sources', () => {
  const change = (before: PinnedSource | undefined, after: PinnedSource | undefined): string | undefined => {
    const of = (one: PinnedSource | undefined): Lock => lockOf({}, one === undefined ? {} : { web: one });
    return rows(of(before), of(after))[0]?.at(-1);
  };

  test.each<[string, PinnedSource | undefined, PinnedSource | undefined]>([
    ['a new source; in forky', undefined, source('nginx 3')],
    ['nothing asks for this source', source('nginx 3'), undefined],
    ['security: trixie-security', source('nginx 1'), source('nginx 2')],
    ['security: trixie-security; served now', source('nginx 1', { heldBack: '2' }), source('nginx 2')],
    ['in forky; held back: 4, which no mirror serves', source('nginx 1'), source('nginx 3', { heldBack: '4' })],
    ['held back: 4, which no mirror serves', source('nginx 3'), source('nginx 3', { heldBack: '4' })],
    ['4 is in no index any more', source('nginx 3', { heldBack: '4' }), source('nginx 3')],
    ['served now', source('nginx 3', { unserved: true }), source('nginx 3')],
    ['no mirror serves it: only its digest is known', source('nginx 3'), source('nginx 3', { unserved: true })],
    [
      'in forky; no mirror serves it: only its digest is known',
      source('nginx 2', { unserved: true }),
      source('nginx 3', { unserved: true }),
    ],
    [
      'pinned by hand; no mirror serves it, nor does its author: only its digest is known',
      source('nginx 3'),
      source('nginx 9', { unserved: true, upstream: 'https://example.org/nginx-9.tar.gz' }),
    ],
    ['the same version, found or read otherwise', source('nginx 3'), source('nginx 3', { patches: ['a'] })],
  ])('%s', (why, before, after) => {
    expect(change(before, after)).toBe(why);
  });

  test('are not confused with packages of the same name and versions', () => {
    const before = lockOf({ packages: ['nginx 1'] }, { nginx: source('nginx 1') });
    const after = lockOf({ packages: ['nginx 2'] }, { nginx: source('nginx 2') });
    expect(rows(before, after).map(([, , , where]) => where)).toEqual(['packages', 'sources']);
  });
});

test('what nobody serves, for a program and for a person', () => {
  const lock = lockOf(
    {},
    {
      web: source('nginx 2', { heldBack: '3' }),
      lua: source('lua-module 1', { unserved: true }),
      ndk: source('ndk 1', { unserved: true }),
      fine: source('fine 1'),
    },
  );
  expect(changes.unserved(lock)).toEqual([
    { source: 'lua', package: 'lua-module', locked: '1', unserved: true },
    { source: 'ndk', package: 'ndk', locked: '1', unserved: true },
    { source: 'web', package: 'nginx', locked: '2', heldBack: '3' },
  ]);
  expect(changes.unservedLines(lock)).toEqual([
    'held back: nginx 3 is signed, but no mirror serves its source; 2 is locked',
    'not served, so only the digest is known: lua 1, ndk 1',
  ]);
  expect(changes.unservedLines(lockOf({}))).toEqual([]);
});

test('for what a lock is stale', () => {
  const before = { ...lockOf({}), definitions: { a: digest.of('1'), b: digest.of('1'), gone: digest.of('1') } };
  const after = { ...lockOf({}), definitions: { b: digest.of('2'), a: digest.of('1'), 'source-c': digest.of('1') } };
  expect(changes.stale(before, after)).toEqual(['b', 'source-c']);
});
