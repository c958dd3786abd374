import { realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as tree from '../support/tree.ts';
import { load } from './support.ts';

const recipe = (fields: string): string =>
  `import { defineRecipe } from 'h3forge';\nexport default defineRecipe({ ${fields} });\n`;

/** A folder far from this repository, by the path that Node calls it. */
const folder = (files: tree.Tree): string => realpathSync(tree.make(files));

describe('a recipe', () => {
  test.each(['ts', 'mts', 'js', 'mjs'])('in h3forge.config.%s', async (ending) => {
    const dir = folder({ [`h3forge.config.${ending}`]: recipe("name: 'shop'") });
    expect(await load(dir)).toEqual({
      loaded: { input: { name: 'shop' }, file: join(dir, `h3forge.config.${ending}`) },
      stderr: '',
    });
  });

  test('with types and a file of its own, below a package.json that says CommonJS', async () => {
    const dir = folder({
      'package.json': '{ "name": "shop" , "type": "commonjs" }',
      'h3forge.config.ts': `import type { RecipeInput } from 'h3forge';
        import { defineRecipe } from 'h3forge';
        import { labels } from './parts/labels.ts';
        const input: RecipeInput = { labels } satisfies RecipeInput;
        export default defineRecipe(input);`,
      'parts/labels.ts': "export const labels: Readonly<Record<string, string>> = { vendor: 'me' };",
    });
    expect(await load(dir)).toMatchObject({ loaded: { input: { labels: { vendor: 'me' } } }, stderr: '' });
  });

  test('that needs nothing of ours', async () => {
    const dir = folder({ 'h3forge.config.ts': "export default { modules: ['brotli'] };" });
    expect(await load(dir)).toMatchObject({ loaded: { input: { modules: ['brotli'] } } });
  });

  test('of several files is the first one', async () => {
    const dir = folder({ 'h3forge.config.mjs': recipe("name: 'b'"), 'h3forge.config.ts': recipe("name: 'a'") });
    expect((await load(dir)).loaded?.input.name).toBe('a');
  });

  test('is found by way of a link', async () => {
    const dir = folder({ 'real/h3forge.config.ts': recipe("name: 'a'"), link: { link: 'real' } });
    expect((await load(join(dir, 'link'))).loaded?.file).toBe(join(dir, 'real/h3forge.config.ts'));
  });
});

describe('files', () => {
  test('are rootfs where there is one', async () => {
    const dir = folder({ 'h3forge.config.ts': recipe(''), rootfs: { directory: true } });
    expect((await load(dir)).loaded?.input).toEqual({ files: 'rootfs' });
  });

  test('are those that the recipe names', async () => {
    const dir = folder({
      'h3forge.config.ts': recipe("files: './web/root'"),
      rootfs: { directory: true },
      'web/root': { directory: true },
    });
    expect((await load(dir)).loaded?.input).toEqual({ files: './web/root' });
  });

  test.each([
    ['nothing', 'nothing there'],
    ['file', 'a file'],
    ['away', 'a link to /'],
    ['self', 'a link to '],
  ])('cannot be %s', async (files, found) => {
    const dir = folder({
      'h3forge.config.ts': recipe(`files: '${files}'`),
      file: '',
      away: { link: '/' },
      self: { link: '.' },
    });
    expect((await load(dir)).error).toMatchObject({
      code: 'RECIPE_INVALID',
      message: `${join(dir, 'h3forge.config.ts')}: files is not a folder of the recipe`,
      expected: join(dir, files),
      found: files === 'self' ? found + dir : found,
    });
  });
});

describe('no recipe', () => {
  test('in a folder without one: the hint is one to write', async () => {
    const dir = folder({ 'package.json': '{}' });
    const { error } = await load(dir);
    expect(error).toMatchObject({ code: 'RECIPE_MISSING', message: `there is no recipe in ${dir}` });
    const [, file = '', text = ''] = /^write (\S+): (.*)$/.exec(String(error?.hint)) ?? [];
    expect(file).toBe(join(dir, 'h3forge.config.ts'));
    const written = folder({ [basename(file)]: text });
    expect((await load(written)).loaded?.input).toEqual({ modules: ['brotli'] });
  });

  test('where there is no folder, or a file', async () => {
    const dir = folder({ 'h3forge.config.ts': recipe('') });
    expect((await load(join(dir, 'shop'))).error?.code).toBe('RECIPE_MISSING');
    expect((await load(join(dir, 'h3forge.config.ts'))).error).toMatchObject({
      code: 'RECIPE_MISSING',
      found: 'a file',
      hint: `--recipe ${dir}`,
    });
  });

  test.each([
    ['export const recipe = {};', 'exports of recipe'],
    ['console.error();', 'no export'],
  ])('is exported by %s', async (text, found) => {
    const dir = folder({ 'h3forge.config.ts': text });
    expect((await load(dir)).error).toMatchObject({
      code: 'RECIPE_INVALID',
      message: `${join(dir, 'h3forge.config.ts')} exports no recipe`,
      expected: 'export default defineRecipe({ ... })',
      found,
    });
  });

  test('is one with a field of another type', async () => {
    const dir = folder({ 'h3forge.config.ts': recipe("probes: [{ path: 'ping' }]") });
    expect((await load(dir)).error).toMatchObject({
      code: 'RECIPE_INVALID',
      message: `${join(dir, 'h3forge.config.ts')}: probes.0.path is not right`,
      found: "'ping'",
    });
  });
});

describe('a file that cannot be run', () => {
  test.each<[string, string, string]>([
    [
      'ts',
      "const a: number = 1;\n\nthrow new RangeError('too far\\nand more');",
      ':3:7 cannot be run: RangeError: too far',
    ],
    ['ts', 'const a = 1;\nexport default { name: };', ':2 cannot be run: SyntaxError: Expression expected'],
    ['mjs', 'const a = 1;\nexport default { name: };', ":2 cannot be run: SyntaxError: Unexpected token '}'"],
    ['ts', 'export default nowhere;', ':1:16 cannot be run: ReferenceError: nowhere is not defined'],
    ['ts', "throw 'nothing';", ' cannot be run: thrown: nothing'],
  ])('%s: %s', async (ending, text, message) => {
    const dir = folder({ [`h3forge.config.${ending}`]: text });
    const { error } = await load(dir);
    expect(error).toMatchObject({
      code: 'RECIPE_FAILED',
      message: `${join(dir, `h3forge.config.${ending}`)}${message}`,
    });
  });

  test('is named, where the recipe imports it', async () => {
    const dir = folder({
      'h3forge.config.ts': "import { a } from './part one.ts';\nexport default { name: a() };",
      'part one.ts': 'type A = { b?: { c: string } };\nexport const a = (x: A = {}) => (x as any).b.c;',
    });
    expect((await load(dir)).error).toMatchObject({
      code: 'RECIPE_FAILED',
      message: expect.stringMatching(/\/part one\.ts:2:\d+ cannot be run: TypeError: /),
    });
  });

  test.each([
    'enum Colour { red }',
    'namespace a { export const b = 1; }',
    'class A { constructor(readonly b: string) {} }',
  ])('because it is TypeScript that must be compiled: %s', async (text) => {
    const dir = folder({ 'h3forge.config.ts': `\n${text}\n${recipe('')}` });
    const { error } = await load(dir);
    expect(error).toMatchObject({ code: 'RECIPE_FAILED', hint: expect.stringContaining('use an object') });
    expect(error?.message).toContain(`${join(dir, 'h3forge.config.ts')}:2`);
  });

  test.each([
    ['import { a } from "./labels";', 'an import of a file has its ending: ./labels.ts'],
    ["import 'left-pad-of-nobody';", "a recipe needs no package but 'h3forge'"],
  ])('because of %s', async (text, hint) => {
    const dir = folder({ 'h3forge.config.ts': `${text}\n${recipe('')}`, 'labels.ts': '' });
    expect((await load(dir)).error).toMatchObject({ code: 'RECIPE_FAILED', hint: expect.stringContaining(hint) });
  });

  test('because h3forge has no such export', async () => {
    const dir = folder({ 'h3forge.config.ts': "import { define } from 'h3forge';\nexport default define({});" });
    expect((await load(dir)).error).toMatchObject({
      code: 'RECIPE_FAILED',
      message: expect.stringMatching(/h3forge\.config\.ts:1 cannot be run: SyntaxError: .*'define'/),
    });
  });
});
