import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as lines from '../../libs/sandbox/lines.ts';

/** The lines of bytes that arrive in pieces of these sizes. */
function split(bytes: Uint8Array, sizes: readonly number[]): string[] {
  const splitter = lines.splitter();
  const found: string[] = [];
  let at = 0;
  for (const size of sizes) {
    found.push(...splitter.take(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...found, ...splitter.take(bytes.subarray(at)), ...splitter.rest()];
}

test.each([
  ['', []],
  ['\n', ['']],
  ['one', ['one']],
  ['one\n', ['one']],
  ['one\n\ntwo', ['one', '', 'two']],
  ['dos\r\nunix\n', ['dos', 'unix']],
  ['50%\r100%\n', ['50%\r100%']],
])('the lines of %j', (text, expected) => {
  expect(split(Buffer.from(text), [])).toEqual(expected);
});

test('they are the same in whatever pieces the bytes arrive', () => {
  const text = fc.array(fc.constantFrom('a', 'ü', '☃', '𝄞', '\n', '\r\n', ' ', 'word')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(5)), (written, sizes) => {
      const expected = written.split(/\r?\n/);
      if (expected.at(-1) === '') expected.pop();
      expect(split(Buffer.from(written), sizes)).toEqual(expected);
    }),
  );
});

test('bytes that are no UTF-8 do no harm', () => {
  expect(split(Uint8Array.of(0x61, 0xff, 0x0a, 0xc3), [])).toEqual(['a\ufffd', '\ufffd']);
});

test('a long line comes in pieces, of which none is longer than told, and none is lost', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 * lines.LONGEST }), fc.array(fc.nat(lines.LONGEST)), (length, sizes) => {
      const found = split(Buffer.from(`${'x'.repeat(length)}\nend`), sizes);
      expect(Math.max(...found.map((line) => line.length))).toBeLessThanOrEqual(lines.LONGEST);
      expect(found.join('')).toBe(`${'x'.repeat(length)}end`);
      expect(found.at(-1)).toBe('end');
    }),
    { numRuns: 30 },
  );
});

test('the lines of a stream', async () => {
  const chunks = (async function* () {
    yield Buffer.from('one\ntw');
    yield Buffer.from('o\nthree');
  })();
  expect(await Array.fromAsync(lines.of(chunks))).toEqual(['one', 'two', 'three']);
});
