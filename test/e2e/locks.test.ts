import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { build, run } from './support/cli.ts';
import { eachFile, mirror, nobody } from './support/mirror.ts';
import { clone, type Project } from './support/project.ts';
import { type Store, storeWith, warmDigest } from './support/stores.ts';

const DEBIAN = 'nginx-quic/locks/debian.json';
const TOOLS = 'nginx-quic/locks/tools.json';

/** A small package of the client's root. */
const WANTED = /\/zlib1g_/;

beforeAll(async () => {
  // So that no test has the making of the warm store in its time.
  await warmDigest();
});

/** What a run that ended before anything was made must leave: nothing. */
function untouched(project: Project, store: Store): void {
  expect(existsSync(project.path('dist'))).toBe(false);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
  expect(existsSync(join(store.dir, 'root')) ? readdirSync(join(store.dir, 'root')) : []).toEqual([]);
  expect(existsSync(join(store.dir, 'records'))).toBe(false);
}

/** Runs a build that must fail with that code, twice: for a person and for a program. */
async function fails(project: Project, store: Pick<Store, 'env'>, code: string): Promise<string> {
  const text = await run(project, 'build-image', [], store);
  expect(text.exitCode, text.stdout).toBe(1);
  expect(text.stdout).toBe('');
  expect(text.stderr).toContain(`error ${code}: `);
  expect(text.stderr, 'an error of ours has no stack').not.toMatch(/^\s+at /m);
  const json = await run(project, 'build-image', ['--json'], store);
  expect(json.exitCode).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code, message: expect.any(String) } });
  return text.stderr;
}

test.each([
  [
    'is missing',
    'LOCK_MISSING',
    (project: Project) => rmSync(project.path(DEBIAN)),
    /git checkout nginx-quic\/locks.*npm run lock/,
  ],
  [
    'is empty',
    'LOCK_INVALID',
    (project: Project) => writeFileSync(project.path(DEBIAN), ''),
    /debian\.json is not JSON/,
  ],
  [
    'has a conflict of a merge in it',
    'LOCK_INVALID',
    (project: Project) => project.edit(DEBIAN, (text) => `<<<<<<< HEAD\n${text}`),
    /debian\.json is not JSON/,
  ],
  [
    'has a field that is not known',
    'LOCK_INVALID',
    (project: Project) => project.edit(TOOLS, (text) => text.replace('{', '{ "comment": "mine",')),
    /tools\.json is not a lock.*comment/,
  ],
  [
    'is of another schema',
    'LOCK_INVALID',
    (project: Project) => project.edit(DEBIAN, (text) => text.replace(/"schema": 1/, '"schema": 2')),
    /debian\.json is not a lock: schema/,
  ],
  [
    'has a path that leads out of the archive',
    'LOCK_INVALID',
    (project: Project) => project.edit(DEBIAN, (text) => text.replace('"pool/main/', '"../pool/main/')),
    /debian\.json is not a lock: roots\.builder\.\d+\.path/,
  ],
  [
    'has a digest that is none',
    'LOCK_INVALID',
    (project: Project) => project.edit(DEBIAN, (text) => text.replace(/"sha256": ?"[0-9a-f]/, '"sha256":"x')),
    /debian\.json is not a lock: roots\.builder\.\d+\.sha256/,
  ],
  [
    'does not have a package that the channel names',
    'LOCK_STALE',
    (project: Project) =>
      project.edit('nginx-quic/channels/builder.ts', (text) => text.replace("'make',", "'make',\n    'git',")),
    /root builder needs git; the lock was made for something else\s+next: npm run lock/,
  ],
  [
    'does not have a source that a module of the recipe needs',
    'LOCK_STALE',
    (project: Project) => project.edit(DEBIAN, (text) => text.replace('"ndk": {', '"gone": {')),
    /source ndk is needed[^\n]*\s+next: npm run lock/,
  ],
  [
    'was made for another source of that name',
    'LOCK_STALE',
    (project: Project) =>
      project.edit('nginx-quic/channels/debian.ts', (text) => text.replace("package: 'luajit'", "package: 'luajit2'")),
    /source luajit is wanted from elsewhere[^\n]*\s+next: npm run lock/,
  ],
])('a lock that %s: %s', async (_what, code, damage, message) => {
  const project = clone();
  damage(project);
  const store = await storeWith();
  expect(await fails(project, store, code)).toMatch(message);
  untouched(project, store);
});

test('a lock with a wrong digest: what the mirror has is not taken, and the right lock goes on from there', async () => {
  const project = clone();
  const store = await storeWith('compile', 'image', 'sandbox');
  const { env } = await mirror(project);
  const right = readFileSync(project.path(TOOLS));
  eachFile(project, TOOLS, (file) => {
    if (WANTED.test(file.path)) file.sha256 = file.sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  });
  const options = { env: { ...store.env, ...env } };
  const said = await fails(project, options, 'DIGEST_MISMATCH');
  expect(said).toMatch(/zlib1g_\S+: the bytes are not those that the lock names/);
  expect(said).toMatch(/expected: sha256 [0-9a-f]{64}/);
  expect(store.paths('client').map((path) => existsSync(path))).toEqual([false]);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
  expect(readdirSync(join(store.dir, 'root'))).toHaveLength(2);
  expect(readdirSync(join(store.dir, 'downloads', 'tmp'))).toEqual([]);
  expect(existsSync(project.path('dist'))).toBe(false);

  writeFileSync(project.path(TOOLS), right);
  expect((await build(project, options)).digest).toBe(await warmDigest());
});

test('a file that no mirror has: every place that was tried is named', async () => {
  const project = clone();
  const store = await storeWith('compile', 'image', 'sandbox');
  const { env, requests } = await mirror(project, (path) => (WANTED.test(path) ? 'missing' : 'whole'));
  const base = env.H3FORGE_DEBIAN_MIRROR;
  const setting = `${base},${base}second/`;
  const options = { env: { ...store.env, H3FORGE_DEBIAN_MIRROR: setting } };
  const said = await fails(project, options, 'DOWNLOAD_FAILED');
  expect(said).toMatch(/zlib1g_\S+ could not be downloaded/);
  expect(said).toMatch(/from one of 2 places/);
  expect(said.match(/http:\/\/127\.0\.0\.1:\d+\/\S*zlib1g_\S+: 404/g)).toHaveLength(2);
  expect(said).toContain('H3FORGE_DEBIAN_MIRROR');
  expect(requests.some((path) => path.startsWith('/second/'))).toBe(true);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
  expect(readdirSync(join(store.dir, 'root'))).toHaveLength(2);
  expect(existsSync(project.path('dist'))).toBe(false);
});

test.each([
  ['serves other bytes', 'wrong', 'DIGEST_MISMATCH', /the bytes are not those that the lock names/],
  ['cuts a file short', 'cut', 'DOWNLOAD_FAILED', /zlib1g_\S+: ended after \d+ of \d+ bytes/],
] as const)('a mirror that %s: nothing is kept, and the next mirror is asked', async (_what, how, code, message) => {
  const project = clone();
  const store = await storeWith('compile', 'image', 'sandbox');
  const bad = (path: string): boolean => WANTED.test(path) && !path.startsWith('/good/');
  const { env } = await mirror(project, (path) => (bad(path) ? how : 'whole'));
  const only = { env: { ...store.env, ...env } };
  expect(await fails(project, only, code)).toMatch(message);
  expect(readdirSync(join(store.dir, 'downloads', 'tmp'))).toEqual([]);
  expect(store.paths('client').map((path) => existsSync(path))).toEqual([false]);

  const both = {
    env: { ...store.env, H3FORGE_DEBIAN_MIRROR: `${env.H3FORGE_DEBIAN_MIRROR},${env.H3FORGE_DEBIAN_MIRROR}good/` },
  };
  expect((await build(project, both)).digest).toBe(await warmDigest());
});

test('a mirror that cannot be reached is named, and so is a setting that is none', async () => {
  const project = clone();
  await mirror(project);
  const store = await storeWith('compile', 'image', 'sandbox');
  const { url, ...setting } = await nobody();
  const said = await fails(project, { env: { ...store.env, ...setting } }, 'DOWNLOAD_FAILED');
  expect(said.replaceAll(url, 'NOBODY/')).toMatch(/^ {2}NOBODY\/\S+\.deb: .*ECONNREFUSED/m);
  const nonsense = { env: { ...store.env, H3FORGE_DEBIAN_MIRROR: 'ftp://127.0.0.1/debian' } };
  expect(await fails(project, nonsense, 'MIRROR_INVALID')).toContain('ftp://127.0.0.1/debian');
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
});
