import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as openpgp from 'openpgp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RootDefinition, Suite } from '../../libs/core/channel.ts';
import type { Lock } from '../../libs/core/lock.ts';
import * as lock from '../../libs/core/lock.ts';
import * as platform from '../../libs/core/platform.ts';
import { type LockContext, type Made, makeLocks } from '../../libs/pipeline/lock.ts';
import * as locks from '../../libs/pipeline/locks.ts';
import type { Parts } from '../../libs/pipeline/parts.ts';
import type { Store } from '../../libs/store/store.ts';
import { rejection } from '../support/errors.ts';

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

/** `name version`, and fields. */
type Stanza = readonly [title: string, fields?: Readonly<Record<string, string>>];

const packagesOf = (stanzas: readonly Stanza[]): string =>
  stanzas
    .map(([title, fields = {}]) => {
      const [name, version] = title.split(' ');
      const all = {
        ...{ Package: name, Version: version, Architecture: 'amd64', Filename: `pool/${name}_${version}.deb` },
        ...{ Size: '1', SHA256: sha256(title), ...fields },
      };
      return `${Object.entries(all)
        .map(([field, value]) => `${field}: ${value}`)
        .join('\n')}\n`;
    })
    .join('\n');

const sourcesOf = (titles: readonly string[]): string =>
  titles
    .map((title) => {
      const [name, version = ''] = title.split(' ');
      const files = [`${name}_${version.replace(/-.*/, '')}.orig.tar.gz`, `${name}_${version}.debian.tar.xz`];
      const sums = files.map((file) => ` ${sha256(file)} 5 ${file}`).join('\n');
      return `Package: ${name}\nVersion: ${version}\nFormat: 3.0 (quilt)\nDirectory: pool\nChecksums-Sha256:\n${sums}\n`;
    })
    .join('\n');

const stable: Suite = { archive: 'debian', suite: 'trixie' };
const security: Suite = { archive: 'debian-security', suite: 'trixie-security' };
const testing: Suite = { archive: 'debian', suite: 'forky' };

const now = new Date('2026-11-21T00:00:00Z');
const earlier = new Date('2026-11-20T00:00:00Z');

let key: Awaited<ReturnType<typeof makeKey>>;
const makeKey = () =>
  openpgp.generateKey({ type: 'ecc', userIDs: [{ name: 'Test' }], format: 'object', date: earlier });
let server: Server;
let base: string;
/** By path of a URL. */
const files = new Map<string, Buffer>();
let requests: string[];

beforeAll(async () => {
  key = await makeKey();
  server = createServer(({ url = '', method }, response) => {
    requests.push(`${method} ${url}`);
    const content = files.get(url);
    if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await publish(
    stable,
    packagesOf([
      ['gcc 14', { Depends: 'libc6, awk' }],
      ['libc6 2'],
      ['mawk 1', { Provides: 'awk' }],
      ['gawk 1', { Provides: 'awk' }],
      ['libssl 3.5', { Depends: 'libc6' }],
      ['module-dev 1', { Depends: 'libx, mawk | gawk' }],
      ['libx 1'],
      ['broken 1', { Depends: 'nowhere' }],
    ]),
    sourcesOf(['nginx 1.26-1', 'lua 1-1', 'brotli 1-1']),
  );
  await publish(security, packagesOf([['libc6 2+deb13u1']]), sourcesOf(['nginx 1.27-1']));
  await publish(
    testing,
    packagesOf([
      ['gawk 2', { Provides: 'awk' }],
      ['mawk 2', { Provides: 'awk' }],
      ['gcc 15', { Depends: 'awk' }],
      ['libssl 4.0', { Depends: 'libc6' }],
      ['libc6 3'],
    ]),
    sourcesOf(['lua 2-1', 'brotli 3-1']),
  );
  files.set('/debian/pool/nginx_1.26.orig.tar.gz', Buffer.from('there'));
  files.set('/debian/pool/lua_1.orig.tar.gz', Buffer.from('there'));
  files.set('/author/nginx-1.31.tar.gz', Buffer.from('there'));
});

beforeEach(() => {
  requests = [];
});

afterAll(() => {
  server.close();
});

/** Serves a suite whose release names these two indexes. */
async function publish({ archive, suite }: Suite, binary: string, source: string): Promise<void> {
  const indexes = Object.entries({ 'main/binary-amd64/Packages.gz': binary, 'main/source/Sources.gz': source }).map(
    ([path, text]) => [path, gzipSync(text)] as const,
  );
  const sums = indexes.map(([path, bytes]) => ` ${sha256(bytes)} ${bytes.length} ${path}`).join('\n');
  const text = `Codename: ${suite}\nDate: ${earlier.toUTCString()}\nSHA256:\n${sums}\n`;
  const message = await openpgp.createCleartextMessage({ text });
  const signed = await openpgp.sign({ message, signingKeys: key.privateKey, date: earlier });
  const top = `/${archive}/dists/${suite}`;
  files.set(`${top}/InRelease`, Buffer.from(signed));
  for (const [path, bytes] of indexes) files.set(`${top}/${path}`, bytes);
}

const context = (): LockContext => ({
  mirrors: (archive) => [`${base}/${archive}/`],
  store: {} as Store,
  signal: new AbortController().signal,
  machine: platform.ofMachine('linux', 'x64'),
  trust: {
    keys: [key.publicKey.armor()],
    fingerprints: [key.publicKey.getFingerprint()],
    now,
    checkValidUntil: true,
  },
  say: () => undefined,
});

const root = (packages: readonly string[], more: Partial<RootDefinition> = {}): RootDefinition => ({
  suites: [stable, security],
  packages,
  folderLinks: {},
  links: {},
  directories: [],
  exclude: [],
  ...more,
});

const parts = (more: Partial<Parts>): Parts => ({ roots: {}, sources: {}, sourceSuites: [stable, security], ...more });
const only = async (more: Partial<Parts>): Promise<Made> => (await makeLocks([parts(more)], context()))[0] as Made;
const titles = ({ roots }: Lock, name: string): string[] =>
  (roots[name] ?? []).map((entry) => `${entry.name} ${entry.version}`);

describe('roots', () => {
  test('one by itself, and what others need beside it, wherever they stand in the list', async () => {
    const { lock: made, chains } = await only({
      roots: {
        'module-x': { definition: root(['module-dev']), base: 'builder' },
        builder: { definition: root(['gcc']) },
        'module-none': { definition: root(['libc6']), base: 'builder' },
      },
    });
    expect(titles(made, 'builder')).toEqual(['gawk 1', 'gcc 14', 'libc6 2+deb13u1']);
    expect(titles(made, 'module-x')).toEqual(['libx 1', 'module-dev 1']);
    expect(made.roots['module-none']).toEqual([]);
    expect(chains.get('module-x')?.get('libx')).toEqual(['module-dev']);
    expect(lock.parse(lock.format(made), 'x.json')).toEqual(made);
  });

  test('one with packages of another distribution', async () => {
    const prefer = { suites: [testing], packages: ['libssl'] };
    const { lock: made, suitesOf } = await only({
      roots: { builder: { definition: root(['gcc', 'libssl'], { prefer }) } },
    });
    expect(titles(made, 'builder')).toEqual(['gawk 1', 'gcc 14', 'libc6 2+deb13u1', 'libssl 4.0']);
    expect(suitesOf('libssl', '4.0')).toEqual(['forky']);
    expect(suitesOf('libc6', '2+deb13u1')).toEqual(['trixie-security']);
  });

  test('a choice that the suites have not is left out, and asking for it is not LOCK_STALE', async () => {
    const all = parts({
      roots: {
        builder: { definition: root(['gcc']) },
        'package-x': { definition: root(['unknown']), base: 'builder' },
        'package-y': { definition: root(['broken']), base: 'builder' },
      },
    });
    const [made] = await makeLocks([all], context());
    expect(Object.keys(made?.lock.roots ?? {})).toEqual(['builder']);
    expect([...(made?.leftOut ?? [])]).toEqual([
      ['package-x', expect.stringContaining('no package unknown')],
      ['package-y', expect.stringContaining('broken -> nowhere')],
    ]);
    const read = (name: string) => () => locks.packages(made?.lock as Lock, name, all);
    expect(read('builder')).not.toThrow();
    expect(read('package-x')).toThrow(expect.objectContaining({ code: 'PACKAGE_UNAVAILABLE' }));
  });

  test('what is no choice must be there: a base, and what a recipe names', async () => {
    const builder = { definition: root(['gcc']) };
    const recipe = { definition: root(['unknown']), base: 'builder' };
    expect((await rejection(only({ roots: { builder, recipe } }))).code).toBe('DEPENDENCY_UNSATISFIABLE');
    expect((await rejection(only({ roots: { x: { definition: root(['unknown']) } } }))).code).toBe(
      'DEPENDENCY_UNSATISFIABLE',
    );
  });

  test('are the same, whatever is locked before them', async () => {
    const wanted = parts({ roots: { packages: { definition: root(['gcc'], { suites: [testing] }) } } });
    const other = parts({ roots: { builder: { definition: root(['gcc']) } } });
    const [alone] = await makeLocks([wanted], context());
    const [, after] = await makeLocks([other, wanted], context());
    expect(after?.lock).toEqual(alone?.lock);
    // apt's choice among equals is what its own indexes named last: `mawk` here, `gawk` in stable.
    expect(titles(alone?.lock as Lock, 'packages')).toEqual(['gcc 15', 'mawk 2']);
  });
});

describe('sources', () => {
  test('the newest that is served, of the suites of each', async () => {
    const { lock: made, suitesOf } = await only({
      sources: {
        nginx: { package: 'nginx', patches: false },
        lua: { package: 'lua', patches: false, suites: [testing, stable] },
        brotli: { package: 'brotli', patches: false, suites: [testing] },
      },
    });
    expect(made.sources).toMatchObject({
      nginx: { version: '1.26-1', heldBack: '1.27-1', orig: { archive: 'debian' } },
      lua: { version: '1-1', heldBack: '2-1' },
      brotli: { version: '3-1', unserved: true },
    });
    expect(suitesOf('brotli', '3-1')).toEqual(['forky']);
    expect(Object.keys(made.archives).sort()).toEqual(['debian', 'debian-security']);
    expect(made.archives.debian?.date).toBe('20261121T120000Z');
  });

  test('an archive that is pinned by hand', async () => {
    const pin = (name: string) => ({
      url: `${base}/author/${name}`,
      ...{ version: '1.31', size: 5, sha256: sha256('there'), evidence: 'this test' },
    });
    const { lock: made } = await only({ sources: { nginx: pin('nginx-1.31.tar.gz'), gone: pin('gone-1.31.tar.gz') } });
    expect(made.sources.nginx).toMatchObject({ version: '1.31', orig: { archive: '-', path: 'nginx-1.31.tar.gz' } });
    expect(made.sources.nginx?.unserved).toBeUndefined();
    expect(made.sources.gone?.unserved).toBe(true);
    expect(made.archives).toEqual({});
  });

  test('that need their patches and are nowhere', async () => {
    const error = await rejection(only({ sources: { nginx: { package: 'nginx', patches: true } } }));
    expect(error.code).toBe('SOURCE_MISSING');
  });
});

test('every index is read once, only if somebody needs it, and no question is asked twice', async () => {
  const one = parts({
    roots: { builder: { definition: root(['gcc']) } },
    sources: { lua: { package: 'lua', patches: false, suites: [testing] } },
  });
  await makeLocks([one, { ...one }], context());
  expect(requests.length).toBe(new Set(requests).size);
  expect(requests.filter((line) => line.includes('forky')).sort()).toEqual([
    'GET /debian/dists/forky/InRelease',
    'GET /debian/dists/forky/main/source/Sources.gz',
  ]);
  expect(requests.filter((line) => line.includes('trixie') && line.includes('Sources'))).toEqual([]);
});

test('an index that nobody has', async () => {
  const suites = [{ archive: 'debian', suite: 'sid' }];
  const error = await rejection(only({ roots: { x: { definition: root(['gcc'], { suites }) } } }));
  expect(error.code).toBe('INDEX_UNREACHABLE');
  expect(error.message).toContain('dists/sid/InRelease');
  expect(error.found).toContain('404');
});
