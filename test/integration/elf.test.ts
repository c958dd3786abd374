import { expect, test } from 'vitest';
import * as elf from '../../libs/collect/elf.ts';
import * as tools from '../../libs/sandbox/tools.ts';
import * as readelf from '../support/readelf.ts';
import * as roots from '../support/roots.ts';

const { platform } = await roots.kit();
const builder = await roots.root('builder');
/** The builder root's own readelf, with its own loader and libraries: the same on every machine. */
const command = tools.program({ dir: builder, platform, root: false }, 'usr/bin/readelf');

test('our reader and readelf say the same of every ELF file of the builder root', () => {
  const { compared, differ } = readelf.compare(builder, 100_000, command);
  expect(differ).toEqual([]);
  // Programs, libraries, plugins, object files: hundreds.
  expect(compared).toBeGreaterThan(300);
});

test('among them are programs, libraries and object files', () => {
  const types = new Set(readelf.elfFiles(builder, 100_000).map((path) => elf.read(path).type));
  expect([...types].sort()).toEqual(expect.arrayContaining(['executable', 'relocatable', 'shared']));
});
