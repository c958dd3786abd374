import { describe, expect, test } from 'vitest';
import type { Channel } from '../../libs/core/channel.ts';
import type { Recipe } from '../../libs/core/recipe.ts';
import { type Applied, apply } from '../../libs/recipe/apply.ts';
import type { RecipeInput } from '../../libs/recipe/input.ts';
import { thrown } from '../support/thrown.ts';

const common = {
  description: '',
  base: { suites: [], packages: [], folderLinks: {}, links: {}, directories: [], exclude: [] },
  data: {},
  writable: {},
  epoch: 1,
};
const source: Channel = {
  ...common,
  kind: 'compiled',
  name: 'source',
  sources: {},
  sourceSuites: [],
  openssl: {},
  acceptsPackagedModules: false,
};
const packaged: Channel = { ...common, kind: 'packaged', name: 'packaged' };

const base: Recipe = {
  name: 'base',
  platform: 'linux/amd64',
  channel: source,
  cflags: ['-O2'],
  ldflags: ['-Wl,-z,now'],
  luajit: {},
  nginx: { configure: ['--prefix=/etc/nginx', '--user=nginx', '--with-threads', '--with-http_sub_module'] },
  modules: [{ name: 'stream' }, { name: 'ndk' }, { name: 'lua', link: 'static' }],
  lua: ['resty.core'],
  openssl: 'suite',
  packages: ['a'],
  require: {},
  programs: ['/usr/sbin/nginx'],
  data: {},
  timezones: 'none',
  user: { name: 'nginx', uid: 101, gid: 101 },
  users: [],
  writable: { '/run': 0o1777 },
  mountPoints: ['/tls'],
  files: 'rootfs',
  image: {
    entrypoint: ['/usr/sbin/nginx'],
    command: ['-g', 'daemon off;'],
    env: { PATH: '/usr/sbin', LANG: 'C' },
    ports: ['80/tcp', '443/udp'],
    stopSignal: 'SIGQUIT',
    workingDir: '/',
    labels: { 'org.opencontainers.image.title': 'base', vendor: 'us' },
  },
};

const all = (input: RecipeInput): Applied =>
  apply(base, input, { dir: '/shop', baseDir: '/base', channels: [source, packaged] });
const recipe = (input: RecipeInput): Recipe => all(input).recipe;

test('an empty recipe is the base recipe with its files', () => {
  expect(all({})).toEqual({ recipe: base, recipeDir: '/base' });
});

test('the base recipe is not changed', () => {
  const before = structuredClone(base);
  recipe({ modules: ['brotli'], without: ['lua'], labels: { vendor: 'me' }, configure: { remove: ['--user'] } });
  expect(base).toEqual(before);
});

describe('files', () => {
  test('are those of the recipe where it names a folder', () => {
    expect(all({ files: 'rootfs' })).toMatchObject({ recipe: { files: 'rootfs' }, recipeDir: '/shop' });
    expect(all({ files: './web/root' })).toMatchObject({ recipe: { files: 'web/root' }, recipeDir: '/shop' });
  });
});

describe('modules', () => {
  test('are added to those of the base, their paths absolute', () => {
    expect(
      recipe({ modules: ['brotli', './mine=static', '/opt/x', { name: '../y', link: 'dynamic' }] }).modules,
    ).toEqual([
      ...base.modules,
      { name: 'brotli' },
      { name: '/shop/mine', link: 'static' },
      { name: '/opt/x' },
      { name: '/y', link: 'dynamic' },
    ]);
  });

  test('of the base are linked as the recipe says, and stay where they are', () => {
    expect(recipe({ modules: ['stream=dynamic', 'lua'] }).modules).toEqual([
      { name: 'stream', link: 'dynamic' },
      { name: 'ndk' },
      { name: 'lua' },
    ]);
  });

  test('of the base can be left out', () => {
    expect(recipe({ without: ['lua', 'ndk'] }).modules).toEqual([{ name: 'stream' }]);
  });

  test('that are not there cannot be left out', () => {
    expect(thrown(() => recipe({ without: ['steam'] }))).toMatchObject({
      code: 'RECIPE_INVALID',
      expected: 'stream, ndk, lua',
      found: 'steam',
      hint: 'perhaps stream',
    });
  });

  test('cannot be linked in two ways', () => {
    expect(recipe({ modules: [{ name: 'a=static', link: 'static' }] }).modules).toContainEqual({
      name: 'a',
      link: 'static',
    });
    expect(thrown(() => recipe({ modules: [{ name: 'a=static', link: 'dynamic' }] }))).toMatchObject({
      code: 'MODULE_INVALID',
      found: "a=static and link: 'dynamic'",
    });
    expect(thrown(() => recipe({ modules: ['git+https://x/y#main'] })).code).toBe('MODULE_INVALID');
  });
});

describe('words of configure', () => {
  const words = (configure: RecipeInput['configure']): readonly string[] =>
    recipe(configure === undefined ? {} : { configure }).nginx.configure;

  test('are added once, and take the place of those of the same name', () => {
    expect(words({ add: ['--with-debug', '--with-threads', '--user=www'] })).toEqual([
      '--prefix=/etc/nginx',
      '--with-threads',
      '--with-http_sub_module',
      '--with-debug',
      '--user=www',
    ]);
  });

  test('are removed as they are or by their name', () => {
    expect(words({ remove: ['--user', '--with-threads'] })).toEqual(['--prefix=/etc/nginx', '--with-http_sub_module']);
    expect(words({ remove: ['--user=nginx'] })).not.toContain('--user=nginx');
  });

  test('that are not there cannot be removed', () => {
    expect(thrown(() => words({ remove: ['--with-thread'] }))).toMatchObject({
      code: 'RECIPE_INVALID',
      hint: 'perhaps --with-threads',
    });
    expect(thrown(() => words({ remove: ['--user=www'] })).code).toBe('RECIPE_INVALID');
  });
});

test('lists of things to have are added', () => {
  const user = { name: 'backup', uid: 34, gid: 34 };
  expect(
    recipe({
      lua: ['resty.http', './lua', 'resty.core'],
      packages: ['b', 'a'],
      users: [user],
      mountPoints: ['/data'],
      cflags: ['-g'],
    }),
  ).toMatchObject({
    lua: ['resty.core', 'resty.http', '/shop/lua'],
    packages: ['a', 'b'],
    users: [user],
    mountPoints: ['/tls', '/data'],
    cflags: ['-O2', '-g'],
  });
});

test('records are merged by key', () => {
  const { writable, image } = recipe({
    writable: { '/run': 0o700, '/data': 0o755 },
    env: { LANG: 'de' },
    labels: { a: 'b' },
  });
  expect(writable).toEqual({ '/run': 0o700, '/data': 0o755 });
  expect(image.env).toEqual({ PATH: '/usr/sbin', LANG: 'de' });
  expect(image.labels).toEqual({ ...base.image.labels, a: 'b' });
});

test('the name is the title too, unless a label says otherwise', () => {
  const title = 'org.opencontainers.image.title';
  expect(recipe({ name: 'shop' })).toMatchObject({
    name: 'shop',
    image: { labels: { [title]: 'shop', vendor: 'us' } },
  });
  expect(recipe({ name: 'shop', labels: { [title]: 'Shop' } }).image.labels[title]).toBe('Shop');
});

test('all else is replaced', () => {
  const input = {
    openssl: 'testing',
    timezones: 'all',
    user: { name: 'www', uid: 33, gid: 33 },
    require: { quic: 'native' },
    probes: [{ path: '/' }],
    epoch: 0,
  } satisfies RecipeInput;
  const image = {
    ports: ['8443/tcp'],
    entrypoint: ['/bin/x'],
    command: [],
    workingDir: '/srv',
    stopSignal: 'SIGTERM',
  } satisfies RecipeInput;
  expect(recipe({ ...input, ...image })).toMatchObject({ ...input, image });
});

describe('a channel', () => {
  test('is found by its name', () => {
    expect(recipe({ channel: 'packaged' }).channel).toBe(packaged);
  });

  test('that is not known is an error that names those that are', () => {
    expect(thrown(() => recipe({ channel: 'package' }))).toMatchObject({
      code: 'CHANNEL_UNKNOWN',
      expected: expect.stringMatching(/^source \(.*\), packaged \(.*\)$/),
      found: 'package',
      hint: "channel: 'packaged'",
    });
  });

  test.each([[{ cflags: ['-g'] }], [{ configure: { add: ['--with-debug'] } }]] satisfies [RecipeInput][])(
    'that compiles nothing takes no %j',
    (input) => {
      expect(recipe({ ...input, channel: 'source' }).channel).toBe(source);
      expect(thrown(() => recipe({ ...input, channel: 'packaged' }))).toMatchObject({
        code: 'RECIPE_INVALID',
        found: Object.keys(input)[0],
      });
    },
  );
});
