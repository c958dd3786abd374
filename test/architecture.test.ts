import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '..');
const TOPS = ['libs', 'scripts', 'nginx-quic', 'dockerfiles', 'examples', 'test'];
/** What a recipe imports by the name of this project. */
const FORGE = 'h3forge.ts';

const files: readonly string[] = [
  FORGE,
  ...TOPS.flatMap((top) =>
    readdirSync(join(repository, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(repository, join(entry.parentPath, entry.name))),
  ),
].sort();

const textOf = (file: string): string => readFileSync(join(repository, file), 'utf8');

/** The files of ours that a file imports, types too: an arrow of the picture is an arrow, whatever goes along it. */
const importsOf = (file: string): string[] =>
  [...textOf(file).matchAll(/^(?:import|export)\b[^;]*?\bfrom '(\.[^']+)'|\bimport\(?\s*'(\.[^']+)'/gms)]
    .map(([, named, bare]) => named ?? bare ?? '')
    .map((path) => relative(repository, resolve(repository, dirname(file), path)));

const graph: ReadonlyMap<string, readonly string[]> = new Map(files.map((file) => [file, importsOf(file)]));

const services = ['archive', 'store', 'sandbox'];
const stages = ['debian', 'source', 'compile', 'collect', 'rootfs', 'image', 'engine', 'verify'];

/** What the files of each part may import beside each other; a name is a folder, or one file. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'libs/core': [],
  ...Object.fromEntries(services.map((name) => [`libs/${name}`, ['libs/core']])),
  ...Object.fromEntries(stages.map((name) => [`libs/${name}`, ['core', ...services].map((other) => `libs/${other}`)])),
  'libs/recipe': ['libs/core'],
  h3forge: ['libs/recipe/input.ts', 'libs/core'],
  examples: [],
  'libs/advisories': ['libs/core', 'libs/debian/version.ts'],
  // The result is what is shown.
  'libs/ui': ['libs/core', 'libs/pipeline/result.ts'],
  'libs/pipeline': ['core', 'ui', 'advisories', ...services, ...stages].map((other) => `libs/${other}`),
  'nginx-quic': ['libs/core'],
  dockerfiles: ['libs/core'],
  // The lock of the roots that only tests use is written with the others; what is measured lies with the tests.
  scripts: ['libs', 'nginx-quic', 'test/support/definitions.ts', 'test/bench'],
  test: [...TOPS, FORGE],
};
const more: Readonly<Record<string, readonly string[]>> = { 'libs/image': ['dockerfiles/runtime.ts'] };

/** The part that a file belongs to; `libs/pipeline.ts` is one with its folder. */
const partOf = (file: string): string | undefined =>
  Object.keys(allowed).find((part) => file.startsWith(`${part}/`) || file === `${part}.ts`);

const within = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);

describe('the direction of dependencies', () => {
  test('this test sees the imports', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(graph.get('libs/sandbox/run.ts')).toContain('libs/core/errors.ts');
    expect(graph.get('libs/pipeline/build.ts')).toContain('libs/pipeline.ts');
    const all = new Set(files);
    expect([...graph].flatMap(([from, to]) => to.filter((path) => !all.has(path)).map((path) => [from, path]))).toEqual(
      [],
    );
  });

  test('every file belongs to a part that has a rule', () => {
    expect(files.filter((file) => partOf(file) === undefined)).toEqual([]);
  });

  test('no part imports what it may not know', () => {
    const wrong = [...graph].flatMap(([from, imports]) => {
      const part = partOf(from) ?? '';
      const may = [part, ...(allowed[part] ?? []), ...(more[part] ?? [])];
      return imports
        .filter((to) => partOf(to) !== part && !may.some((place) => within(to, place)))
        .map((to) => `${from} -> ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  test('no files import each other in a circle', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): string[] => {
      const at = path.indexOf(file);
      if (at >= 0) return [[...path.slice(at), file].join(' -> ')];
      if (done.has(file)) return [];
      const circles = (graph.get(file) ?? []).flatMap((next) => visit(next, [...path, file]));
      done.add(file);
      return circles;
    };
    expect(files.flatMap((file) => visit(file, []))).toEqual([]);
  });
});

test('no file is longer than 300 lines', () => {
  const long = files
    .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300);
  expect(long).toEqual([]);
});

test('the lock of npm packages names no place to download from', () => {
  const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, object> };
  expect(Object.keys(packages).length).toBeGreaterThan(10);
  expect(Object.entries(packages).filter(([, entry]) => 'resolved' in entry)).toEqual([]);
});
