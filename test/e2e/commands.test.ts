import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { build, program, run } from './support/cli.ts';
import { clone } from './support/project.ts';
import { fingerprint, type Store, storeWith } from './support/stores.ts';
import { folder } from './support/temp.ts';

/** A store in which there is nothing; for what needs no warm one. */
const empty = (): Pick<Store, 'cache' | 'env'> => {
  const cache = folder();
  return { cache, env: { XDG_CACHE_HOME: cache } };
};

/** Words that take the network away, where this machine allows it. */
async function withoutNetwork(): Promise<string[]> {
  const root = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user'];
  const words = ['unshare', ...root, '--net'];
  const { exitCode } = await program([...words, 'true']).catch(() => ({ exitCode: 1 }));
  return exitCode === 0 ? words : [];
}

const filesOf = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(dir, path)).isFile());

test('--plan prints every command as text that a shell reads, and runs none', async () => {
  const project = clone();
  const store = empty();
  const { exitCode, stdout, stderr } = await run(project, 'build-image', ['--plan'], {
    ...store,
    below: await withoutNetwork(),
  });
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toBe('');
  for (const part of [
    /^# download: \d+ files, \d+ bytes$/m,
    /^# root builder: \d+ packages unpacked$/m,
    /^# source nginx: nginx_.*orig\.tar/m,
    /patch -p1 .*--fuzz=0/,
    /^cd \/build\/src\/luajit && env -i .* make .*BUILDMODE=dynamic/m,
    /^cd \/build\/src\/nginx && env -i .* \.\/configure .*--with-http_v3_module/m,
    /^# collect and write: layout:dist\/nginx-quic\/oci, dockerfile:dist\/nginx-quic\/docker$/m,
    /openssl req -x509/,
    /\/usr\/sbin\/nginx -g 'daemon off;'/,
    /curl .*--http3-only .*https:\/\/localhost\/ping/,
  ]) {
    expect(stdout).toMatch(part);
  }
  const syntax = await program(['sh', '-c', 'printf %s "$1" | sh -n', 'sh', stdout]);
  expect(syntax.stderr).toBe('');
  expect(syntax.exitCode).toBe(0);
  expect(filesOf(store.cache)).toEqual([]);
  expect(existsSync(project.path('dist'))).toBe(false);
  // The same every time: two plans can be compared.
  expect((await run(project, 'build-image', ['--plan'], store)).stdout).toBe(stdout);
});

test('--plan says where the image would go', async () => {
  const { stdout } = await run(clone(), 'build-image', ['--plan', '--output', 'archive:image.tar'], empty());
  expect(stdout).toContain('archive:image.tar');
});

test('why shows the chain from nginx to a file, by name or by path', async () => {
  const project = clone();
  const store = await storeWith('image');
  const soname = await run(project, 'why', ['libcrypto.so.3'], store);
  const before = fingerprint(join(store.dir, 'image'));
  expect(soname.exitCode, soname.stderr).toBe(0);
  expect(soname.stdout).toMatch(
    /^\/usr\/sbin\/nginx \(.*\)\n└─ DT_NEEDED libcrypto\.so\.3 → \/\S+\/libcrypto\.so\.3$/m,
  );
  const [, path = ''] = /→ (\/\S+)/.exec(soname.stdout) ?? [];
  expect((await run(project, 'why', [path], store)).stdout).toBe(soname.stdout);
  // Every file has its reason, also one that no library asked for.
  expect((await run(project, 'why', ['/etc/passwd'], store)).stdout).toMatch(/^\/etc\/passwd \(.+\)\n$/);
  expect((await run(project, 'why', ['index.html'], store)).stdout).toContain('the recipe');
  expect(fingerprint(join(store.dir, 'image'))).toBe(before);
});

test('why for a file that is not in the image names those that are nearly called so', async () => {
  const { exitCode, stdout, stderr } = await run(clone(), 'why', ['libcrpyto.so.3'], await storeWith('image'));
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(stderr).toContain('error FILE_NOT_IN_IMAGE');
  expect(stderr).toMatch(/next: did you mean .*libcrypto\.so\.3/);
});

test('why before a build, or after the recipe changed, says what to type', async () => {
  const project = clone();
  const before = await run(project, 'why', ['nginx'], empty());
  expect([before.exitCode, before.stdout]).toEqual([1, '']);
  expect(before.stderr).toContain('error NOT_BUILT');
  expect(before.stderr).toContain('next: npm run build-image');

  project.edit('nginx-quic/recipe.ts', (text) => text.replace("timezones: 'none'", "timezones: 'all'"));
  const after = await run(project, 'why', ['nginx'], await storeWith('image'));
  expect(after.exitCode).toBe(1);
  expect(after.stderr).toContain('error NOT_BUILT');
});

test('clean empties the store and nothing beside it', async () => {
  const project = clone();
  const store = await storeWith('sandbox', 'client', 'image');
  await build(project, store);
  mkdirSync(join(store.cache, 'another-program'));
  const { exitCode, stdout } = await run(project, 'clean', [], store);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(store.dir);
  expect(readdirSync(store.cache)).toEqual(['another-program']);
  expect(readdirSync(dirname(project.path('dist/nginx-quic/oci')))).toEqual(['docker', 'oci']);
  expect((await run(project, 'clean', [], store)).exitCode).toBe(0);
});

test.each(['build-image', 'why', 'clean'])('%s --help says what it does', async (script) => {
  const store = empty();
  const { exitCode, stdout, stderr } = await run(clone(), script, ['--help'], store);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(RegExp(`^Usage: ${script} `));
  expect(readdirSync(store.cache)).toEqual([]);
});

test.each([
  ['build-image', ['--nonsense'], "unknown option '--nonsense'"],
  ['build-image', ['nonsense'], 'too many arguments'],
  ['build-image', ['--output'], "option '--output <type:path>' argument missing"],
  ['why', [], "missing required argument 'file'"],
])('wrong usage is exit status 2 and the usage: %s %j', async (script, args, message) => {
  const store = empty();
  const { exitCode, stdout, stderr } = await run(clone(), script, args, store);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain(`Usage: ${script}`);
  expect(readdirSync(store.cache)).toEqual([]);
});

test.each([
  [['--channel', 'nonsense'], 'CHANNEL_UNKNOWN', /expected: debian \(.+\)/],
  [['--output', 'nonsense'], 'OUTPUT_INVALID', /expected: layout:DIR, archive:FILE or dockerfile:DIR/],
  [['--output', 'archive:'], 'OUTPUT_INVALID', /found: archive:/],
  [['--output', 'zip:image.zip'], 'OUTPUT_INVALID', /found: zip:image\.zip/],
])('a value that is not known is named, with those that are: %j', async (args, code, message) => {
  const project = clone();
  const store = empty();
  const { exitCode, stdout, stderr } = await run(project, 'build-image', args, store);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`error ${code}: `);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at /m);

  for (const words of [
    ['--json', ...args],
    [...args, '--json'],
  ]) {
    const json = await run(project, 'build-image', words, store);
    expect(json.exitCode).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code } });
  }
  expect(filesOf(store.cache)).toEqual([]);
});

test('a store that cannot be made is named, with the setting that moves it', async () => {
  const { exitCode, stderr } = await run(clone(), 'build-image', [], { env: { XDG_CACHE_HOME: '/dev/null' } });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('error STORE_UNUSABLE');
  expect(stderr).toContain('XDG_CACHE_HOME');
});
