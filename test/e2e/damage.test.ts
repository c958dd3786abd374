import {
  appendFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { build, run } from './support/cli.ts';
import { mirror } from './support/mirror.ts';
import { clone, type Project } from './support/project.ts';
import { compiled, fingerprint, type Store, storeWith, warmDigest } from './support/stores.ts';

/** Gives a file other bytes, not by writing into it: other stores have hard links to it. */
function replace(path: string, bytes: Uint8Array): void {
  const { atime, mtime, mode } = lstatSync(path);
  rmSync(path);
  writeFileSync(path, bytes, { mode });
  utimesSync(path, atime, mtime);
}

/** A file without its second half. */
const truncate = (path: string): void => {
  const bytes = readFileSync(path);
  replace(path, bytes.subarray(0, bytes.length >> 1));
};

/** A file of the same size with one other bit, and the same time: what a bad disk does. */
const rot = (path: string): void => {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  replace(path, bytes);
};

/** The largest file of a folder that has that in its path. */
function largest(dir: string, part = ''): string {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes(part))
    .map((path) => join(dir, path))
    .filter((path) => lstatSync(path).isFile());
  return paths.sort((a, b) => lstatSync(b).size - lstatSync(a).size)[0] ?? expect.fail(`${dir} has no ${part}`);
}

/** What ran, in the order in which it began. */
const worked = (stages: readonly { readonly name: string; readonly cached: boolean }[]): string[] =>
  stages.filter(({ cached }) => !cached).map(({ name }) => name);

test.each([
  ['truncated', truncate],
  ['rotten', rot],
])('a download that is %s is fetched again, and only that one', async (_what, damage) => {
  const project = clone();
  const store = await storeWith('downloads', 'sandbox', 'image');
  const { env, requests } = await mirror(project);
  const lock = JSON.parse(readFileSync(project.path('nginx-quic/locks/tools.json'), 'utf8')) as {
    roots: { client: { path: string; sha256: string; name: string }[] };
  };
  const { path, sha256 } =
    lock.roots.client.find(({ name }) => name === 'libc6') ?? expect.fail('the client has no libc');
  damage(largest(join(store.dir, 'downloads', 'content-v2'), sha256.slice(4)));
  const { digest, stages } = await build(project, { env: { ...store.env, ...env } });
  expect(digest).toBe(await warmDigest());
  expect(worked(stages)).toEqual(['download', 'client', 'prove', 'output']);
  expect(requests).toEqual([`/${path}`]);
});

test('roots that were changed are assembled again', async () => {
  const project = clone();
  const store = await storeWith('downloads', ...compiled);
  const [sandbox = '', builder = '', client = ''] = (['sandbox', 'builder', 'client'] as const).flatMap(store.paths);
  truncate(largest(sandbox, 'bin/bwrap'));
  appendFileSync(join(builder, 'tree/etc/extra'), 'a file that no package has\n');
  rmSync(join(client, 'seal'));
  const { digest, stages } = await build(project, store);
  expect(digest).toBe(await warmDigest());
  expect(worked(stages)).toEqual(expect.arrayContaining(['sandbox', 'builder', 'client', 'image']));
  expect(existsSync(join(builder, 'tree/etc/extra'))).toBe(false);
  expect(readdirSync(join(store.dir, 'root'))).toHaveLength(4);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
});

test.each([
  ['truncated layer', (image: string) => truncate(largest(image, 'blobs'))],
  ['rotten layer', (image: string) => rot(largest(image, 'blobs'))],
  ['lost index', (image: string) => rmSync(join(image, 'tree/oci/index.json'))],
  ['index that is not JSON', (image: string) => rot(join(image, 'tree/oci/index.json'))],
])('an image in the store with a %s is written again', async (_what, damage) => {
  const project = clone();
  const store = await storeWith(...compiled, 'image');
  for (const image of store.paths('image')) damage(image);
  const { digest, stages } = await build(project, store);
  expect(digest).toBe(await warmDigest());
  expect(worked(stages)).toEqual(['collect', 'image', 'prove', 'output']);
  expect((await run(project, 'build-image', [], store)).stdout).toContain('Nothing changed');
});

/** A project with a finished build; its outputs share no file with the warm store, so they may be written into. */
async function finished(): Promise<{ project: Project; store: Store; outputs: string }> {
  const project = clone();
  const store = await storeWith(...compiled);
  await build(project, store);
  return { project, store, outputs: project.path('dist/nginx-quic') };
}

const bytesOf = (dir: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((path) => lstatSync(join(dir, path)).isFile())
      .map((path) => [path, readFileSync(join(dir, path), 'base64')]),
  );

test('outputs that were deleted or changed are written again', async () => {
  const { project, store, outputs } = await finished();
  const before = bytesOf(outputs);
  const mends = async (): Promise<void> => {
    const { digest } = await build(project, store);
    expect(digest).toBe(await warmDigest());
    expect(Object.keys(bytesOf(outputs)).sort()).toEqual(Object.keys(before).sort());
    expect(bytesOf(outputs)).toEqual(before);
    expect((await run(project, 'build-image', [], store)).stdout).toContain('Nothing changed');
  };
  rmSync(join(outputs, 'oci'), { recursive: true });
  await mends();
  appendFileSync(join(outputs, 'docker/Dockerfile'), '# mine\n');
  await mends();
  rmSync(largest(join(outputs, 'docker'), 'layers'));
  await mends();
  // A hard link to the store's: that one is changed with it.
  appendFileSync(largest(join(outputs, 'oci'), 'blobs'), 'more');
  await mends();
});

test('a file of somebody else among the outputs stays there', async () => {
  const { project, store, outputs } = await finished();
  const before = bytesOf(outputs);
  const other = { 'docker/layers/mine.tar': 'mine', 'oci/notes.txt': 'notes' };
  for (const [path, text] of Object.entries(other)) writeFileSync(join(outputs, path), text);
  expect((await build(project, store)).digest).toBe(await warmDigest());
  for (const [path, text] of Object.entries(other)) expect(readFileSync(join(outputs, path), 'utf8')).toBe(text);
  expect(bytesOf(outputs)).toMatchObject(before);

  // A layout that no longer says that it is ours may be somebody's.
  writeFileSync(join(outputs, 'oci/index.json'), '{"schemaVersion":2,"manifests":[{}]}');
  const changed = bytesOf(outputs);
  const { exitCode, stderr } = await run(project, 'build-image', [], store);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/error DESTINATION_OCCUPIED: \S+\/dist\/nginx-quic\/oci is not replaced/);
  expect(stderr).toMatch(/next: choose another place, or remove it/);
  expect(bytesOf(outputs)).toEqual(changed);
});

test('a record of an earlier build that cannot be read is no record', async () => {
  const { project, store } = await finished();
  const record = largest(join(store.dir, 'records'));
  const text = readFileSync(record, 'utf8');
  for (const damaged of ['', text.slice(0, 100), '{}', 'null']) {
    writeFileSync(record, damaged);
    const { digest, stages } = await build(project, store);
    expect(digest).toBe(await warmDigest());
    expect(worked(stages)).toEqual(['prove', 'output']);
    expect(readFileSync(record, 'utf8')).not.toBe(damaged);
  }
});

test('a store may be deleted between two runs, and what is only looked at is not changed', async () => {
  const { project, store, outputs } = await finished();
  rmSync(join(store.dir, 'image'), { recursive: true });
  rmSync(join(store.dir, 'tmp'), { recursive: true });
  const before = fingerprint(outputs);
  // The outputs are whole, and that is what counts.
  expect((await run(project, 'build-image', [], store)).stdout).toContain('Nothing changed');
  expect(fingerprint(outputs)).toBe(before);
});
