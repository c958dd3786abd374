import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { NginxModule } from '../../libs/core/module.ts';
import { parseLua, parseModule } from '../../libs/recipe/choices.ts';
import { configuration, files } from '../../libs/verify/modules.ts';
import { lua } from '../../nginx-quic/lua.ts';
import { modules } from '../../nginx-quic/modules/index.ts';
import { halves } from '../../nginx-quic/modules/mmdb.ts';

const names = modules.map(({ name }) => name);
const sorted = (list: readonly string[]): string[] => [...list].sort();
const unique = (list: readonly string[]): string[] => [...new Set(list)];
const documentation = await readFile(new URL('../../docs/modules.md', import.meta.url), 'utf8');

/** The first cells of the rows of the tables of docs/modules.md, which are names in backquotes. */
const documented = [...documentation.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name ?? '');

describe('the catalogue', () => {
  test('is sorted by name, and each name is there once', () => {
    expect(names).toEqual(sorted(unique(names)));
  });

  test('has names that --module takes', () => {
    expect(names.map((name) => parseModule(name))).toEqual(names.map((name) => ({ name })));
  });

  test('has each object and each Debian package in one module only', () => {
    const objects = modules.flatMap((module) => module.objects);
    const packages = modules.flatMap((module) => module.packages ?? []);
    expect(objects).toEqual(unique(objects));
    expect(packages).toEqual(unique(packages));
  });

  test('can be put in an order', () => {
    const left = new Map(modules.map(({ name, requires = [], after = [] }) => [name, [...requires, ...after]]));
    for (let before = left.size + 1; left.size > 0 && left.size < before; ) {
      before = left.size;
      for (const [name, others] of left) if (!others.some((other) => left.has(other))) left.delete(name);
    }
    expect([...left.keys()]).toEqual([]);
  });

  test('is documented, and what is documented is in it', () => {
    expect(documented).toEqual([...names, ...lua.map(({ name }) => name)]);
  });
});

describe.each(modules.map((module): [string, NginxModule] => [module.name, module]))('%s', (name, module) => {
  test('has one line about it and a homepage', () => {
    expect(module.summary).toMatch(/^[^\n]{10,90}[^\n.]$/);
    expect(new URL(module.homepage).protocol).toBe('https:');
  });

  test('only asks for modules that there are', () => {
    for (const other of [...(module.requires ?? []), ...(module.after ?? [])]) expect(names).toContain(other);
    expect(module.requires ?? []).not.toContain(name);
  });

  test('has objects to load, unless it cannot be dynamic anywhere', () => {
    for (const object of module.objects) expect(object).toMatch(/^[a-z0-9_]+_module\.so$/);
    const onlyStatic = module.link.only === true && module.link.default === 'static' && module.packages === undefined;
    expect(module.objects.length > 0).toBe(!onlyStatic);
  });

  test('has Debian packages of the right kind', () => {
    for (const one of module.packages ?? []) expect(one).toMatch(/^libnginx-mod-[a-z0-9-]+$/);
    for (const one of module.builder ?? []) expect(one).toMatch(/^lib[a-z0-9.+-]+-dev$/);
  });

  test('has a source that cannot change', () => {
    const { source } = module;
    if (source === 'nginx') {
      expect(module.configure?.length).toBeGreaterThan(0);
      return;
    }
    if ('debian' in source) {
      expect(source.debian).toMatch(/^libnginx-mod-[a-z0-9-]+$/);
      return;
    }
    expect(source.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(new URL(source.git).protocol).toBe('https:');
    expect(source.version).not.toBe('');
  });

  test('asks for a path of its own, which its lines serve', () => {
    const { path } = module.smoke.request;
    expect(path).toMatch(new RegExp(`^/smoke/${name}(?:[./?]|$)`));
    const location = path.replace(/\?.*/, '');
    expect(module.smoke.server).toMatch(new RegExp(`location (?:= )?${location.replaceAll('.', '\\.')} \\{`));
  });

  test('has files of its own below /smoke, and uses them', () => {
    for (const path of Object.keys(module.smoke.files ?? {})) expect(path).toMatch(new RegExp(`^${name}[./]`));
    const lines = [module.smoke.main, module.smoke.http, module.smoke.server].join('\n');
    for (const [, path = ''] of lines.matchAll(/\/smoke\/(\S+\.[a-z0-9]+);/g))
      expect(Object.keys(module.smoke.files ?? {})).toContain(path);
  });

  test('expects something that its absence would not give', () => {
    const { status, headers, body } = module.smoke.expect;
    expect(status !== 200 || headers !== undefined || body !== undefined).toBe(true);
    for (const header of Object.keys(headers ?? {})) expect(header).toBe(header.toLowerCase());
  });
});

describe('all proofs in one configuration', () => {
  const proofs = modules.map(({ name, smoke }) => ({ name, smoke }));
  const text = configuration(proofs);
  const all = (expression: RegExp): string[] => [...text.matchAll(expression)].map(([, found]) => found ?? '');

  test('are asked for different paths', () => {
    const paths = proofs.map(({ smoke }) => smoke.request.path.replace(/\?.*/, ''));
    expect(paths).toEqual(unique(paths));
  });

  test.each([
    ['locations', /^\s*location (?:= )?(\S+) \{/gm],
    ['upstreams', /^\s*upstream (\S+) \{/gm],
    ['ports of their own', /^\s*listen (127\.0\.0\.1:\d+);/gm],
    ['blocks of the main context', /^([a-z]+) \{/gm],
    ['zones', /(?:zone=|keys_zone=)(smoke_\w+):/g],
  ])('have different %s', (_, expression) => {
    const found = all(expression);
    expect(found.length).toBeGreaterThan(1);
    const again = found.filter((one, index) => found.indexOf(one) !== index);
    // A lock zone is named where it is made and where it is used, the latter without a size.
    expect(again).toEqual([]);
  });

  test('close every block that they open', () => {
    expect(all(/(\{)/g).length).toBe(all(/(\})/g).length);
  });

  test('share no file', () => {
    const paths = proofs.flatMap(({ smoke }) => Object.keys(smoke.files ?? {}));
    expect(paths).toEqual(unique(paths));
    expect([...files(proofs).keys()]).toEqual(paths);
  });
});

describe('the database of geoip2', () => {
  const database = halves('AA', 'ZZ');
  const metadata = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  const separator = 16;
  const node = 6;

  test('says what it is after the marker', () => {
    const start = database.indexOf(metadata);
    expect(start).toBeGreaterThan(0);
    expect(database.indexOf('binary_format_major_version')).toBeGreaterThan(start);
  });

  test.each([
    ['left', 0, 'AA'],
    ['right', 3, 'ZZ'],
  ])('leads from the %s half to its country', (_, at, country) => {
    const nodes = 1;
    const offset = node + separator + (database.readUIntBE(at, 3) - nodes - separator);
    // A map of one, the text "country", a map of one, the text "iso_code", and a text of two letters.
    expect(database.subarray(offset, offset + 22).toString('latin1')).toBe(
      `\xe1\x47country\xe1\x48iso_code\x42${country}`,
    );
  });
});

describe('the Lua libraries', () => {
  const libraries = lua.map(({ name }) => name);

  test('are sorted by name, each there once, in one package each', () => {
    expect(libraries).toEqual(sorted(unique(libraries)));
    const packages = lua.map((library) => library.package);
    expect(packages).toEqual(unique(packages));
  });

  test('have names that --lua takes', () => {
    expect(libraries.map((name) => parseLua(name))).toEqual(libraries);
  });

  test('only need libraries that there are', () => {
    for (const { requires = [] } of lua) for (const other of requires) expect(libraries).toContain(other);
  });
});
