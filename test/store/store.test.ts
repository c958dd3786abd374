import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import * as stores from '../../libs/store/store.ts';
import { rejection } from '../support/errors.ts';
import { make as folder } from '../support/tree.ts';

const key = digest.of('a key');

test('a folder is made once and then taken from the store', async () => {
  const dir = folder();
  const make = async (place: string): Promise<void> => writeFileSync(join(place, 'file'), 'content');
  const first = await (await stores.open(dir)).directory('root', key, make);
  const second = await (await stores.open(dir)).directory('root', key, () => Promise.reject(new Error('not again')));
  expect(first.cached).toBe(false);
  expect(second).toEqual({ path: first.path, cached: true });
  expect(readFileSync(join(second.path, 'file'), 'utf8')).toBe('content');
});

test.each([
  ['a file cut short', (path: string) => writeFileSync(join(path, 'file'), 'con')],
  ['a file gone', (path: string) => rmSync(join(path, 'file'))],
  ['a file more', (path: string) => writeFileSync(join(path, 'more'), '')],
  [
    'a file with other bytes, the same size and the same time',
    (path: string) => {
      const { atime, mtime } = statSync(join(path, 'file'));
      writeFileSync(join(path, 'file'), 'kontent');
      utimesSync(join(path, 'file'), atime, mtime);
    },
  ],
  ['a file that may be executed', (path: string) => chmodSync(join(path, 'file'), 0o755)],
  [
    'a file instead of a folder',
    (path: string) => {
      rmSync(path, { recursive: true });
      writeFileSync(path, '');
    },
  ],
])('a folder that was damaged is made again: %s', async (_name, damage) => {
  const dir = folder();
  const make = async (place: string): Promise<void> => writeFileSync(join(place, 'file'), 'content');
  const { path } = await (await stores.open(dir)).directory('root', key, make);
  damage(path);
  const again = await (await stores.open(dir)).directory('root', key, make);
  expect(again.cached).toBe(false);
  expect(readFileSync(join(again.path, 'file'), 'utf8')).toBe('content');
  expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
});

test('a folder whose making fails is not there, and nothing is left', async () => {
  const dir = folder();
  const store = await stores.open(dir);
  const failing = store.directory('root', key, async (place) => {
    writeFileSync(join(place, 'half'), '');
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await store.has('root', key)).toBe(false);
  expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
});

test('two that make the same folder at once both get a whole one', async () => {
  const dir = folder();
  const [one, two] = await Promise.all([stores.open(dir), stores.open(dir)]);
  const make = async (place: string): Promise<void> => {
    for (let index = 0; index < 50; index++) writeFileSync(join(place, `${index}`), 'x'.repeat(index));
  };
  const results = await Promise.all([one, two].map((store) => store.directory('source', key, make)));
  expect(results[0]?.path).toBe(results[1]?.path);
  expect(readdirSync(results[0]?.path ?? '')).toHaveLength(50);
  expect(await (await stores.open(dir)).has('source', key)).toBe(true);
  expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
});

test('what a killed process left is swept; what a living one has is not', async () => {
  const dir = folder();
  const script = `
    import * as stores from ${JSON.stringify(join(import.meta.dirname, '../../libs/store/store.ts'))};
    const store = await stores.open(process.argv[1]);
    const { path } = await store.temporary();
    console.log(path);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const left = line.toString().trim();
  await stores.open(dir);
  expect(existsSync(left)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await stores.open(dir);
  expect(existsSync(left)).toBe(false);
});

test('a record is read back; a damaged one counts as none', async () => {
  const dir = folder();
  const store = await stores.open(dir);
  await store.writeRecord('build', key, { answer: 42 });
  expect(await store.readRecord('build', key)).toEqual({ answer: 42 });
  for (const damaged of ['', '{"key":', '{}', 'null', '7']) {
    writeFileSync(join(dir, 'records', 'build', `${digest.hex(key)}.json`), damaged);
    expect(await store.readRecord('build', key)).toBeUndefined();
  }
});

test('a place that cannot be a store is said', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'file'), '');
  mkdirSync(join(dir, 'sub'));
  const error = await rejection(stores.open(join(dir, 'file', 'store')));
  expect(error.code).toBe('STORE_UNUSABLE');
});
