import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as elf from '../../libs/collect/elf.ts';
import { type Captured, capture } from '../../libs/sandbox/capture.ts';
import * as ldso from '../support/ldso.ts';
import * as readelf from '../support/readelf.ts';
import * as roots from '../support/roots.ts';
import { thrown } from '../support/thrown.ts';
import * as tiny from '../support/tiny.ts';
import * as tree from '../support/tree.ts';

const kit = await roots.kit();
const builder = await roots.root('builder');
const client = await roots.root('client');
const { platform } = kit;
const LIBRARIES = `/usr/lib/${platform.triplet}`;

/** Runs a program in a sandbox of that root. */
const run = (root: string, argv: [string, ...string[]]): Promise<Captured> =>
  capture(
    kit,
    { name: 'program', argv, env: { PATH: '/usr/bin' }, cwd: '/' },
    { root, mounts: [], signal: new AbortController().signal, timeout: 30_000 },
  );

/** What the two say of a program of a root. */
async function both(root: string, path: string): Promise<NonNullable<ReturnType<typeof ldso.compare>>> {
  const { exitCode, stdout, stderr } = await run(root, ldso.words(platform.loader, path));
  const listed = ldso.parse(exitCode, stdout);
  expect(listed, `${path}: ${stderr}`).toBeDefined();
  return ldso.compare(root, platform, path, listed ?? []) ?? { loader: [], closure: [] };
}

test('40 programs of the builder root take the files that the loader in it takes', async () => {
  const programs = readelf.elfFiles(join(builder, 'usr'), 100_000).filter((path) => {
    const file = elf.read(path);
    return file.interpreter !== undefined && file.needed.length > 0 && !/\.so[.0-9]*$/.test(path);
  });
  const step = programs.length / 40;
  const chosen = Array.from({ length: 40 }, (_, index) => programs[Math.floor(index * step)] ?? '');
  expect(new Set(chosen).size).toBe(40);
  for (const host of chosen) {
    const path = host.slice(builder.length);
    const { closure, loader } = await both(builder, path);
    expect(closure, path).toEqual(loader);
    expect(closure).toContain(`${LIBRARIES}/libc.so.6`);
  }
});

test.each([
  ['curl', () => client, '/usr/bin/curl'],
  ['a library', () => client, `${LIBRARIES}/libcurl.so.4`],
  ['a plugin of the compiler', () => builder, '/usr/libexec/gcc/x86_64-linux-gnu/14/liblto_plugin.so'],
] as const)('%s too', async (_name, root, path) => {
  const { closure, loader } = await both(root(), path);
  expect(closure).toEqual(loader);
});

test('nginx as it was compiled: its closure alone is a root in which the loader finds all, and takes all', async (context) => {
  const installed = await roots.installed();
  context.skip(installed === undefined, 'nginx has not been built (npm run build-image)');
  const programs = ['/usr/sbin/nginx'];
  const root = tiny.make({ from: [installed ?? '', builder], platform, programs });
  const { closure, loader } = await both(root, '/usr/sbin/nginx');
  expect(closure).toEqual(loader);
  expect(loader.map((path) => path.slice(LIBRARIES.length + 1)).join(' ')).toMatch(/libcrypto.*libluajit.*libpcre2/);
});

const curl = { from: [client], platform, programs: ['/usr/bin/curl'] };

test('a library that is gone: the error says who needs it, and the loader agrees', async () => {
  const root = tiny.make(curl);
  rmSync(join(root, LIBRARIES, 'libnghttp3.so.9'));
  const error = thrown(() => tiny.resolve({ ...curl, from: [root] }));
  expect(error.code).toBe('LIBRARY_MISSING');
  const { exitCode, stderr } = await run(root, ['curl', '--version']);
  expect(exitCode).toBe(127);
  expect(stderr).toContain('libnghttp3.so.9: cannot open shared object file');
  for (const part of ['libnghttp3.so.9', 'libcurl.so.4']) expect(error.message).toContain(part);
  expect(error.expected).toContain(LIBRARIES);
});

test('a symbol version that is gone: the error says who needs it, and the loader agrees', async () => {
  const root = tiny.make(curl);
  const [library = ''] = tiny
    .resolve(curl)
    .flatMap(({ type, path }) => (type === 'file' && /libcrypto\.so/.test(path) ? [path] : []));
  const bytes = readFileSync(join(root, library));
  const at = bytes.indexOf('\0OPENSSL_3.0.0\0');
  expect(at).toBeGreaterThan(0);
  bytes.write('OPENSSL_9.0.0', at + 1);
  writeFileSync(join(root, library), bytes);
  const error = thrown(() => tiny.resolve({ ...curl, from: [root] }));
  expect(error.code).toBe('SYMBOL_VERSION_MISSING');
  expect(error).toMatchObject({ expected: 'OPENSSL_3.0.0' });
  const asker = /^(\/\S+) needs version OPENSSL_3\.0\.0 of libcrypto\.so\.3$/.exec(error.message)?.[1];
  const { exitCode, stderr } = await run(root, ['curl', '--version']);
  expect(exitCode).toBe(1);
  const askers = [...stderr.matchAll(/`OPENSSL_3\.0\.0' not found \(required by (\S+)\)/g)].map(([, path]) => path);
  const view = (path = ''): string => path.replace(/^\/lib\//, '/usr/lib/').replace(/\.so\..*$/, '');
  expect(askers.map(view)).toContain(view(asker));
});

test('a program of another machine is told apart', () => {
  const root = tiny.make(curl);
  const path = join(root, 'usr/bin/curl');
  const bytes = readFileSync(path);
  bytes.writeUInt16LE(183, 18);
  writeFileSync(path, bytes);
  expect(thrown(() => tiny.resolve({ ...curl, from: [root] })).code).toBe('ELF_FOREIGN');
  expect(thrown(() => tiny.resolve({ ...curl, from: [tree.make()] })).code).toBe('START_MISSING');
});
