import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as elf from '../../libs/collect/elf.ts';
import { ForgeError } from '../../libs/core/errors.ts';
import * as elfwriter from '../support/elfwriter.ts';

const CASES = 3000;
/** No case may take longer, milliseconds: a loop over garbage would. */
const LONGEST = 1000;

const handmade = (bits: 32 | 64, littleEndian: boolean, machine: number): Uint8Array =>
  elfwriter.write({
    ...{ bits, littleEndian, machine, soname: 'libx.so.1', needed: ['liby.so.1'], runpath: '$ORIGIN' },
    needs: [{ library: 'liby.so.1', versions: [{ name: 'Y_1' }, { name: 'Y_2' }] }],
    defines: [{ name: 'libx.so.1', base: true }, { name: 'X_1' }, { name: 'X_2', parents: ['X_1'] }],
    notes: [
      { owner: 'GNU', type: 3, content: Buffer.alloc(20, 7) },
      { owner: 'FDO', type: 0x407c0c0a, content: Buffer.from('[{"soname":["libz.so.1"]}]\0') },
      { owner: 'GNU', type: 5, content: Buffer.from('020000c0040000000300000000000000', 'hex') },
    ],
    imports: ['malloc', 'free'],
    sections: ['.symtab', '.debug_info'],
  });

const real = [
  '/usr/bin/true',
  '/lib/x86_64-linux-gnu/libz.so.1',
  '/lib64/ld-linux-x86-64.so.2',
  '/lib/x86_64-linux-gnu/librt.so.1',
]
  .filter((path) => existsSync(path))
  .map((path) => readFileSync(path));

const originals = [
  ...real,
  handmade(64, true, 62),
  handmade(32, true, 3),
  handmade(64, false, 21),
  handmade(32, false, 8),
];

/** Where a change does most: the headers, the dynamic segment and the tables lie at the beginning and at the end. */
const place = fc.oneof(
  fc.integer({ min: 0, max: 63 }),
  fc.integer({ min: 0, max: 2047 }),
  fc.integer({ min: -4096, max: -1 }),
  fc.integer({ min: 0, max: 0x7fffffff }),
);

const change = fc.record({
  place,
  value: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      Uint8Array.of(0),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff),
      new Uint8Array(8).fill(0xff),
      Uint8Array.of(1, 0, 0, 0),
    ),
  ),
});

const mutation = fc.record({
  original: fc.integer({ min: 0, max: originals.length - 1 }),
  changes: fc.array(change, { minLength: 1, maxLength: 12 }),
  keep: fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  ),
});

test(`${CASES} damaged files are read or refused, quickly`, () => {
  let refused = 0;
  let read = 0;
  fc.assert(
    fc.property(mutation, ({ original, changes, keep }) => {
      const bytes = Buffer.from(originals[original] ?? []);
      for (const { place: at, value } of changes) {
        const offset = at < 0 ? Math.max(0, bytes.length + at) : at % bytes.length;
        bytes.set(value.subarray(0, bytes.length - offset), offset);
      }
      const file = elf.fromBytes(bytes.subarray(0, Math.ceil(bytes.length * keep)));
      const start = performance.now();
      for (const look of [elf.parse, elf.imports]) {
        try {
          look(file);
          read += 1;
        } catch (error) {
          if (!(error instanceof ForgeError) || !error.code.startsWith('ELF_')) {
            throw error;
          }
          refused += 1;
        }
      }
      expect(performance.now() - start).toBeLessThan(LONGEST);
    }),
    { numRuns: CASES },
  );
  // Both must happen, or the changes would not test what they are for.
  expect(refused).toBeGreaterThan(CASES / 20);
  expect(read).toBeGreaterThan(CASES / 20);
}, 60_000);

test('a file made to be slow is refused in time', () => {
  // Thousands of DT_NEEDED that all point at one long name, and lists that go forward one byte at a time.
  const needed = new Array<string>(4000).fill('n'.repeat(4000));
  const start = performance.now();
  const many = elf.parse(elf.fromBytes(elfwriter.write({ bits: 64, littleEndian: true, machine: 62, needed })));
  expect(many.needed).toHaveLength(4000);
  const tooMany = elfwriter.write({ bits: 64, littleEndian: true, machine: 62, needed: [...needed, ...needed] });
  expect(() => elf.parse(elf.fromBytes(tooMany))).toThrowError(expect.objectContaining({ code: 'ELF_INVALID' }));
  expect(performance.now() - start).toBeLessThan(2000);
});
