import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stanzas } from '../../libs/debian/control.ts';
import { rejection } from '../support/errors.ts';

const TEXT = `
Package: a
Depends: b,
 c (>= 1)
Description: something
 of several lines

# a comment
Package: ü
Empty:

Package:d`;

const FIELDS = ['Package', 'Depends', 'Empty'] as const;

test('stanzas with the fields asked for', async () => {
  expect(await parse(TEXT, FIELDS)).toEqual([
    { Package: 'a', Depends: 'b,\nc (>= 1)' },
    { Package: 'ü', Empty: '' },
    { Package: 'd' },
  ]);
});

test('however the bytes arrive', async () => {
  const bytes = Buffer.from(TEXT.replaceAll('\n', '\r\n'));
  const expected = await parse(TEXT, FIELDS);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
      const offsets = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = offsets.slice(1).map((end, index) => bytes.subarray(offsets[index], end));
      const found = [];
      for await (const stanza of stanzas(Readable.from(chunks), FIELDS)) found.push(stanza);
      expect(found).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test.each(['no field', ' a continuation of nothing', ': no name'])('%j is CONTROL_INVALID', async (text) => {
  expect((await rejection(parse(text, FIELDS))).code).toBe('CONTROL_INVALID');
});
