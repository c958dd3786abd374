import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as runtime from '../../dockerfiles/runtime.ts';
import * as dockerfile from '../../libs/image/dockerfile.ts';
import { build, flip, folder, tree } from './support.ts';

type Statement = readonly [instruction: string, rest: string];

/** Logical lines: comments away, lines that end in a backslash joined. */
function statements(text: string): Statement[] {
  const joined = text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replaceAll(/\\[ \t]*\n/g, '');
  return joined
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
      return [instruction, rest];
    });
}

/** Words as the builder sees them: quotes taken away, `\` in double quotes before `"`, `$` and `\`; no variable is set. */
function words(text: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  let inside = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (!inside && /\s/.test(letter)) {
      if (word !== undefined) found.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (letter === '"') inside = !inside;
    else if (letter === '\\' && (!inside || /["$\\]/.test(text[at + 1] ?? ''))) word += text[++at] ?? '';
    else if (letter === '$') throw new Error(`a variable at ${at} in ${text}`);
    else word += letter;
  }
  if (inside) throw new Error(`an open quote in ${text}`);
  return word === undefined ? found : [...found, word];
}

const pairs = (rest: string): [string, string][] =>
  words(rest).map((item) => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)]);

test('says what the image configuration says', async () => {
  await using temp = await folder();
  const image = await build(temp.path);
  const found = statements(dockerfile.render(image));
  const of = (name: string): string[] => found.filter(([instruction]) => instruction === name).map(([, rest]) => rest);
  const config = image.config.config ?? {};
  expect(found[0]).toEqual(['FROM', 'scratch']);
  expect(Object.fromEntries(of('LABEL').flatMap(pairs))).toEqual(config.Labels);
  expect(
    of('ENV')
      .flatMap(pairs)
      .map(([name, value]) => `${name}=${value}`),
  ).toEqual(config.Env);
  expect(of('USER').flatMap(words)).toEqual([config.User]);
  expect(of('WORKDIR').flatMap(words)).toEqual([config.WorkingDir]);
  expect(of('EXPOSE').flatMap(words)).toEqual(['80/tcp', '443/tcp', '443/udp']);
  expect(of('EXPOSE').flatMap(words).sort()).toEqual(Object.keys(config.ExposedPorts ?? {}).sort());
  expect(of('STOPSIGNAL')).toEqual([config.StopSignal]);
  expect(of('ENTRYPOINT').map((rest) => JSON.parse(rest) as unknown)).toEqual([config.Entrypoint]);
  expect(of('CMD').map((rest) => JSON.parse(rest) as unknown)).toEqual([config.Cmd]);
  expect(of('ADD').length).toBe(image.layers.length);
  // And nothing beside.
  const known = ['FROM', 'ADD', 'LABEL', 'ENV', 'USER', 'WORKDIR', 'EXPOSE', 'STOPSIGNAL', 'ENTRYPOINT', 'CMD'];
  expect([...new Set(found.map(([instruction]) => instruction))].sort()).toEqual(known.sort());
});

test('the context has the uncompressed layers and is the same each time', async () => {
  await using temp = await folder();
  const dir = join(temp.path, 'context');
  for (const compression of ['zstd', 'gzip'] as const) {
    const image = await build(join(temp.path, 'store'), compression);
    await dockerfile.writeContext(image, dir);
    const added = statements(await readFile(join(dir, 'Dockerfile'), 'utf8')).filter(([name]) => name === 'ADD');
    const files = added.map(([, rest]) => words(rest)).map(([from, to]) => (to === '/' ? from : undefined));
    expect(files.every((file) => file !== undefined)).toBe(true);
    for (const [position, file] of files.entries()) {
      const bytes = await readFile(join(dir, file ?? ''));
      expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(image.layers[position]?.diffId);
    }
    expect([...(await tree(dir)).keys()].sort()).toEqual(
      ['.dockerignore', 'Dockerfile', 'layers', ...files.map((file) => file ?? '')].sort(),
    );
  }
  const image = await build(join(temp.path, 'store'), 'gzip');
  await dockerfile.writeContext(image, join(temp.path, 'again'));
  expect(await tree(dir)).toEqual(await tree(join(temp.path, 'again')));
});

test('a failed write leaves the old context, and foreign folders are left alone', async () => {
  await using temp = await folder();
  const dir = join(temp.path, 'context');
  await dockerfile.writeContext(await build(join(temp.path, 'store'), 'gzip', 'old'), dir);
  const before = await tree(dir);
  const image = await build(join(temp.path, 'store'), 'gzip', 'new');
  await flip(image.layers[1]?.file ?? '', 40);
  await expect(dockerfile.writeContext(image, dir)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  expect(await tree(dir)).toEqual(before);

  const mine = join(temp.path, 'mine');
  await mkdir(mine);
  await writeFile(join(mine, 'Dockerfile'), 'FROM example\n');
  await expect(dockerfile.writeContext(image, mine)).rejects.toMatchObject({ code: 'DESTINATION_OCCUPIED' });
  expect((await readdir(temp.path)).sort()).toEqual(['context', 'mine', 'store']);
});

test('what another put beside our layers is kept', async () => {
  await using temp = await folder();
  const dir = join(temp.path, 'context');
  await dockerfile.writeContext(await build(join(temp.path, 'store'), 'gzip', 'old'), dir);
  const [, before] = (await readdir(join(dir, 'layers'))).sort();
  await writeFile(join(dir, 'layers', 'mine.tar'), 'mine');
  await dockerfile.writeContext(await build(join(temp.path, 'store'), 'gzip', 'new'), dir);
  const names = await readdir(join(dir, 'layers'));
  expect(names).toHaveLength(3);
  expect(names).toContain('mine.tar');
  expect(names).not.toContain(before);
});

describe('quoting', () => {
  const empty: runtime.Runtime = { about: [], layers: [], labels: {}, env: [], ports: [], volumes: [] };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what cannot be said.
  const sayable = fc.string({ unit: 'binary' }).filter((text) => !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text));
  const key = fc.string({ unit: fc.constantFrom('a', 'Z', '9', '.', '-', '/', ' ', '"', '$', '\\'), minLength: 1 });

  test('any label and variable comes back as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(key, sayable), sayable, (labels, value) => {
        const text = runtime.render({ ...empty, labels, env: [['NAME', value]], workingDir: `/${value}` });
        const found = statements(text);
        const read = found.filter(([name]) => name === 'LABEL').flatMap(([, rest]) => pairs(rest));
        expect(read).toEqual(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
        expect(found.find(([name]) => name === 'ENV')?.[1]).toBeDefined();
        expect(pairs(found.find(([name]) => name === 'ENV')?.[1] ?? '')).toEqual([['NAME', value]]);
        expect(words(found.find(([name]) => name === 'WORKDIR')?.[1] ?? '')).toEqual([`/${value}`]);
      }),
    );
  });

  test('the exec form is JSON on one line', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (entrypoint) => {
        const [, rest = ''] = statements(runtime.render({ ...empty, entrypoint })).at(-1) ?? [];
        expect(JSON.parse(rest)).toEqual(entrypoint);
      }),
    );
  });

  test.each<[string, Partial<runtime.Runtime>]>([
    ['a label of two lines', { labels: { a: 'b\nc' } }],
    ['a label whose key has a =', { labels: { 'a=b': 'c' } }],
    ['a volume with a space', { volumes: ['/a b'] }],
    ['a variable with a carriage return', { env: [['A', 'b\r']] }],
  ])('refuses %s', (_name, part) => {
    expect(() => runtime.render({ ...empty, ...part })).toThrow(RangeError);
  });

  test('a comment stays a comment', () => {
    const layers = [{ file: 'layers/1.tar', madeBy: 'made by\nRUN something' }];
    const found = statements(runtime.render({ ...empty, about: ['syntax=evil\nRUN x'], layers }));
    expect(found).toEqual([
      ['FROM', 'scratch'],
      ['ADD', 'layers/1.tar /'],
    ]);
  });
});
