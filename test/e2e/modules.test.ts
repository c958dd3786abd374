import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import type { Survey } from '../../libs/pipeline/survey.ts';
import { build, program, run } from './support/cli.ts';
import { clone, type Project } from './support/project.ts';
import { compiled, storeWith } from './support/stores.ts';
import { folder } from './support/temp.ts';

// These use the store of whoever runs them: what was compiled once is not compiled again.

/** A slow machine that compiles all of them for the first time. */
const SLOW = { timeout: 900_000 };

/** What `npm run modules` says of a channel. */
async function catalogue(
  project: Project,
  channel: string,
): Promise<(Survey['channels'][number] & { name: string })[]> {
  const { exitCode, stdout, stderr } = await run(project, 'modules', ['--json']);
  expect(exitCode, stderr).toBe(0);
  const { modules } = JSON.parse(stdout) as { modules: Survey[] };
  return modules.flatMap(({ name, channels }) =>
    channels.filter((one) => one.channel === channel && one.state === 'proven').map((one) => ({ name, ...one })),
  );
}

const choices = (names: readonly string[]): string[] => names.flatMap((name) => ['--module', name]);
const proven = ({ probes }: BuildResult): string[] =>
  probes.flatMap(({ name, ok }) => /^module (\S+) HTTP\/3$/.exec(ok ? name : '')?.[1] ?? []).sort();

test('every module of the packaged channel, in one image, proven by its own request over HTTP/3', async () => {
  const project = clone();
  const names = (await catalogue(project, 'packaged')).map(({ name }) => name);
  for (const name of ['brotli', 'zstd', 'headers-more', 'echo', 'geoip2', 'njs', 'cache-purge', 'dav-ext'])
    expect(names).toContain(name);
  const result = await build(project, {}, ['--channel', 'packaged', ...choices(names)]);
  expect(proven(result)).toEqual(names);
});

test('every module of the default channel that has a source or an object, in one image, and proven', SLOW, async () => {
  const project = clone();
  const all = await catalogue(project, 'debian');
  const names = all.map(({ name }) => name);
  for (const name of ['brotli', 'echo', 'geoip2', 'set-misc', 'subs-filter', 'google-perftools'])
    expect(names).toContain(name);
  const result = await build(project, {}, choices(names));
  expect(proven(result)).toEqual(names);
  // The profiler's library, and what that one needs, came by themselves.
  const { stdout } = await run(project, 'why', [...choices(names), 'libunwind.so.8']);
  expect(stdout).toMatch(/DT_NEEDED libprofiler\.so/);

  // Another choice of dynamic modules compiles none of it again.
  const some = all.filter(({ name, link }) => link === 'static' || name === 'brotli' || name === 'echo');
  const { stages } = await build(project, {}, choices(some.map(({ name }) => name)));
  expect(stages.find(({ name }) => name === 'compile')?.cached).toBe(true);
});

test('modules that are linked statically are proven, too', SLOW, async () => {
  const project = clone();
  const some = ['brotli', 'echo', 'fancyindex', 'set-misc'];
  const result = await build(project, {}, choices(some.map((name) => `${name}=static`)));
  expect(proven(result)).toEqual(expect.arrayContaining(some));
  expect(result.modules.filter(({ link }) => link === 'dynamic')).toEqual([]);
});

/** A module that answers with a header of its own, as its author would write it. */
const HELLO = `
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
static ngx_int_t hello(ngx_http_request_t *r) {
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) return rc;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = 5;
    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;
    ngx_buf_t *b = ngx_calloc_buf(r->pool);
    ngx_chain_t out = { b, NULL };
    if (b == NULL) return NGX_ERROR;
    b->pos = (u_char *) "hello";
    b->last = b->pos + 5;
    b->memory = 1;
    b->last_buf = 1;
    return ngx_http_output_filter(r, &out);
}
static char *set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_core_loc_conf_t *clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = hello;
    return NGX_CONF_OK;
}
static ngx_command_t commands[] = {
    { ngx_string("hello"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set, 0, 0, NULL },
    ngx_null_command
};
static ngx_http_module_t context = { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL };
ngx_module_t ngx_http_hello_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING
};
`;
const HELLO_CONFIG = `
ngx_addon_name=ngx_http_hello_module
ngx_module_type=HTTP
ngx_module_name=ngx_http_hello_module
ngx_module_srcs="$ngx_addon_dir/hello.c"
. auto/module
`;

/** A recipe whose configuration uses that module, and asks it. */
function helloRecipe(project: Project, module: string): string {
  const dir = folder();
  const conf = readFileSync(project.path('nginx-quic/rootfs/etc/nginx/nginx.conf'), 'utf8');
  mkdirSync(join(dir, 'rootfs/etc/nginx'), { recursive: true });
  writeFileSync(
    join(dir, 'rootfs/etc/nginx/nginx.conf'),
    conf.replace('location = /lua {', 'location = /hello { hello; }\n        location = /lua {'),
  );
  writeFileSync(
    join(dir, 'h3forge.config.ts'),
    `import { defineRecipe } from 'h3forge';
     export default defineRecipe({ name: 'hello', modules: ['${module}'], probes: [{ path: '/hello', body: 'hello' }] });`,
  );
  return dir;
}

function helloModule(): string {
  const dir = join(folder(), 'ngx_http_hello');
  mkdirSync(dir);
  writeFileSync(join(dir, 'config'), HELLO_CONFIG);
  writeFileSync(join(dir, 'hello.c'), HELLO);
  return dir;
}

test(
  'a module from a folder, compiled by itself, answers; as an object it fits this nginx and no other',
  SLOW,
  async () => {
    const project = clone();
    const store = await storeWith(...compiled);
    const recipe = helloRecipe(project, helloModule());
    const { probes } = await build(project, store, ['--recipe', recipe]);
    expect(probes.find(({ name }) => name === '/hello HTTP/3')).toMatchObject({ ok: true });

    const name = 'ngx_http_hello_module.so';
    const object = readdirSync(join(store.dir, 'compile'))
      .map((key) => join(store.dir, 'compile', key, 'tree/usr/lib/nginx/modules', name))
      .map((path) => [path, tryRead(path)] as const)
      .find(([, bytes]) => bytes !== undefined);
    expect(object).toBeDefined();
    const bytes = object?.[1] as Buffer;
    const own = join(folder(), name);
    writeFileSync(own, bytes);
    expect((await build(project, store, ['--recipe', helloRecipe(project, own)])).ok).toBe(true);

    // The same object, saying that it was compiled for the next release.
    const version = Buffer.alloc(8);
    version.writeBigUInt64LE(1026003n);
    const at = bytes.indexOf(version);
    expect(at).toBeGreaterThan(0);
    const other = Buffer.from(bytes);
    other.writeBigUInt64LE(1026004n, at);
    writeFileSync(own, other);
    const failed = await run(project, 'build-image', ['--recipe', helloRecipe(project, own)], store);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/^error MODULE_ABI: .*compiled for another nginx$/m);
    expect(failed.stderr).toContain('nginx 1.26.4');
  },
);

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

test('a module from a git commit; one that does not compile shows the compiler’s words', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  const dir = helloModule();
  const git = async (...words: string[]): Promise<string> =>
    (await program(['git', '-c', 'user.name=x', '-c', 'user.email=x@x.test', ...words], { cwd: dir })).stdout.trim();
  await git('init', '--quiet', '.');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'first');
  const commit = await git('rev-parse', 'HEAD');
  const { modules } = await build(project, store, ['--module', `git+file://${dir}#${commit}`]);
  expect(modules).toContainEqual({ name: 'ngx-http-hello', link: 'dynamic', origin: 'source' });

  writeFileSync(join(dir, 'hello.c'), 'this is no C;');
  const { exitCode, stderr } = await run(project, 'build-image', ['--module', dir], store);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error COMMAND_FAILED: ngx-http-hello-make /m);
  expect(stderr).toContain('hello.c:1');
});

test('a module whose archive is not the one of the lock is refused, and nothing is kept', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  project.edit('nginx-quic/locks/debian.json', (text) =>
    text.replace(/("echo": \{.*?"sha256":")([0-9a-f]{64})/, (_all, before: string) => before + '0'.repeat(64)),
  );
  const { exitCode, stderr } = await run(project, 'build-image', ['--module', 'echo'], store);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error (DIGEST_MISMATCH|DOWNLOAD_FAILED): /m);
  expect(stderr).toContain('0'.repeat(64));
});

test('a configuration that would load no modules is an error that says what to add', async () => {
  const project = clone();
  project.edit('nginx-quic/rootfs/etc/nginx/nginx.conf', (text) => text.replace(/^include .*modules\.d.*\n/m, ''));
  const { exitCode, stderr } = await run(project, 'build-image', ['--channel', 'packaged']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error MODULES_NOT_LOADED: /m);
  expect(stderr).toContain('include /etc/nginx/modules.d/*.conf;');
});

test('modules lists what there is, with versions and state', async () => {
  const { exitCode, stdout } = await run(clone(), 'modules', []);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ {2}module +link +debian +packaged +stable +mainline +what for$/m);
  expect(stdout).toMatch(/^ {2}brotli +dynamic +1\.0\.0/m);
  expect(stdout).toMatch(/^ {2}dynamic-upstream .*\(untested\)/m);
});
