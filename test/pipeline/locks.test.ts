import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RootDefinition } from '../../libs/core/channel.ts';
import type { Digest } from '../../libs/core/digest.ts';
import * as digest from '../../libs/core/digest.ts';
import type { Lock, PinnedPackage } from '../../libs/core/lock.ts';
import * as locks from '../../libs/pipeline/locks.ts';
import type { Parts } from '../../libs/pipeline/parts.ts';
import { rejection } from '../support/errors.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

const suites = [{ archive: 'debian', suite: 'trixie' }];
const root = (packages: readonly string[], more: Partial<RootDefinition> = {}): RootDefinition => ({
  suites,
  packages,
  folderLinks: {},
  links: {},
  directories: [],
  exclude: [],
  ...more,
});

const nginx = { package: 'nginx', patches: true };
const archive = { url: 'https://example.org/a.tar.gz', version: '1', size: 1, sha256: 'a'.repeat(64), evidence: 'x' };
const parts: Parts = {
  roots: {
    builder: { definition: root(['gcc', 'make']) },
    'module-x': { definition: root(['libx-dev']), base: 'builder' },
    'module-y': { definition: root(['gcc']), base: 'builder' },
  },
  sources: { nginx, lua: { package: 'lua', patches: false, suites }, archive },
  sourceSuites: suites,
};

const file = { archive: 'debian', path: 'pool/x', size: 1, sha256: digest.of('x') };
const entry = (name: string): PinnedPackage => ({ ...file, name, version: '1', architecture: 'amd64' });
/** A lock that was made for these parts. */
const madeFor = (all: Parts): Lock => ({
  schema: 1,
  archives: {},
  definitions: Object.fromEntries([
    ...Object.keys(all.roots).map((name) => [name, locks.definitionOfRoot(all, name)]),
    ...Object.keys(all.sources).map((name) => [locks.sourceKey(name), locks.definitionOfSource(all, name) as Digest]),
  ]),
  roots: { builder: [entry('gcc'), entry('make')], 'module-x': [entry('libx-dev')], 'module-y': [] },
  sources: Object.fromEntries(
    Object.keys(all.sources).map((name) => [name, { package: name, version: '1', orig: file }]),
  ),
});
const lock = madeFor(parts);

const withRoot = (name: string, definition: RootDefinition): Parts => {
  const part = parts.roots[name];
  return { ...parts, roots: { ...parts.roots, [name]: { ...part, definition } } };
};
/** Which roots and sources of the lock other parts can still use. */
const usable = (all: Parts): string[] => [
  ...Object.keys(parts.roots).filter((name) => succeeds(() => locks.packages(lock, name, all))),
  ...Object.keys(parts.sources).filter((name) => succeeds(() => locks.source(lock, name, all))),
];
function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'LOCK_STALE', hint: 'npm run lock' });
    return false;
  }
}
const everything = ['builder', 'module-x', 'module-y', 'nginx', 'lua', 'archive'];

test('a lock that is not there, or is none', async () => {
  const dir = tree.make({ 'nginx-quic/locks/bad.json': '{}' });
  expect(await rejection(locks.read(locks.path(dir, 'none')))).toMatchObject({
    code: 'LOCK_MISSING',
    expected: join(dir, 'nginx-quic/locks/none.json'),
    message: expect.stringContaining('none.json'),
  });
  expect((await rejection(locks.read(locks.path(dir, 'bad')))).code).toBe('LOCK_INVALID');
});

describe('a lock gives', () => {
  test('the packages and sources that it was made for', () => {
    expect(usable(parts)).toEqual(everything);
    expect(locks.packages(lock, 'builder', parts).map(({ name }) => name)).toEqual(['gcc', 'make']);
    expect(locks.packages(lock, 'module-y', parts)).toEqual([]);
    expect(locks.source(lock, 'archive', parts).package).toBe('archive');
  });

  test('the same where only what is made after unpacking is different', () => {
    const links = { '/usr/bin/cc': 'gcc' };
    const definition = root(['gcc', 'make'], { links, exclude: ['/usr/share/man'], directories: ['/tmp'] });
    expect(usable(withRoot('builder', definition))).toEqual(everything);
    const other = { ...archive, evidence: 'elsewhere' };
    expect(usable({ ...parts, sources: { ...parts.sources, archive: other } })).toEqual(everything);
  });
});

describe('a lock is stale only for', () => {
  test('a new choice of the catalogue', () => {
    const more = withRoot('module-z', root(['libz-dev']));
    expect(usable({ ...more, sources: { ...more.sources, z: nginx } })).toEqual(everything);
    expect(thrown(() => locks.packages(lock, 'module-z', more)).message).toContain('root module-z needs libz-dev');
    expect(thrown(() => locks.source(lock, 'z', more)).message).toContain('source z is needed');
    expect(thrown(() => locks.packages(lock, 'nobody', parts)).code).toBe('LOCK_STALE');
  });

  test('a root with other packages', () => {
    const changed = withRoot('module-x', root(['libx-dev', 'gcc', 'liby-dev']));
    expect(usable(changed)).toEqual(everything.filter((name) => name !== 'module-x'));
    // What the base has is not missing.
    expect(thrown(() => locks.packages(lock, 'module-x', changed)).message).toContain('needs liby-dev;');
  });

  test.each<[string, RootDefinition]>([
    ['suites', root(['gcc', 'make'], { suites: [] })],
    ['packages left out', root(['gcc', 'make'], { without: ['perl'] })],
    ['preferences', root(['gcc', 'make'], { prefer: { suites, packages: ['gcc'] } })],
  ])('a base with other %s, and what is added to it', (_what, definition) => {
    expect(usable(withRoot('builder', definition))).toEqual(['nginx', 'lua', 'archive']);
  });

  test('a source that is looked for elsewhere', () => {
    expect(usable({ ...parts, sourceSuites: [] })).toEqual(everything.filter((name) => name !== 'nginx'));
    const sources = { ...parts.sources, nginx: { ...nginx, patches: false } };
    expect(usable({ ...parts, sources })).toEqual(everything.filter((name) => name !== 'nginx'));
    const other = { ...parts.sources, archive: { ...archive, sha256: 'b'.repeat(64) } };
    expect(usable({ ...parts, sources: other })).toEqual(everything.filter((name) => name !== 'archive'));
  });
});

test("a recipe's own lock is made anew by another command", () => {
  const recipe = withRoot('recipe', root(['tzdata']));
  expect(thrown(() => locks.packages(lock, 'recipe', recipe))).toMatchObject({
    code: 'LOCK_STALE',
    message: expect.stringContaining('needs tzdata'),
    hint: 'npm run lock -- --recipe DIR',
  });
});

test('a choice that the distribution did not have is no stale lock', () => {
  const { 'module-x': _, ...roots } = lock.roots;
  const error = thrown(() => locks.packages({ ...lock, roots }, 'module-x', parts));
  expect(error).toMatchObject({ code: 'PACKAGE_UNAVAILABLE', found: 'trixie' });
  expect(error.message).toContain('libx-dev');
});
