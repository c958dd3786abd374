import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { type DecompressOptions, decompress } from '../../libs/archive/decompress.ts';
import * as xz from '../../libs/archive/xz.ts';

const data = Buffer.concat([randomBytes(3000), Buffer.alloc(300_000, 'abc'), randomBytes(10)]);

const pack = (tool: string): Buffer => spawnSync(tool, ['-c'], { input: data, maxBuffer: 1e8 }).stdout;
const from = (...chunks: Buffer[]): Readable => Readable.from(chunks, { objectMode: false });

const ways: readonly (readonly [name: string, tool: string, options: DecompressOptions])[] = [
  ['gzip', 'gzip', {}],
  ['xz', 'xz', {}],
  ['xz by a program', 'xz', { xz: xz.program(['xz'], new AbortController().signal) }],
  ['zstd', 'zstd', {}],
];
const here = ways.filter(([, tool]) => spawnSync(tool, ['--version']).error === undefined);

describe.each(here)('%s', (_name, tool, options) => {
  const packed = pack(tool);
  const unpack = async (...chunks: Buffer[]): Promise<Buffer> => buffer(await decompress(from(...chunks), options));

  test('is recognised by its first bytes, however they arrive', async () => {
    expect((await unpack(packed)).equals(data)).toBe(true);
    const bytes = [...packed.subarray(0, 20)].map((byte) => Buffer.from([byte]));
    expect((await unpack(...bytes, packed.subarray(20))).equals(data)).toBe(true);
  });

  test('may be several streams one after another', async () => {
    expect((await unpack(packed, packed)).equals(Buffer.concat([data, data]))).toBe(true);
  });

  test('cut anywhere is ARCHIVE_TRUNCATED', async () => {
    for (let length = 8; length < packed.length; length += 61) {
      await expect(unpack(packed.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
        code: 'ARCHIVE_TRUNCATED',
      });
    }
    await expect(unpack(packed.subarray(0, -1))).rejects.toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
  });

  test('with other bytes in it is never taken for whole', async () => {
    for (let offset = 40; offset < 3000; offset += 173) {
      const bad = Buffer.from(packed);
      bad[offset] = (bad[offset] ?? 0) ^ 0x55;
      // A few bits of a header carry nothing, so the same bytes may come out.
      const found = await unpack(bad).then(
        (bytes) => (bytes.equals(data) ? 'whole' : 'silent'),
        (error: { code?: string }) => error.code,
      );
      expect(['ARCHIVE_CORRUPT', 'ARCHIVE_TRUNCATED', 'whole'], `byte ${offset}`).toContain(found);
    }
  });

  test('an error of the source is passed on as it is', async () => {
    const broken = new Error('the line broke');
    const source = Readable.from(
      (async function* () {
        yield packed.subarray(0, 1000);
        await Promise.resolve();
        throw broken;
      })(),
      { objectMode: false },
    );
    await expect(decompress(source, options).then(buffer)).rejects.toBe(broken);
  });

  test('given up, in whatever state, it does not keep the next one from working', async () => {
    const held = await decompress(from(packed), options);
    const waiting = await decompress(from(packed), options);
    const unread = await decompress(from(packed), options);
    held.once('data', () => held.pause());
    await new Promise((resolve) => setTimeout(resolve, 20));
    waiting.on('error', () => undefined).resume();
    unread.destroy();
    await new Promise((resolve) => setTimeout(resolve, 5));
    waiting.destroy();
    await new Promise((resolve) => setTimeout(resolve, 5));
    held.destroy();
    const source = from(packed.subarray(0, 500), packed.subarray(500));
    expect((await buffer(await decompress(source, options))).equals(data)).toBe(true);
    await expect.poll(() => source.destroyed).toBe(true);
  });

  test('several at once', async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => unpack(packed)));
    expect(results.every((bytes) => bytes.equals(data))).toBe(true);
  });
});

const plain = async (...chunks: Buffer[]): Promise<Buffer> => buffer(await decompress(from(...chunks)));

test('anything else comes back as it is', async () => {
  expect(await plain(Buffer.from('plain'))).toEqual(Buffer.from('plain'));
  expect(await plain()).toEqual(Buffer.alloc(0));
});
