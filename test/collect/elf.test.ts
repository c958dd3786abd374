import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as elf from '../../libs/collect/elf.ts';
import * as elfwriter from '../support/elfwriter.ts';
import * as readelf from '../support/readelf.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

const full: Omit<elfwriter.Description, 'bits' | 'littleEndian' | 'machine'> = {
  interpreter: '/lib/ld.so.1',
  needed: ['libone.so.1', 'libtwo.so.2'],
  auxiliary: ['libfast.so'],
  soname: 'libself.so.0',
  rpath: '/old:$ORIGIN',
  runpath: '$ORIGIN/../lib:/opt/lib',
  flags: 8,
  flags1: 0x8000801,
  needs: [
    { library: 'libone.so.1', versions: [{ name: 'ONE_1.0' }, { name: 'ONE_1.1', weak: true }] },
    { library: 'libtwo.so.2', versions: [{ name: 'TWO_2' }] },
  ],
  defines: [{ name: 'libself.so.0', base: true }, { name: 'SELF_1' }, { name: 'SELF_2', parents: ['SELF_1'] }],
  notes: [{ owner: 'GNU', type: 3, content: Buffer.from('0123456789abcdef', 'hex') }],
  imports: ['printf', '__stack_chk_fail', '__memcpy_chk'],
  stack: 'data',
  relro: true,
  sections: ['.text', '.symtab', '.debug_info'],
};

const machines = [
  { name: 'ppc64, big-endian', bits: 64, littleEndian: false, machine: 21 },
  { name: 'i386', bits: 32, littleEndian: true, machine: 3 },
  { name: 'mips, big-endian', bits: 32, littleEndian: false, machine: 8 },
  { name: 'aarch64', bits: 64, littleEndian: true, machine: 183 },
] as const;

describe('against readelf', () => {
  test.skipIf(!readelf.available || !existsSync(LIBRARIES))(
    'every ELF file of the machine says the same to both',
    () => {
      const { compared, differ } = readelf.compare(LIBRARIES);
      expect(differ).toEqual([]);
      expect(compared).toBeGreaterThan(20);
    },
    20_000,
  );

  test.skipIf(!readelf.available || !existsSync(LIBRARIES))('the imported symbols are the same', () => {
    const paths = readelf.elfFiles(LIBRARIES, 5000).filter((_, index) => index % 25 === 0);
    for (const path of paths) {
      const imports = elf.withFile(path, elf.imports);
      if (imports !== undefined) {
        expect(imports, path).toEqual(readelf.undefinedSymbols(path));
      }
    }
    expect(paths.length).toBeGreaterThan(0);
  });

  test.skipIf(!readelf.available).each(machines)('handcrafted files: $name', (machine) => {
    const path = join(tree.make({ file: elfwriter.write({ ...machine, ...full }) }), 'file');
    // readelf looks for versions in the section table alone, and these files have them only where the loader looks.
    const versions = { needs: [], defines: [] };
    expect({ ...readelf.ours(elf.read(path)), ...versions }).toEqual(readelf.read([path]).get(path));
  });
});

describe('handcrafted files', () => {
  test.each(machines)('every field is read: $name', (machine) => {
    const file = elf.parse(elf.fromBytes(elfwriter.write({ ...machine, ...full })));
    expect(file).toEqual({
      bits: machine.bits,
      littleEndian: machine.littleEndian,
      machine: machine.machine,
      osAbi: 0,
      type: 'shared',
      dynamic: true,
      interpreter: '/lib/ld.so.1',
      needed: ['libone.so.1', 'libtwo.so.2'],
      auxiliary: ['libfast.so'],
      filter: [],
      soname: 'libself.so.0',
      rpath: '/old:$ORIGIN',
      runpath: '$ORIGIN/../lib:/opt/lib',
      flags: { bindNow: true, pie: true, noDefaultLibraries: true },
      needs: [
        {
          library: 'libone.so.1',
          versions: [
            { name: 'ONE_1.0', weak: false },
            { name: 'ONE_1.1', weak: true },
          ],
        },
        { library: 'libtwo.so.2', versions: [{ name: 'TWO_2', weak: false }] },
      ],
      defines: [
        { name: 'libself.so.0', base: true, parents: [] },
        { name: 'SELF_1', base: false, parents: [] },
        { name: 'SELF_2', base: false, parents: ['SELF_1'] },
      ],
      buildId: '0123456789abcdef',
      dlopen: [],
      features: { ibt: false, shstk: false },
      stack: 'data',
      relro: true,
      hasSymbolTable: true,
      hasDebug: true,
    });
  });

  test.each(machines)('without a section table the loader’s facts are the same: $name', (machine) => {
    const { sections: _, ...rest } = full;
    const stripped = elf.parse(elf.fromBytes(elfwriter.write({ ...machine, ...rest })));
    const whole = elf.parse(elf.fromBytes(elfwriter.write({ ...machine, ...full })));
    expect(stripped).toEqual({ ...whole, hasSymbolTable: false, hasDebug: false });
  });

  test.each(machines)('imports end where the next table begins: $name', (machine) => {
    const file = elf.fromBytes(elfwriter.write({ ...machine, ...full }));
    expect(elf.imports(file)).toEqual(['printf', '__stack_chk_fail', '__memcpy_chk']);
  });

  test('a file without a dynamic segment names nothing', () => {
    const bytes = Buffer.from(elfwriter.write({ ...machines[3] }));
    bytes.writeUInt16LE(0, 56);
    const file = elf.parse(elf.fromBytes(bytes));
    expect(file).toMatchObject({ dynamic: false, needed: [], interpreter: undefined, stack: 'unstated', relro: false });
    expect(elf.imports(elf.fromBytes(bytes))).toBeUndefined();
  });

  test.each([4, 8] as const)('notes padded to %i bytes', (noteAlign) => {
    const notes = [
      { owner: 'Somebody', type: 1, content: Buffer.alloc(5) },
      { owner: 'GNU', type: 3, content: Buffer.alloc(20, 9) },
    ];
    const file = elf.parse(elf.fromBytes(elfwriter.write({ ...machines[0], notes, noteAlign })));
    expect(file.buildId).toBe('09'.repeat(20));
  });

  test('CET is read on x86 and nowhere else', () => {
    const content = Buffer.from('020000c0' + '04000000' + '03000000' + '00000000', 'hex');
    const notes = [{ owner: 'GNU', type: 5, content }];
    const on = (machine: number): object =>
      elf.parse(elf.fromBytes(elfwriter.write({ bits: 64, littleEndian: true, machine, notes }))).features;
    expect(on(62)).toEqual({ ibt: true, shstk: true });
    expect(on(183)).toEqual({ ibt: false, shstk: false });
  });
});

describe('dlopen notes', () => {
  const parse = (...texts: string[]): elf.Elf => {
    const notes = texts.map((text) => ({ owner: 'FDO', type: 0x407c0c0a, content: Buffer.from(`${text}\0`) }));
    return elf.parse(elf.fromBytes(elfwriter.write({ bits: 64, littleEndian: true, machine: 62, notes })));
  };

  test('all notes are read, the priority is recommended if not said', () => {
    const { dlopen } = parse(
      '[{"feature":"zstd","description":"for zstd","priority":"suggested","soname":["libzstd.so.1"]}]',
      '[{"soname":["liba.so.2","liba.so.1"]},{"soname":["libb.so"],"priority":"required","later":1}]',
    );
    expect(dlopen).toEqual([
      { feature: 'zstd', description: 'for zstd', priority: 'suggested', soname: ['libzstd.so.1'] },
      { priority: 'recommended', soname: ['liba.so.2', 'liba.so.1'] },
      { priority: 'required', soname: ['libb.so'] },
    ]);
  });

  test.each([
    '',
    '{',
    '{}',
    '[{"soname":[]}]',
    '[{"soname":"libz.so"}]',
    '[{"soname":["a"],"priority":"maybe"}]',
    '\xff',
  ])('refused: %j', (text) => {
    expect(thrown(() => parse(text))).toMatchObject({
      code: 'ELF_INVALID',
      message: expect.stringContaining('offset'),
    });
  });
});

describe('bad files', () => {
  const good = elfwriter.write({ ...machines[3], ...full });
  const changed = (change: (bytes: Buffer) => void): (() => elf.Elf) => {
    const bytes = Buffer.from(good);
    change(bytes);
    return () => elf.parse(elf.fromBytes(bytes));
  };

  test.each([
    ['no ELF file', (bytes: Buffer) => bytes.write('#!/b'), 'ELF_INVALID'],
    ['class', (bytes: Buffer) => bytes.writeUInt8(3, 4), 'ELF_INVALID'],
    ['data encoding', (bytes: Buffer) => bytes.writeUInt8(0, 5), 'ELF_INVALID'],
    ['version', (bytes: Buffer) => bytes.writeUInt8(2, 6), 'ELF_INVALID'],
    ['program headers beyond the end', (bytes: Buffer) => bytes.writeBigUInt64LE(1n << 62n, 32), 'ELF_TRUNCATED'],
    ['size of program headers', (bytes: Buffer) => bytes.writeUInt16LE(8, 54), 'ELF_INVALID'],
    ['section table beyond the end', (bytes: Buffer) => bytes.writeBigUInt64LE(1n << 40n, 40), 'ELF_TRUNCATED'],
    ['section names', (bytes: Buffer) => bytes.writeUInt16LE(77, 62), 'ELF_INVALID'],
    ['loaded segment beyond the end', (bytes: Buffer) => bytes.writeBigUInt64LE(1n << 40n, 64 + 32), 'ELF_TRUNCATED'],
  ] as const)('%s', (_name, change, code) => {
    const error = thrown(changed(change));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/at offset \d+/);
  });

  test('an empty file, a directory entry of nothing', () => {
    expect(thrown(() => elf.parse(elf.fromBytes(new Uint8Array()))).code).toBe('ELF_INVALID');
  });

  test('every shorter copy of a file is refused, by memory and by file alike', () => {
    const directory = tree.make({
      ...Object.fromEntries([100, 700, good.length - 1].map((n) => [n, good.subarray(0, n)])),
    });
    for (let length = 0; length < good.length; length += 1) {
      expect(thrown(() => elf.parse(elf.fromBytes(good.subarray(0, length)))).code).toMatch(
        /^ELF_(TRUNCATED|INVALID)$/,
      );
    }
    for (const length of [100, 700, good.length - 1]) {
      const path = join(directory, `${length}`);
      expect(thrown(() => elf.read(path, '/the/name'))).toMatchObject({
        code: 'ELF_TRUNCATED',
        message: expect.stringMatching(/^\/the\/name: /),
      });
    }
  });

  test('a list of versions that goes on and on ends', () => {
    // Zeros after the file's last byte would end the list, so it is led through a field of ones.
    const library = elfwriter.write({ ...machines[3], soname: 'a'.repeat(4000), defines: [{ name: 'ONE' }] });
    const bytes = Buffer.from(library);
    const record = bytes.indexOf(Buffer.from('0100000001000100', 'hex'));
    expect(record).toBeGreaterThan(0);
    const long = Buffer.concat([bytes, Buffer.alloc(200_000, 1)]);
    long.writeUInt32LE(bytes.length - record, record + 16);
    expect(thrown(() => elf.parse(elf.fromBytes(long))).code).toMatch(/^ELF_/);
  });

  test('a missing file is the system’s own error', () => {
    expect(() => elf.read(join(tree.make(), 'none'))).toThrowError(expect.objectContaining({ code: 'ENOENT' }));
  });
});

test('a file is read in parts, and the parts are right', () => {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 251));
  const path = join(tree.make({ bytes }), 'bytes');
  elf.withFile(path, (source) => {
    expect(source.size).toBe(bytes.length);
    for (const [offset, length] of [
      [0, 16],
      [16_380, 10],
      [16_384, 16_384],
      [50_000, 40_000],
      [99_990, 100],
      [200_000, 4],
    ] as const) {
      expect(Buffer.from(source.read(offset, length))).toEqual(bytes.subarray(offset, offset + length));
    }
    for (let offset = 0; offset < bytes.length; offset += 997) {
      expect(source.read(offset, 1)[0]).toBe(bytes[offset]);
    }
  });
  expect(elf.isElf(readFileSync(process.execPath).subarray(0, 4))).toBe(true);
  expect(elf.isElf(bytes)).toBe(false);
});
