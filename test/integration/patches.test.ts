import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as tar from 'tar-stream';
import { expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import type { PinnedFile, PinnedSource } from '../../libs/core/lock.ts';
import { run } from '../../libs/sandbox/run.ts';
import { TREE, unpack } from '../../libs/source/unpack.ts';
import { rejection } from '../support/errors.ts';
import * as roots from '../support/roots.ts';
import * as tree from '../support/tree.ts';

const kit = await roots.kit();
const builder = await roots.root('builder');
const { signal } = new AbortController();

/** The numbers from 1 on, in words of a line each. */
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index + 1}`);
const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** Changes `line 10` to `changed`, with three lines around it. */
const change = (path = 'src/file.c'): string =>
  text([
    'Description: what a person wrote about it',
    `--- a/${path}`,
    `+++ b/${path}`,
    '@@ -7,7 +7,7 @@',
    ' line 7',
    ' line 8',
    ' line 9',
    '-line 10',
    '+changed',
    ' line 11',
    ' line 12',
    ' line 13',
  ]);

/** A compressed archive of these files. */
async function archive(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(files)) pack.entry({ name }, content);
  pack.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of pack) chunks.push(chunk as Uint8Array);
  return gzipSync(Buffer.concat(chunks));
}

interface Package {
  /** The lines of the file that is patched. */
  readonly file: readonly string[];
  /** The patches of the Debian archive, by name, in the order of the series. */
  readonly patches: Readonly<Record<string, string>>;
  /** What the lock says of the series, where that is not what the archive says. */
  readonly locked?: readonly string[];
  /** Lines of the series, where those are not the names alone. */
  readonly series?: readonly string[];
}

/** Unpacks and patches a source package made for this; gives the folder of its tree. */
async function build({ file, patches, locked, series = Object.keys(patches) }: Package): Promise<string> {
  const dir = tree.make();
  const named = Object.entries(patches).map(([name, content]) => [`debian/patches/${name}`, content] as const);
  const archives: Record<string, Uint8Array> = {
    'x.orig.tar.gz': await archive({ 'x-1.0/src/file.c': text(file), 'x-1.0/README': 'read\n' }),
    'x.debian.tar.gz': await archive({
      'debian/patches/series': `# in this order\n${text(series)}`,
      ...Object.fromEntries(named),
    }),
  };
  const pinned = (path: string): PinnedFile => {
    const bytes = archives[path] ?? new Uint8Array();
    return { archive: 'debian', path, size: bytes.length, sha256: digest.of(bytes) };
  };
  const source: PinnedSource = {
    package: 'x',
    version: '1.0-1',
    orig: pinned('x.orig.tar.gz'),
    debian: pinned('x.debian.tar.gz'),
    patches: [...(locked ?? series)],
  };
  const logs = tree.make();
  await unpack(source, dir, {
    open: ({ path }) => Readable.from([archives[path] ?? new Uint8Array()]),
    run: (command) =>
      run(kit, command, {
        root: builder,
        mounts: [
          { kind: 'tmpfs', target: '/tmp' },
          { kind: 'bind', source: dir, target: TREE, readOnly: false },
        ],
        log: join(logs, `${command.name.replaceAll('/', '_')}.log`),
        signal,
      }),
    signal,
  });
  return dir;
}

const patched = (dir: string): string[] => readFileSync(join(dir, 'src/file.c'), 'utf8').trimEnd().split('\n');
const replaced = (lines: readonly string[]): string[] => lines.map((line) => (line === 'line 10' ? 'changed' : line));

test('a series is applied in its order, and leaves nothing but the patched tree', async () => {
  const second = change().replace('-line 10', '-changed').replace('+changed', '+changed again');
  const added = text(['--- /dev/null', '+++ b/src/new.c', '@@ -0,0 +1 @@', '+new']);
  const dir = await build({ file: numbers(20), patches: { 'a.patch': change(), 'b.patch': second, 'c.diff': added } });
  expect(patched(dir)).toEqual(numbers(20).map((line) => (line === 'line 10' ? 'changed again' : line)));
  expect(readFileSync(join(dir, 'src/new.c'), 'utf8')).toBe('new\n');
  expect((readdirSync(dir, { recursive: true }) as string[]).sort()).toEqual([
    'README',
    'src',
    'src/file.c',
    'src/new.c',
  ]);
});

test('lines may have moved, and a line of the series may say how many folders to strip', async () => {
  const file = [...numbers(3).map((line) => `before ${line}`), ...numbers(20)];
  expect(patched(await build({ file, patches: { 'a.patch': change() } }))).toEqual(replaced(file));
  const bare = change().replaceAll(/^([-+]{3}) [ab]\//gm, '$1 ');
  const dir = await build({ file: numbers(20), patches: { 'a.patch': bare }, series: ['a.patch -p0'] });
  expect(patched(dir)).toEqual(replaced(numbers(20)));
});

const noisy = numbers(20).map((line) => (line === 'line 7' ? 'another line 7' : line));

test.each<[string, Package]>([
  ['only with fuzz', { file: noisy, patches: { 'good.patch': '', 'bad.patch': change() } }],
  ['not at all', { file: numbers(5), patches: { 'good.patch': '', 'bad.patch': change() } }],
  ['twice', { file: replaced(numbers(20)), patches: { 'good.patch': '', 'bad.patch': change() } }],
  ['to a file that is not there', { file: numbers(20), patches: { 'good.patch': '', 'bad.patch': change('no.c') } }],
  ['outside of the tree', { file: numbers(20), patches: { 'good.patch': '', 'bad.patch': change('../../tmp/x.c') } }],
])('a patch that applies %s fails, and the error names it', async (_name, { file, patches }) => {
  const note = text(['--- a/README', '+++ b/README', '@@ -1 +1 @@', '-read', '+read me']);
  const error = await rejection(build({ file, patches: { ...patches, 'good.patch': note } }));
  expect(error.code).toBe('PATCH_FAILED');
  expect(error.message).toBe('x 1.0-1: patch bad.patch does not apply');
  expect(error.hint).toMatch(/^less .*patch bad\.patch\.log$/);
  expect(error.found).toMatch(/its last lines:\n.*\S/s);
  const log = error.hint?.replace(/^less /, '') ?? '';
  expect(existsSync(log)).toBe(true);
});

test('a patch that is named but not there fails too', async () => {
  const error = await rejection(build({ file: numbers(20), patches: {}, series: ['gone.patch'] }));
  expect(error).toMatchObject({ code: 'PATCH_FAILED' });
  expect(error.message).toContain('gone.patch');
});

test('another series than the one in the lock is refused before anything is applied', async () => {
  const patches = { 'a.patch': change() };
  const error = await rejection(build({ file: numbers(20), patches, locked: [] }));
  expect(error).toMatchObject({ code: 'SERIES_MISMATCH', expected: '', found: 'a.patch' });
});
