import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { decompress } from '../../libs/archive/decompress.ts';
import { extractTar } from '../../libs/archive/extract.ts';
import * as xz from '../../libs/archive/xz.ts';
import { rejection } from '../support/errors.ts';
import { gone, marker, running } from '../support/processes.ts';
import { tarOf } from '../support/tar.ts';
import { make } from '../support/tree.ts';

const never = new AbortController().signal;
const from = (...chunks: Buffer[]): Readable => Readable.from(chunks, { objectMode: false });
const pack = (data: Buffer): Buffer => spawnSync('xz', ['-c'], { input: data, maxBuffer: 1e8 }).stdout;

/** A source that gives these bytes and then neither more nor its end. */
function stalled(bytes: Buffer): Readable {
  const source = new Readable({ read: () => undefined });
  source.push(bytes);
  return source;
}

/** The words of a program that is told from all others by one of them, which has no effect. */
function marked(): { readonly argv: readonly string[]; readonly word: string } {
  const word = `--suffix=.${marker()}`;
  return { argv: ['xz', word], word };
}

describe.skipIf(spawnSync('xz', ['--version']).error !== undefined)('a decoder by the program xz', () => {
  // Much more than fits into pipes: a process whose output nobody reads does not end by itself.
  const data = randomBytes(8_000_000);
  const packed = pack(data);

  test('has ended with its result', async () => {
    const { argv, word } = marked();
    const result = xz.program(argv, never)(from(packed));
    await running(word);
    expect((await buffer(result)).equals(data)).toBe(true);
    await gone(word);
  });

  test.each([
    ['before it has a byte', () => stalled(Buffer.alloc(0)), 0],
    ['while it waits for more', () => stalled(packed.subarray(0, 1_000_000)), 1],
    ['while nobody reads on', () => from(packed), 1],
    ['at once', () => from(packed), 0],
  ])('ends when its result is given up %s, and closes the source', async (_name, open, chunks) => {
    const { argv, word } = marked();
    const source = open();
    const result = xz.program(argv, never)(source);
    await running(word);
    if (chunks > 0) await once(result, 'data').then(() => result.pause());
    result.destroy();
    await once(result, 'close');
    await gone(word);
    expect(source.destroyed).toBe(true);
  });

  test('ends when the signal is aborted, and the reason is told', async () => {
    const { argv, word } = marked();
    const controller = new AbortController();
    const source = stalled(packed.subarray(0, 1000));
    const result = buffer(await decompress(source, { xz: xz.program(argv, controller.signal) }));
    await running(word);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(result).rejects.toMatchObject({ name: 'AbortError', cause: reason });
    await gone(word);
    expect(source.destroyed).toBe(true);
  });

  test('ends when what it decodes cannot be unpacked', async () => {
    const { argv, word } = marked();
    const tar = await tarOf([
      { name: '../out', content: 'bad' },
      { name: 'large', content: 'x'.repeat(5_000_000) },
    ]);
    const decoded = await decompress(from(pack(tar)), { xz: xz.program(argv, never) });
    expect((await rejection(extractTar(decoded, make()))).code).toBe('ARCHIVE_ESCAPE');
    await gone(word);
  });

  test('ends when its source breaks', async () => {
    const { argv, word } = marked();
    const source = stalled(packed.subarray(0, 1000));
    const result = buffer(xz.program(argv, never)(source));
    await running(word);
    const broken = new Error('the line broke');
    source.destroy(broken);
    await expect(result).rejects.toBe(broken);
    await gone(word);
  });

  test("data that it cannot decode is told in xz's words", async () => {
    const bad = Buffer.from(packed);
    bad.fill(0x55, 4_000_000, 4_000_100);
    const error = await rejection(decompress(from(bad), { xz: xz.program(['xz'], never) }).then(buffer));
    expect(error.code).toBe('ARCHIVE_CORRUPT');
    expect(error.message).toContain('Compressed data is corrupt');
  });
});

test.each([
  ['is not there', [join(import.meta.dirname, 'no-such-program')]],
  ['is ended from outside', ['sh', '-c', 'kill -9 $$']],
  ['lacks a library', ['sh', '-c', 'echo cannot open shared object file >&2; exit 127']],
])('a program that %s is XZ_FAILED, not blamed on the data', async (_name, argv) => {
  const source = from(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), randomBytes(3_000_000));
  const error = await rejection(decompress(source, { xz: xz.program(argv, never) }).then(buffer));
  expect(error.code).toBe('XZ_FAILED');
  expect(error.found).toMatch(/no-such-program|SIGKILL|shared object/);
});
