import { appendFileSync, chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RootDefinition } from '../../libs/core/channel.ts';
import * as digest from '../../libs/core/digest.ts';
import type { Lock } from '../../libs/core/lock.ts';
import type { NginxModule } from '../../libs/core/module.ts';
import * as output from '../../libs/core/output.ts';
import * as keys from '../../libs/pipeline/keys.ts';
import * as locks from '../../libs/pipeline/locks.ts';
import { mirrorsOf } from '../../libs/pipeline/mirrors.ts';
import * as parts from '../../libs/pipeline/parts.ts';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import { stages } from '../../libs/pipeline/stages.ts';
import { recall, remember } from '../../libs/pipeline/unchanged.ts';
import * as versions from '../../libs/pipeline/versions.ts';
import * as stores from '../../libs/store/store.ts';
import { plain } from '../../libs/ui/plain.ts';
import { debian } from '../../nginx-quic/channels/debian.ts';
import { rejection } from '../support/errors.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

const ignore = (): void => undefined;

describe('stages', () => {
  test('may overlap; what is recorded is in the order of their beginning', async () => {
    const written: string[] = [];
    const all = stages(
      plain((line) => void written.push(line)),
      ignore,
    );
    const gate = Promise.withResolvers<void>();
    const slow = all.run('slow', async () => {
      await gate.promise;
      return { value: 1, cached: false };
    });
    const fast = all.run('fast', async (progress) => {
      progress.status('working');
      gate.resolve();
      return { value: 2, cached: true };
    });
    expect(await Promise.all([slow, fast])).toEqual([1, 2]);
    expect(all.records().map(({ name, cached }) => [name, cached])).toEqual([
      ['slow', false],
      ['fast', true],
    ]);
    expect(written).toEqual(expect.arrayContaining(['fast: working', 'fast: nothing to do']));
  });

  test('one that fails while nobody waits for it harms nothing, and is waited for', async () => {
    const written: string[] = [];
    const heard: unknown[] = [];
    const all = stages(
      plain((line) => void written.push(line)),
      (error) => void heard.push(error),
    );
    const failure = new Error('no');
    const failing = all.run('bad', () => Promise.reject(failure));
    await all.settled();
    await expect(failing).rejects.toBe(failure);
    expect(heard).toEqual([failure]);
    expect(written).toEqual([expect.stringMatching(/^bad: FAILED/)]);
  });
});

describe('a build that was done before', () => {
  const result = { schema: 1, ok: true, digest: 'x' } as unknown as BuildResult;
  const key = digest.of('inputs');

  test.each<[string, (dir: string) => void, boolean]>([
    ['as it was', () => undefined, true],
    ['a file is gone', (dir) => rmSync(join(dir, 'oci', 'index.json')), false],
    ['a file has changed', (dir) => appendFileSync(join(dir, 'oci', 'index.json'), ' '), false],
    ['the folder is gone', (dir) => rmSync(join(dir, 'oci'), { recursive: true }), false],
    ['the archive has changed', (dir) => appendFileSync(join(dir, 'image.tar'), ' '), false],
    ['a mode has changed', (dir) => chmodSync(join(dir, 'oci', 'index.json'), 0o600), false],
  ])('is remembered as long as its outputs are: %s', async (_name, damage, same) => {
    const dir = tree.make({ 'oci/index.json': '{}', 'image.tar': 'tar' });
    const store = await stores.open(tree.make());
    const outputs = [`layout:${dir}/oci`, `archive:${dir}/image.tar`].map(output.parse);
    await remember(store, key, outputs, result);
    damage(dir);
    expect(await recall(store, key, outputs)).toEqual(same ? result : undefined);
  });

  test('is none for other inputs or other outputs', async () => {
    const dir = tree.make({ 'oci/index.json': '{}', 'other/index.json': '{}' });
    const store = await stores.open(tree.make());
    const outputs = [output.parse(`layout:${dir}/oci`)];
    await remember(store, key, outputs, result);
    expect(await recall(store, digest.of('others'), outputs)).toBeUndefined();
    expect(await recall(store, key, [output.parse(`layout:${dir}/other`)])).toBeUndefined();
  });
});

describe('keys', () => {
  test('of code: what was not named does not matter', async () => {
    const dir = tree.make({
      ...{ 'libs/a/x.ts': '1', 'libs/a/y/z.ts': '2', 'libs/ab/x.ts': '3', 'libs/b.ts': '4' },
      ...{ 'dockerfiles/x.ts': '5', 'package-lock.json': '{}' },
    });
    const before = await keys.codeOf(dir);
    writeFileSync(join(dir, 'libs/ab/x.ts'), 'changed');
    const after = await keys.codeOf(dir);
    expect(after('libs/a', 'libs/b.ts')).toBe(before('libs/a', 'libs/b.ts'));
    expect(after('libs/ab')).not.toBe(before('libs/ab'));
    writeFileSync(join(dir, 'libs/a/y/z.ts'), 'changed');
    expect((await keys.codeOf(dir))('libs/a')).not.toBe(after('libs/a'));
  });

  test('of a folder: names, bytes, and who may execute them', async () => {
    const dir = tree.make({ 'etc/nginx.conf': 'events {}', 'html/index.html': 'pong' });
    const before = await keys.folder(dir);
    expect(await keys.folder(tree.make({ 'html/index.html': 'pong', 'etc/nginx.conf': 'events {}' }))).toBe(before);
    chmodSync(join(dir, 'html/index.html'), 0o755);
    expect(await keys.folder(dir)).not.toBe(before);
    expect(await keys.folder(tree.make({ 'html/other.html': 'pong', 'etc/nginx.conf': 'events {}' }))).not.toBe(before);
  });
});

const file = { archive: 'debian', path: 'pool/x', size: 1, sha256: digest.of('x') };

test('versions: those of Debian where its patches are applied, of the modules, and of the libraries that matter', () => {
  const lock: Lock = {
    schema: 1,
    archives: {},
    definitions: {},
    roots: { builder: [{ ...file, name: 'libssl3t64', version: '3.5.7-1~deb13u3', architecture: 'amd64' }] },
    sources: {
      nginx: { package: 'nginx', version: '1.26.3-3+deb13u7', orig: file, debian: file },
      luajit: { package: 'luajit', version: '2.1.0+openresty20250117-2', orig: file },
      echo: { package: 'libnginx-mod-http-echo', version: '1:0.63-7', orig: file },
    },
  };
  const catalogue = [
    ...(['lua', 'echo', 'stream'] as const).map(
      (name): NginxModule => ({
        name,
        summary: '',
        homepage: '',
        source: name === 'stream' ? 'nginx' : { debian: name },
        link: { default: 'static' },
        objects: [],
        ...(name === 'lua' ? { needsLuajit: true } : {}),
        smoke: { server: '', request: { path: '/' }, expect: { status: 200 } },
      }),
    ),
  ];
  const chosen = catalogue.map((module) => ({
    module,
    link: 'static' as const,
    origin: module.source === 'nginx' ? ('nginx' as const) : ('source' as const),
    version: '0.63',
  }));
  expect(versions.of(lock, debian, 'builder', chosen, {})).toEqual({
    nginx: '1.26.3-3+deb13u7',
    luajit: '2.1.0+openresty20250117',
    lua: '0.63',
    echo: '0.63',
    openssl: '3.5.7-1~deb13u3',
    pcre2: 'none',
    glibc: 'none',
  });
  const tree = { path: '/x', sha256: file.sha256, given: './x', version: '1.31.5' };
  expect(versions.of(lock, debian, 'builder', [], { nginx: tree })).toMatchObject({ nginx: '1.31.5' });
  expect(versions.of(lock, debian, 'builder', [], {})).not.toHaveProperty('luajit');
});

test.each([
  ['1.26.3-3+deb13u7', '1.26.3'],
  ['1:0.10.28-2', '0.10.28'],
  ['2.1.0+openresty20250117-2', '2.1.0+openresty20250117'],
  ['1.0-rc1-2', '1.0-rc1'],
  ['7', '7'],
])('the upstream version of %s is %s', (version, upstream) => {
  expect(versions.upstream(version)).toBe(upstream);
});

describe('a lock', () => {
  test('that is not there, or is none', async () => {
    const dir = tree.make({ 'nginx-quic/locks/bad.json': '{}' });
    expect(await rejection(locks.read(locks.path(dir, 'none')))).toMatchObject({
      code: 'LOCK_MISSING',
      expected: join(dir, 'nginx-quic/locks/none.json'),
    });
    expect((await rejection(locks.read(locks.path(dir, 'bad')))).code).toBe('LOCK_INVALID');
  });

  const all = parts.of(debian, { modules: [], lua: [] });
  const lock: Lock = {
    schema: 1,
    archives: {},
    definitions: {
      builder: locks.definitionOfRoot(all, 'builder'),
      [locks.sourceKey('nginx')]: locks.definitionOfSource(all, 'nginx') as digest.Digest,
    },
    roots: { builder: [] },
    sources: { nginx: { package: 'nginx', version: '1', orig: file } },
  };
  const withBase = (change: Partial<RootDefinition>): parts.Parts =>
    parts.of({ ...debian, base: { ...debian.base, ...change } }, { modules: [], lua: [] });

  test('that was made for this very recipe', () => {
    expect(locks.packages(lock, 'builder', all)).toEqual([]);
    expect(locks.source(lock, 'nginx', all).version).toBe('1');
    // What is only made after unpacking needs no other lock.
    expect(locks.packages(lock, 'builder', withBase({ links: {}, exclude: [] }))).toEqual([]);
  });

  test('that was made for another recipe', () => {
    const stale = (work: () => unknown): string => {
      const error = thrown(work);
      expect(error.code).toBe('LOCK_STALE');
      expect(error.hint).toContain('npm run lock');
      return error.message;
    };
    expect(stale(() => locks.packages(lock, 'builder', withBase({ packages: ['binutils'] })))).toContain('builder');
    expect(stale(() => locks.packages(lock, 'builder', withBase({ suites: [] })))).toContain('builder');
    expect(stale(() => locks.packages(lock, 'builder', withBase({ without: [] })))).toContain('builder');
    const sources = { ...debian.sources, nginx: { package: 'nginx-other', patches: true } };
    const other = parts.of({ ...debian, sources }, { modules: [], lua: [] });
    expect(stale(() => locks.source(lock, 'nginx', other))).toContain('nginx');
    expect(stale(() => locks.source(lock, 'luajit', all))).toContain('luajit');
  });
});

test('mirrors: the machine’s own first, then the setting, the snapshot last', () => {
  const apt = { sources: [{ uri: 'http://one.test/debian', suites: ['trixie'] }], checkValidUntil: true };
  const bases = mirrorsOf(apt, 'http://two.test/debian')('debian', '20260912T075541Z');
  expect(bases.slice(0, 2)).toEqual(['http://one.test/debian/', 'http://two.test/debian/']);
  expect(bases.at(-1)).toContain('/debian/20260912T075541Z/');
});
