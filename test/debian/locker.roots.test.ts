import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import type { Lock } from '../../libs/core/lock.ts';
import * as lock from '../../libs/core/lock.ts';
import * as locker from '../../libs/debian/locker.ts';
import * as packages from '../../libs/debian/packages.ts';
import { thrown } from '../support/thrown.ts';

type Stanza = readonly [title: string, fields?: Readonly<Record<string, string>>];

/** The records of stanzas written as `name version` and fields. */
async function read(...stanzas: readonly Stanza[]) {
  const text = stanzas.map(([title, fields = {}]) => {
    const [name, version] = title.split(' ');
    const more = Object.entries(fields).map(([field, value]) => `${field}: ${value}\n`);
    return `Package: ${name}
Version: ${version}
Architecture: amd64
Filename: pool/main/${name}_${version}.deb
Size: 12
SHA256: ${digest.hex(digest.of(title))}
${more.join('')}`;
  });
  const bytes = async function* () {
    yield Buffer.from(text.join('\n'));
  };
  return await Array.fromAsync(packages.read(bytes(), 'debian'));
}

const indexOf = async (...stanzas: readonly Stanza[]) => packages.index(await read(...stanzas), 'amd64');
const titles = ({ packages: list }: locker.LockedRoot): string[] =>
  list.map(({ name, version }) => `${name} ${version}`);

describe('a root', () => {
  test('is every package of the closure, sorted, as a lock takes it', async () => {
    const index = await indexOf(['b 1:2-3'], ['a 1:2-3', { Depends: 'b' }], ['c 1:2-3']);
    const root = locker.lockRoot(index, { packages: ['a'] });
    expect(titles(root)).toEqual(['a 1:2-3', 'b 1:2-3']);
    const roots = { tools: [...root.packages] };
    const whole: Lock = { schema: 1, archives: {}, definitions: {}, roots, sources: {} };
    expect(lock.parse(lock.format(whole), 'test')).toEqual(whole);
  });

  test('says which package leads to each, by the shortest way', async () => {
    const index = await indexOf(
      ['gcc 14', { Depends: 'gcc-14 (>= 14)' }],
      ['gcc-14 14', { 'Pre-Depends': 'binutils', Depends: 'c-library' }],
      ['binutils 2', { Depends: 'libc6' }],
      ['libc6 2', { Provides: 'c-library (= 1)', Depends: 'gcc' }],
    );
    expect([...locker.lockRoot(index, { packages: ['gcc (>= 2)'] }).chains]).toEqual([
      ['gcc', []],
      ['gcc-14', ['gcc']],
      ['binutils', ['gcc', 'gcc-14']],
      ['libc6', ['gcc', 'gcc-14']],
    ]);
  });

  describe('with packages left out', () => {
    const stanzas: readonly Stanza[] = [
      ['lua-core 1', { Depends: 'luajit, lua-module (>= 2), abi-7' }],
      ['lua-module 3', { Depends: 'nginx', Breaks: 'other' }],
      ['nginx 1', { Depends: 'iproute2', Provides: 'abi-7' }],
      ['iproute2 6'],
      ['luajit 2'],
      ['other 1', { Depends: 'missing | nginx:any (>= 9)' }],
    ];

    test('has neither them nor what only they need, whatever version of them is asked for', async () => {
      const request = { packages: ['lua-core', 'other'], without: ['lua-module', 'nginx'] };
      const root = locker.lockRoot(await indexOf(...stanzas), request);
      expect(titles(root)).toEqual(['lua-core 1', 'luajit 2', 'other 1']);
      expect(titles(locker.lockRoot(await indexOf(...stanzas), { packages: ['lua-core'] }))).toHaveLength(5);
    });

    test('has one that is asked for by its name all the same', async () => {
      const request = { packages: ['lua-module'], without: ['lua-module', 'nginx'] };
      expect(titles(locker.lockRoot(await indexOf(...stanzas), request))).toEqual(['lua-module 3']);
    });

    test('does not find one of them as the provider of something else', async () => {
      const index = await indexOf(
        ['a 1', { Depends: 'b' }],
        ['b 1', { Depends: 'mail' }],
        ['mta 1', { Provides: 'mail' }],
      );
      expect(titles(locker.lockRoot(index, { packages: ['a'], without: ['mta'] }))).toEqual(['a 1', 'b 1']);
    });
  });
});

describe('what is added to a root', () => {
  const stanzas: readonly Stanza[] = [
    ['base 1', { Depends: 'awk | mawk, left' }],
    ['mawk 1', { Provides: 'awk' }],
    ['gawk 1', { Provides: 'awk' }],
    ['left 1'],
    ['module 1', { Depends: 'base, gawk | mawk, libx, left' }],
    ['libx 1'],
  ];
  const base = { packages: ['base'], without: ['left'] };

  test('is what the root has not, and what the root has satisfies what it can', async () => {
    const index = await indexOf(...stanzas);
    const { packages: locked } = locker.lockRoot(index, { ...base, packages: ['base', 'mawk'] });
    const extra = locker.lockExtra(index, base, locked, { packages: ['module'], without: ['left'] });
    expect(titles(extra)).toEqual(['libx 1', 'module 1']);
    expect(extra.chains.get('libx')).toEqual(['module']);
    expect(extra.chains.get('module')).toEqual([]);
  });

  test('may be nothing, or what the root leaves out', async () => {
    const index = await indexOf(...stanzas);
    const { packages: locked } = locker.lockRoot(index, base);
    expect(titles(locker.lockExtra(index, base, locked, { packages: ['base'] }))).toEqual([]);
    expect(titles(locker.lockExtra(index, base, locked, { packages: ['left'] }))).toEqual(['left 1']);
  });

  test('must not need another version of what is there', async () => {
    const { packages: locked } = locker.lockRoot(await indexOf(...stanzas), base);
    const newer = stanzas.map(([title, fields]): Stanza => [title.replace('base 1', 'base 2'), fields]);
    const index = await indexOf(...newer);
    const error = thrown(() => locker.lockExtra(index, base, locked, { packages: ['module'] }));
    expect(error).toMatchObject({ code: 'LOCK_BASE_CHANGED', expected: 'base 1', found: 'base 2' });
    expect(error.message).toContain('module');
  });
});

test('a preferred package comes from the preferred suites only, what it depends on from the own ones', async () => {
  const own = await read(['libssl 3.5', {}], ['libc 2.41'], ['zlib 1']);
  const preferred = await read(['libssl 3.4', { Depends: 'libc' }], ['libc 2.45'], ['zlib 2']);
  const index = packages.index(locker.preferring(own, preferred, ['libssl']), 'amd64');
  expect(titles(locker.lockRoot(index, { packages: ['libssl', 'zlib'] }))).toEqual([
    'libc 2.41',
    'libssl 3.4',
    'zlib 1',
  ]);
  const missing = packages.index(locker.preferring(own, [], ['libssl']), 'amd64');
  expect(thrown(() => locker.lockRoot(missing, { packages: ['libssl'] })).code).toBe('DEPENDENCY_UNSATISFIABLE');
});
