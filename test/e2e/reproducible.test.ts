import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { build, run } from './support/cli.ts';
import { clone } from './support/project.ts';
import { storeWith, warmDigest } from './support/stores.ts';

/** The bytes of every file of a folder, by path. */
const contents = (dir: string): Map<string, Buffer> =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(dir.length + 1), readFileSync(path)]),
  );

/** The commands that were run, from the logs: each begins with its command. How many jobs ran is no part of a plan. */
const commands = (logs: string): string[] =>
  [...contents(logs)].map(([, text]) =>
    (text.toString().split('\n')[0] ?? '').replace('$ ', '').replace(/ MAKEFLAGS=-j\d+/, ''),
  );

test('two clones with two stores make the same bytes; nothing but downloads is shared', async () => {
  const [one, other] = [clone(), clone()];
  const first = await build(one, await storeWith('sandbox', 'builder', 'client', 'compile'));

  const fresh = await storeWith('downloads');
  const second = await build(other, fresh);
  expect(second.stages.map(({ name, cached }) => [name, cached])).toEqual(
    expect.arrayContaining(['sandbox', 'builder', 'client', 'source', 'compile', 'image'].map((name) => [name, false])),
  );
  expect(second.digest).toBe(await warmDigest());
  expect(second.digest).toBe(first.digest);
  expect(second.size).toEqual(first.size);
  for (const output of ['oci', 'docker']) {
    const [left, right] = [one, other].map((project) => contents(project.path(`dist/nginx-quic/${output}`)));
    expect([...(right?.keys() ?? [])]).toEqual([...(left?.keys() ?? [])]);
    expect(left?.size).toBeGreaterThan(3);
    for (const [path, bytes] of left ?? []) expect(right?.get(path)?.equals(bytes), path).toBe(true);
  }

  // What `--plan` says is what was run.
  const plan = (await run(other, 'build-image', ['--plan'], fresh)).stdout
    .split('\n')
    .map((line) => line.replace(/ {2}#.*/, ''));
  const compiled = commands(join(fresh.dir, 'logs', 'compile'));
  expect(compiled.length).toBeGreaterThan(4);
  for (const command of [...compiled, ...commands(join(fresh.dir, 'logs', 'source'))]) expect(plan).toContain(command);
});
