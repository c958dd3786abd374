import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { build, run } from './support/cli.ts';
import { clone } from './support/project.ts';
import { compiled, storeWith } from './support/stores.ts';
import { folder } from './support/temp.ts';

/** A recipe in a folder that is nowhere near the project. */
function recipe(files: Readonly<Record<string, string>>): string {
  const dir = folder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  return dir;
}

const config = (fields: string): string =>
  `import { defineRecipe } from 'h3forge';\nexport default defineRecipe({ ${fields} });\n`;

test('a recipe of one’s own: files, labels, users and questions; outputs lie beside it', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  const nginx = readFileSync(project.path('nginx-quic/rootfs/etc/nginx/nginx.conf'), 'utf8');
  const dir = recipe({
    'h3forge.config.ts': config(
      `name: 'shop', labels: { 'org.opencontainers.image.vendor': 'Shop' }, users: [{ name: 'app', uid: 1000, gid: 1000 }],
       probes: [{ path: '/', body: 'the shop' }, { path: '/none', status: 404 }]`,
    ),
    'rootfs/etc/nginx/nginx.conf': nginx,
    'rootfs/usr/share/nginx/html/index.html': 'the shop',
  });
  const { probes, output, stages } = await build(project, store, ['--recipe', dir]);
  expect(probes.map(({ name, ok }) => [name, ok])).toEqual(
    expect.arrayContaining([
      ['/ HTTP/3', true],
      ['/none HTTP/1.1', true],
      ['alt-svc HTTP/2', true],
    ]),
  );
  expect(probes.map(({ name }) => name)).not.toContain('ping HTTP/3');
  // What is compiled is the same as for everybody.
  expect(stages.find(({ name }) => name === 'compile')?.cached).toBe(true);
  expect(output.join(' ')).toContain('shop/oci');
  expect(existsSync(join(dir, 'dist/shop/oci/index.json'))).toBe(true);
  const { stdout } = await run(project, 'why', ['--recipe', dir, '/usr/share/nginx/html/index.html'], store);
  expect(stdout).toContain('the recipe’s files');
});

test('a question that is not answered rightly fails the build, and nothing is written', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  const dir = recipe({ 'h3forge.config.ts': config(`probes: [{ path: '/ping', body: 'pang' }]`) });
  const { exitCode, stdout } = await run(project, 'build-image', ['--recipe', dir], store);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/✖ \/ping HTTP\/3\s+expected "pang" in the body, found "pong"/);
  expect(existsSync(join(dir, 'dist'))).toBe(false);
});

test.each([
  ['a type error', config(`ports: ['443/sctp']`), 'RECIPE_INVALID', 'ports.0'],
  ['a field that is not known', config(`modul: ['echo']`), 'RECIPE_INVALID', 'modules'],
  ['a syntax error', 'export default {', 'RECIPE_FAILED', 'h3forge.config.ts'],
  ['an unknown module', config(`modules: ['ekho']`), 'MODULE_UNKNOWN', 'echo'],
  ['packages without a lock', config(`packages: ['busybox']`), 'LOCK_MISSING', 'npm run lock -- --recipe'],
])('a recipe with %s is an error that says where', async (_name, text, code, words) => {
  const dir = recipe({ 'h3forge.config.ts': text });
  const { exitCode, stderr } = await run(clone(), 'build-image', ['--recipe', dir], {
    env: { XDG_CACHE_HOME: folder() },
  });
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain(`error ${code}: `);
  expect(stderr).toContain(words);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('a folder without a recipe says what to write', async () => {
  const { exitCode, stderr } = await run(clone(), 'build-image', ['--recipe', folder()], {
    env: { XDG_CACHE_HOME: folder() },
  });
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('error RECIPE_MISSING: ');
});

test('examples are built and answer their own questions', { timeout: 900_000 }, async () => {
  const project = clone();
  for (const name of ['static-site', 'tcp-proxy', 'reverse-proxy-brotli']) {
    const dir = project.path(`examples/${name}`);
    const { ok, probes } = await build(project, {}, ['--recipe', dir]);
    expect([name, ok, probes.length > 3]).toEqual([name, true, true]);
  }
});

test('packages of a recipe: locked for it alone, all their files in the image, what they need by itself', async () => {
  const project = clone();
  const dir = recipe({ 'h3forge.config.ts': config(`channel: 'packaged', packages: ['brotli']`) });
  const locked = await run(project, 'lock', ['--recipe', dir, '--ignore-valid-until']);
  expect(locked.exitCode, locked.stderr).toBe(0);
  expect(existsSync(join(dir, 'h3forge.lock.json'))).toBe(true);
  await build(project, {}, ['--recipe', dir]);
  const { stdout } = await run(project, 'why', ['--recipe', dir, '/usr/bin/brotli']);
  expect(stdout).toContain('a package of the recipe');
  const needed = await run(project, 'why', ['--recipe', dir, 'libbrotlienc.so.1']);
  expect(needed.stdout).toContain('DT_NEEDED libbrotlienc.so.1');
});

test('Lua libraries from Debian, in C too, and from a folder: nginx requires them all', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  const nginx = readFileSync(project.path('nginx-quic/rootfs/etc/nginx/nginx.conf'), 'utf8');
  const dir = recipe({
    'h3forge.config.ts': config(
      `name: 'with-lua', lua: ['cjson', 'nginx.redis', './lua'], probes: [{ path: '/lua', body: '[1,2] redis cart' }]`,
    ),
    'lua/shop/cart.lua': 'return "cart"',
    'rootfs/etc/nginx/nginx.conf': nginx.replace(
      /ngx\.print\("lua ".*\)/,
      'ngx.print(require("cjson").encode({1,2}), require("nginx.redis").new and " redis ", require("shop.cart"))',
    ),
  });
  const { probes } = await build(project, store, ['--recipe', dir]);
  expect(probes.find(({ name }) => name === '/lua HTTP/3')).toMatchObject({ ok: true });
  const { stdout } = await run(project, 'why', ['--recipe', dir, 'cjson.so'], store);
  expect(stdout).toContain('the Lua library cjson');
  const missing = await run(project, 'build-image', ['--lua', './no-such-folder'], store);
  expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining('error LUA_INVALID: ')]);
});
