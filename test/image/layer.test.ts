import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, lstat, open, readdir, readFile, readlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../libs/core/entry.ts';
import { sorted } from '../../libs/core/entry.ts';
import * as layer from '../../libs/image/layer.ts';
import * as tar from '../../libs/image/tar.ts';
import { directory, EPOCH, file, folder, hasProgram, rootFs, symlink, tree, write } from './support.ts';

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** 60 characters each, so that two make a name that no ustar name field holds. */
const long = 'a-name-of-sixty-characters-that-is-there-to-be-long-00000001';

describe.skipIf(!hasProgram('tar'))('GNU tar', () => {
  test('lists and extracts what was written', async () => {
    await using temp = await folder();
    const source = join(temp.path, 'source');
    await writeFile(source, Buffer.alloc(600_001, 'x'));
    const entries = sorted([
      ...rootFs,
      directory(`/${long}`),
      directory(`/${long}/${long}`),
      file(`/${long}/${long}/${long}`, 'long'),
      { ...file(`/${long}/${long}/disk`, ''), size: 600_001, content: { file: source } },
      symlink(`/${long}/link`, `../${long}/${long}/${long}`),
      file('/etc/Zürich ☃', 'snow', { mode: 0, uid: 101, gid: 102 }),
      symlink('/etc/snow', 'Zürich ☃'),
      file('/etc/owner', '', { uid: 4_000_000_000, gid: 300_000 }),
      file('/usr/setuid', 's', { mode: 0o4755 }),
    ]);
    const written = await write(entries, join(temp.path, 'blobs'), 'none');
    const blob = written.file ?? '';
    const listing = execFileSync('tar', ['--numeric-owner', '--quoting-style=literal', '--utc', '-tvf', blob], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(
      listing
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/\s+/g, ' ')),
    ).toEqual(entries.map(line));

    const out = join(temp.path, 'out');
    execFileSync('sh', ['-c', 'mkdir "$1" && tar --no-same-owner -C "$1" -xf "$2"', 'sh', out, blob]);
    for (const entry of entries) {
      const stats = await lstat(join(out, entry.path));
      expect(stats.mtimeMs).toBe(EPOCH * 1000);
      if (entry.type === 'symlink') expect(await readlink(join(out, entry.path))).toBe(entry.target);
      if (entry.type !== 'file') continue;
      const content = 'bytes' in entry.content ? entry.content.bytes : await readFile(entry.content.file);
      if (process.getuid?.() === 0) expect(sha256(await readFile(join(out, entry.path)))).toBe(sha256(content));
    }
  });
});

/** As `tar -tv` writes an entry, with single spaces. */
function line(entry: Entry): string {
  const bits = entry.type === 'symlink' ? 0o777 : entry.mode;
  const letters = [...'rwxrwxrwx'].map((letter, position) => (bits & (0o400 >> position) ? letter : '-'));
  if (bits & 0o4000) letters[2] = 's';
  if (bits & 0o1000) letters[8] = 't';
  const type = { file: '-', directory: 'd', symlink: 'l' }[entry.type];
  const name = entry.path.slice(1);
  const end = entry.type === 'directory' ? '/' : entry.type === 'symlink' ? ` -> ${entry.target}` : '';
  const size = entry.type === 'file' ? entry.size : 0;
  return `${type}${letters.join('')} ${entry.uid}/${entry.gid} ${size} 2025-01-31 12:00 ${name}${end}`;
}

test('only a name or target that the header cannot hold gets pax records', () => {
  const member = { type: 'symlink', mode: 0o777, uid: 0, gid: 0, size: 0 } as const;
  const pax = (name: string, target: string, uid = 0): unknown =>
    tar.header({ ...member, name, target, uid }, new Date(0)).pax;
  expect(pax('a'.repeat(100), 'b'.repeat(100), 262_143)).toBeUndefined();
  expect(pax('a'.repeat(101), 'b')).toEqual({});
  expect(pax('a', 'b'.repeat(101))).toEqual({});
  expect(pax('é', 'b')).toEqual({});
  expect(pax('a', 'é')).toEqual({});
  expect(pax('a', 'b', 262_144)).toEqual({ uid: '262144' });
});

describe('one pass', () => {
  test.each(['gzip', 'zstd', 'none'] as const)('%s: digest, diffID and sizes are those of the bytes', async (how) => {
    await using temp = await folder();
    const written = await write(rootFs, temp.path, how);
    const bytes = await readFile(written.file ?? '');
    const raw = how === 'gzip' ? gunzipSync(bytes) : how === 'zstd' ? zstdDecompressSync(bytes) : bytes;
    expect(written).toMatchObject({ digest: sha256(bytes), size: bytes.length, compression: how });
    expect(written).toMatchObject({ diffId: sha256(raw), rawSize: raw.length });
    expect(await readdir(temp.path)).toEqual([written.digest.slice('sha256:'.length)]);
    expect(Buffer.concat(await written.open().toArray())).toEqual(bytes);
  });

  test('the diffID does not depend on the compression', async () => {
    await using temp = await folder();
    const all = await Promise.all((['gzip', 'zstd', 'none'] as const).map((how) => write(rootFs, temp.path, how)));
    expect(new Set(all.map(({ diffId }) => diffId)).size).toBe(1);
  });

  test('the gzip header says nothing of time, name or system', async () => {
    await using temp = await folder();
    const written = await write(rootFs, temp.path, 'gzip');
    expect((await readFile(written.file ?? '')).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
  });
});

/** Random trees: names of all lengths and scripts, contents around the sizes of blocks. */
const names = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('a', 'é', '漢', '-'), minLength: 1, maxLength: 80 }),
);
const entriesOf = fc
  .array(
    fc.record({
      path: fc.array(names, { minLength: 1, maxLength: 5 }),
      kind: fc.constantFrom('file', 'directory', 'symlink'),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      owner: fc.constantFrom(0, 101, 262_143, 262_144, 4_000_000_000),
      content: fc.oneof(fc.uint8Array({ maxLength: 600 }), fc.constant(new Uint8Array(262_144))),
    }),
    { maxLength: 12 },
  )
  .map((items) => {
    const entries = new Map<string, Entry>();
    for (const { path, kind, mode, owner, content } of items) {
      const name = `/${path.map((part) => part.replaceAll(/[/\0]/g, '_').replace(/^\.{1,2}$/, 'dot')).join('/')}`;
      const common = { path: name, uid: owner, gid: owner };
      if (kind === 'file') entries.set(name, { ...file(name, content), ...common, mode });
      else if (kind === 'directory') entries.set(name, { ...directory(name, mode), ...common });
      else entries.set(name, { ...symlink(name, path.join('/').replaceAll('\0', '_')), ...common });
    }
    return sorted(entries.values());
  });

describe('determinism', () => {
  test('two writes in two folders give the same bytes, and GNU tar reads every name', async () => {
    await fc.assert(
      fc.asyncProperty(entriesOf, fc.constantFrom('gzip', 'zstd', 'none'), async (entries, how) => {
        await using one = await folder();
        await using two = await folder();
        const [a, b] = await Promise.all([write(entries, one.path, how), write(entries, two.path, how)]);
        expect(a.digest).toBe(b.digest);
        expect(await tree(one.path)).toEqual(await tree(two.path));
        if (how !== 'none') return;
        const listed = execFileSync('tar', [
          '--null',
          '--quoting-style=literal',
          '--show-transformed',
          '-tf',
          a.file ?? '',
        ]);
        const expected = entries.map(({ path, type }) => `${path.slice(1)}${type === 'directory' ? '/' : ''}\n`);
        expect(listed.toString()).toBe(expected.join(''));
      }),
      { numRuns: 60 },
    );
  });

  test('neither does it depend on how the content comes', async () => {
    await using temp = await folder();
    const content = Buffer.alloc(1_000_003, 'some text ');
    await writeFile(join(temp.path, 'content'), content);
    for (const how of ['gzip', 'zstd'] as const) {
      const memory = await write([file('/x', content)], join(temp.path, 'blobs'), how);
      const disk = await write(
        [{ ...file('/x', ''), size: content.length, content: { file: join(temp.path, 'content') } }],
        join(temp.path, 'blobs'),
        how,
      );
      expect(disk.digest).toBe(memory.digest);
    }
  });
});

describe('failures leave nothing', () => {
  const failing = async (entries: Entry[], dir: string, code: string, more = {}): Promise<void> => {
    await expect(write(entries, dir, 'gzip', more)).rejects.toMatchObject({ code });
    expect(await readdir(dir).catch(() => [])).toEqual([]);
  };

  test('a file that grew or shrank', async () => {
    await using temp = await folder();
    const source = join(temp.path, 'source');
    const blobs = join(temp.path, 'blobs');
    await writeFile(source, Buffer.alloc(400_000));
    const entry: Entry = { ...file('/x', ''), size: 400_000, content: { file: source } };
    await write([entry], join(temp.path, 'good'));
    await appendFile(source, 'more');
    await failing([entry], blobs, 'LAYER_FILE_CHANGED');
    await truncate(source, 1000);
    await failing([entry], blobs, 'LAYER_FILE_CHANGED');
    await truncate(source, 0);
    await failing([entry], blobs, 'LAYER_FILE_CHANGED');
  });

  test('a file that is not there, or no file', async () => {
    await using temp = await folder();
    const blobs = join(temp.path, 'blobs');
    for (const source of [join(temp.path, 'none'), temp.path]) {
      await failing([{ ...file('/x', ''), size: 1, content: { file: source } }], blobs, 'LAYER_FILE_MISSING');
    }
  });

  test('an abort in the middle', async () => {
    await using temp = await folder();
    const source = join(temp.path, 'source');
    const handle = await open(source, 'w');
    await handle.truncate(2_000_000_000);
    await handle.close();
    const reason = new Error('stopped');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 100);
    const blobs = join(temp.path, 'blobs');
    const entry: Entry = { ...file('/x', ''), size: 2_000_000_000, content: { file: source } };
    await expect(write([entry], blobs, 'gzip', { signal: controller.signal })).rejects.toBe(reason);
    expect(await readdir(blobs)).toEqual([]);
  });

  test('a folder that cannot be written to', async () => {
    await using temp = await folder();
    await writeFile(join(temp.path, 'file'), '');
    await expect(write(rootFs as Entry[], join(temp.path, 'file'))).rejects.toThrow(/EEXIST|ENOTDIR/);
  });

  test.each([
    ['not sorted', [file('/b', ''), file('/a', '')]],
    ['there twice', [file('/a', ''), file('/a', '')]],
    ['relative', [file('a', '')]],
    ['upwards', [file('/a/../b', '')]],
    ['a slash at the end', [directory('/a/')]],
    ['NUL in a name', [file('/a\0b', '')]],
    ['half a character', [file('/a\ud800', '')]],
    ['a negative owner', [file('/a', '', { uid: -1 })]],
    ['type bits', [file('/a', '', { mode: 0o100644 })]],
    ['no target', [symlink('/a', '')]],
    ['a root that is a file', [file('/', '')]],
  ])('entries: %s', async (_name, entries) => {
    await using temp = await folder();
    await failing(entries, temp.path, 'LAYER_INVALID');
  });

  test('a time or level out of range', async () => {
    await using temp = await folder();
    for (const mtime of [-1, 1.5, 2 ** 31]) await failing([], temp.path, 'LAYER_INVALID', { mtime });
    for (const level of [0, 10, 1.5]) await failing([], temp.path, 'LAYER_INVALID', { level });
  });
});

test('a layer is verified as it is read', async () => {
  await using temp = await folder();
  const written = await write(rootFs, temp.path, 'gzip');
  const tar = Buffer.concat(await Array.fromAsync(layer.uncompressed(written)));
  expect(sha256(tar)).toBe(written.diffId);
  const wrong = { ...written, diffId: written.digest };
  await expect(Array.fromAsync(layer.uncompressed(wrong))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});

test('300 MB are never in memory', async () => {
  await using temp = await folder();
  const source = join(temp.path, 'sparse');
  const handle = await open(source, 'w');
  await handle.truncate(300_000_000);
  await handle.close();
  const script = `
    const { write } = await import(${JSON.stringify(new URL('../../libs/image/layer.ts', import.meta.url))});
    const entry = { type: 'file', path: '/sparse', mode: 420, uid: 0, gid: 0, size: 300_000_000, content: { file: ${JSON.stringify(source)} } };
    for (const compression of ['gzip', 'zstd', 'none'])
      await write([entry], { dir: ${JSON.stringify(join(temp.path, 'blobs'))}, compression, level: compression === 'none' ? undefined : 1, mtime: 0 });
    console.log(process.resourceUsage().maxRSS);
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(child.stderr).toBe('');
  // Kilobytes. Node alone takes about 50 MB.
  expect(Number(child.stdout)).toBeLessThan(180_000);
}, 60_000);
