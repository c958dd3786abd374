import { describe, expect, test } from 'vitest';
import type { RecipeInput } from '../../libs/recipe/input.ts';
import { nearest } from '../../libs/recipe/nearest.ts';
import { read } from '../../libs/recipe/read.ts';
import { schema } from '../../libs/recipe/schema.ts';
import { thrown } from '../support/thrown.ts';

const FILE = '/shop/h3forge.config.ts';

/** Every field that there is: the compiler says so. */
const full: Required<RecipeInput> = {
  name: 'shop-edge_2',
  channel: 'packaged',
  modules: ['brotli', 'headers-more=dynamic', './my-module', { name: 'echo', link: 'static' }, { name: 'dav-ext' }],
  without: ['lua'],
  lua: ['resty.http', './lua'],
  openssl: 'suite',
  packages: ['tzdata', 'libstdc++6'],
  configure: { add: ['--with-http_dav_module', '--http-log-path=/dev/null'], remove: ['--with-http_sub_module'] },
  cflags: ['-march=x86-64-v3'],
  files: './rootfs',
  labels: { 'org.opencontainers.image.title': 'Shop', empty: '' },
  env: { TZ: 'Europe/Zurich' },
  ports: ['443/tcp', '65535/udp'],
  user: { name: 'www-data', uid: 33, gid: 33 },
  users: [{ name: '_backup', uid: 65533, gid: 1 }],
  timezones: ['Europe/Zurich', 'Etc/GMT+1'],
  writable: { '/var/cache/shop': 0o1777 },
  mountPoints: ['/data'],
  entrypoint: ['/usr/sbin/nginx'],
  command: ['-g', 'daemon off;'],
  workingDir: '/',
  stopSignal: 'SIGQUIT',
  probes: [{ path: '/?a=b', status: 404, body: 'Welcome', headers: { 'content-type': 'text/html' } }],
  require: { quic: 'native' },
  epoch: 0,
};

test('a recipe with every field is read as it is', () => {
  expect(read(full, FILE)).toEqual(full);
  expect(Object.keys(schema.def.innerType.shape).sort()).toEqual(Object.keys(full).sort());
});

test('a recipe without any field is one', () => {
  expect(read({}, FILE)).toEqual({});
});

const PATH = 'an absolute path without . and .. and without a / at its end';

describe('what is wrong is said by its place', () => {
  test.each<[unknown, string, string, string]>([
    [{ name: 'Shop' }, 'name', 'the name of an image: lower-case letters and digits, with . _ - between', "'Shop'"],
    [{ name: 3 }, 'name', 'the name of an image: lower-case letters and digits, with . _ - between', '3'],
    [{ modules: 'brotli' }, 'modules', 'a list', "'brotli'"],
    [{ modules: ['brotli', 3] }, 'modules.1', 'a module as text, or { name, link }', '3'],
    [{ modules: [{ name: 'x', link: 'shared' }] }, 'modules.0.link', "'static' or 'dynamic'", "'shared'"],
    [{ packages: ['TZdata'] }, 'packages.0', 'the name of a Debian package', "'TZdata'"],
    [
      { configure: { add: ['dav'] } },
      'configure.add.0',
      "a word of nginx's configure: --with-http_dav_module",
      "'dav'",
    ],
    [
      { configure: { add: ['--with-cc-opt=-O3'] } },
      'configure.add.0',
      'modules or cflags instead of this word',
      "'--with-cc-opt=-O3'",
    ],
    [{ cflags: ['-O2 -g'] }, 'cflags.0', 'one flag, which begins with - and has no space', "'-O2 -g'"],
    [{ files: '../other' }, 'files', 'the name of a folder below the recipe: rootfs', "'../other'"],
    [{ files: 'a/../..' }, 'files', 'the name of a folder below the recipe: rootfs', "'a/../..'"],
    [{ files: '/etc' }, 'files', 'the name of a folder below the recipe: rootfs', "'/etc'"],
    [{ files: '.' }, 'files', 'the name of a folder below the recipe: rootfs', "'.'"],
    [{ labels: { '': 'x' } }, 'labels.', 'a key that is not empty, without line ends and =', "''"],
    [{ labels: { a: 'x\ny' } }, 'labels.a', 'text without line ends and other control characters', "'x\\ny'"],
    [{ env: { '1A': '' } }, 'env.1A', 'the name of a variable', "'1A'"],
    [{ ports: ['443'] }, 'ports.0', 'a port from 1 to 65535 with its protocol: 443/tcp or 443/udp', "'443'"],
    [
      { ports: ['65536/tcp'] },
      'ports.0',
      'a port from 1 to 65535 with its protocol: 443/tcp or 443/udp',
      "'65536/tcp'",
    ],
    [{ user: { name: 'a', uid: 0, gid: 1 } }, 'user.uid', 'a whole number from 1 to 4294967294', '0'],
    [{ user: { name: 'a', uid: 1 } }, 'user.gid', 'a whole number from 1 to 4294967294', 'undefined'],
    [
      { users: [{ name: 'a', uid: 65534, gid: 1 }] },
      'users.0.uid',
      'a number that is not 65534 (nobody) or 65535',
      '65534',
    ],
    [
      { users: [{ name: 'a:b', uid: 1, gid: 1 }] },
      'users.0.name',
      'a user name: lower-case letters, digits, - and _, at most 32',
      "'a:b'",
    ],
    [{ timezones: 'some' }, 'timezones', "'none', 'all' or a list of names", "'some'"],
    [{ timezones: ['../etc'] }, 'timezones.0', 'the name of a time zone: Europe/Zurich', "'../etc'"],
    [{ writable: { '/a/../b': 0o777 } }, 'writable./a/../b', PATH, "'/a/../b'"],
    [{ writable: { '/a': '1777' } }, 'writable./a', 'permission bits: 0o1777', "'1777'"],
    [{ writable: { '/a': 0o10000 } }, 'writable./a', 'permission bits: 0o1777', '4096'],
    [{ mountPoints: ['/a/'] }, 'mountPoints.0', PATH, "'/a/'"],
    [{ entrypoint: [] }, 'entrypoint', 'a program with its absolute path', '[]'],
    [{ workingDir: 'www' }, 'workingDir', PATH, "'www'"],
    [{ stopSignal: 'QUIT' }, 'stopSignal', 'the name of a signal: SIGQUIT', "'QUIT'"],
    [{ probes: [] }, 'probes', 'at least one probe, or no field probes', '[]'],
    [{ probes: [{ path: 'a' }] }, 'probes.0.path', 'a path that begins with /, without spaces and #', "'a'"],
    [{ probes: [{ path: '/', status: 99 }] }, 'probes.0.status', 'a status of HTTP: 100 to 599', '99'],
    [
      { probes: [{ path: '/', headers: { Vary: 'x' } }] },
      'probes.0.headers.Vary',
      'the name of a header, in lower case',
      "'Vary'",
    ],
    [{ require: { quic: 'yes' } }, 'require.quic', 'native, boringssl, compat, none', "'yes'"],
    [{ epoch: -1 }, 'epoch', 'whole seconds since 1970', '-1'],
    [{ epoch: 1.5 }, 'epoch', 'whole seconds since 1970', '1.5'],
  ])('%j', (input, place, expected, found) => {
    expect(thrown(() => read(input, FILE))).toMatchObject({
      code: 'RECIPE_INVALID',
      message: `${FILE}: ${place} is not right`,
      expected,
      found,
    });
  });

  test('and how much more there is', () => {
    expect(thrown(() => read({ name: 1, epoch: 'x', ports: 2 }, FILE)).message).toBe(
      `${FILE}: name is not right; and 2 more`,
    );
  });
});

describe('a field that is not known', () => {
  test.each<[unknown, string, string]>([
    [{ module: [] }, 'module', 'modules, perhaps'],
    [{ lables: {} }, 'lables', 'labels, perhaps'],
    [{ Probes: [] }, 'Probes', 'probes, perhaps'],
    [{ probes: [{ pth: '/' }] }, 'probes.0.pth', 'path, perhaps'],
    [{ probes: [{ path: '/', method: 'GET' }] }, 'probes.0.method', 'one of path, status, body, headers'],
    [{ modules: [{ name: 'x', lnk: 'static' }] }, 'modules.0.lnk', 'link, perhaps'],
    [{ require: { http3: true } }, 'require.http3', 'one of quic'],
  ])('%j', (input, place, expected) => {
    const error = thrown(() => read(input, FILE));
    expect(error).toMatchObject({ code: 'RECIPE_INVALID', expected, found: place.split('.').at(-1) });
    expect(error.message).toMatch(`${FILE}: ${place} is no field`);
  });
});

test.each([[undefined], [null], [[]], ['brotli'], [() => ({})], [Promise.resolve({})], [new Map()]])(
  '%j is no recipe',
  (value) => {
    expect(thrown(() => read(value, FILE))).toMatchObject({
      code: 'RECIPE_INVALID',
      expected: 'export default defineRecipe({ ... })',
    });
  },
);

test('the nearest name is one that could have been meant', () => {
  expect(nearest('serach', ['search', 'reach'])).toBe('search');
  expect(nearest('ab', ['ba', 'xyz'])).toBe('ba');
  expect(nearest('method', ['path', 'body'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});
