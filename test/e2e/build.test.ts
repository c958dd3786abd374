import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import { build, program, run } from './support/cli.ts';
import { clone } from './support/project.ts';
import { compiled, everything, fingerprint, storeWith, warmDigest } from './support/stores.ts';

const PROBES = [
  ...['HTTP/1.1', 'HTTP/2', 'HTTP/3'].map((version) => `ping ${version}`),
  ...['HTTP/1.1', 'HTTP/2'].map((version) => `alt-svc ${version}`),
  ...['HTTP/2', 'HTTP/3'].map((version) => `lua ${version}`),
  ...['HTTP/1.1', 'HTTP/2', 'HTTP/3'].map((version) => `not found ${version}`),
  'stop SIGQUIT',
  ...['ndk', 'lua', 'stream'].map((name) => `module ${name} HTTP/3`),
];

test('build-image says what it made, where it lies, what was proven and what to type next', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  const { exitCode, stdout, stderr } = await run(project, 'build-image', [], store);
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toContain('built and proven');
  expect(stdout).toContain(await warmDigest());
  expect(stdout).toMatch(/size\s+\d+\.\d MB raw, \d+\.\d MB compressed/);
  for (const probe of PROBES) expect(stdout).toContain(`✔ ${probe}`);
  expect(stdout).toMatch(/✔ ping HTTP\/3\s+200 pong/);
  expect(stdout).toContain('layout      dist/nginx-quic/oci');
  expect(stdout).toContain('npm run why -- libcrypto.so.3');
  expect(stdout).toContain('docker build --tag nginx-quic dist/nginx-quic/docker');
  // One line when a stage begins to do something, one when it ends.
  for (const stage of ['collect', 'image', 'prove', 'output'])
    expect(stderr).toMatch(RegExp(`^${stage}: done in`, 'm'));
  expect(stderr).toContain('builder: nothing to do');
  expect(readdirSync(project.path('dist/nginx-quic'))).toEqual(['docker', 'oci']);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
});

test('--json prints one object on standard output; the second run does no work and says so', async () => {
  const project = clone();
  const store = await storeWith(...everything);
  const first = await run(project, 'build-image', ['--json'], store);
  expect(first.exitCode, first.stderr).toBe(0);
  expect(first.stdout.trimEnd()).not.toContain('\n');
  const result = JSON.parse(first.stdout) as BuildResult;
  expect(result).toMatchObject({
    schema: 1,
    channel: 'debian',
    nginx: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    digest: await warmDigest(),
    size: { raw: expect.any(Number), compressed: expect.any(Number) },
    output: ['layout:dist/nginx-quic/oci', 'dockerfile:dist/nginx-quic/docker'],
    ok: true,
  });
  expect(result.size.compressed).toBeLessThan(result.size.raw);
  expect(result.probes.map(({ name, ok }) => [name, ok])).toEqual(PROBES.map((name) => [name, true]));
  for (const { detail } of result.probes) expect(detail).not.toBe('');
  expect(result.stages.find(({ name }) => name === 'prove')).toEqual({
    name: 'prove',
    ms: expect.any(Number),
    cached: false,
  });

  const before = [fingerprint(store.dir), fingerprint(project.path('dist'))];
  const second = await run(project, 'build-image', ['--json'], store);
  expect(second.exitCode, second.stderr).toBe(0);
  expect(second.stderr).toBe('');
  const again = JSON.parse(second.stdout) as BuildResult;
  expect(again.stages.map(({ ms, cached }) => [ms, cached])).toEqual(again.stages.map(() => [0, true]));
  expect({ ...again, stages: [] }).toEqual({ ...result, stages: [] });

  const third = await run(project, 'build-image', [], store);
  expect(third.exitCode).toBe(0);
  expect(third.stdout).toContain('Nothing changed');
  expect(third.stdout).toContain(result.digest);
  expect([fingerprint(store.dir), fingerprint(project.path('dist'))]).toEqual(before);
});

test('a second clone with the same store does not undo that the first one is finished', async () => {
  const store = await storeWith(...everything);
  const [one, other] = [clone(), clone()];
  await build(one, store);
  await build(other, store);
  expect((await run(one, 'build-image', [], store)).stdout).toContain('Nothing changed');
  expect((await run(other, 'build-image', [], store)).stdout).toContain('Nothing changed');
});

test('it is the same from another folder: outputs lie in the project, named as seen from there', async () => {
  const project = clone();
  const store = await storeWith(...everything);
  const first = await build(project, { ...store, cwd: project.path('libs/core') });
  expect(first.output).toEqual(['layout:../../dist/nginx-quic/oci', 'dockerfile:../../dist/nginx-quic/docker']);
  expect(existsSync(project.path('dist/nginx-quic/oci/index.json'))).toBe(true);
  // What is named is where it is, also when nothing was to be done.
  expect((await build(project, store)).output[0]).toBe('layout:dist/nginx-quic/oci');
  expect((await build(project, { ...store, cwd: project.path('libs/core') })).output).toEqual(first.output);
});

test('npm run, as the README has it, gives JSON that can be piped', async () => {
  const project = clone();
  const store = await storeWith(...everything);
  const words = ['npm', 'run', 'build-image', '--', '--json'];
  const { exitCode, stdout, stderr } = await program(words, { ...store, cwd: project.dir });
  expect(exitCode, stderr).toBe(0);
  expect((JSON.parse(stdout) as BuildResult).digest).toBe(await warmDigest());
});

test('--output archive:FILE writes an archive for docker load, beside the default outputs', async () => {
  const project = clone();
  const store = await storeWith(...everything);
  const { output, digest } = await build(project, store, ['--output', 'archive:image.tar']);
  expect(output).toEqual(['layout:dist/nginx-quic/oci', 'dockerfile:dist/nginx-quic/docker', 'archive:image.tar']);
  const list = await program(['tar', '--list', '--file', project.path('image.tar')]);
  expect(list.exitCode, list.stderr).toBe(0);
  expect(list.stdout.split('\n')).toEqual(expect.arrayContaining(['manifest.json', 'index.json', 'oci-layout']));
  const { stdout } = await program([
    'tar',
    '--extract',
    '--to-stdout',
    '--file',
    project.path('image.tar'),
    'index.json',
  ]);
  expect(stdout).toContain(digest);

  // The same output again is nothing to do; another one is only written, not proven into being.
  const summary = await run(project, 'build-image', ['--output', 'archive:image.tar'], store);
  expect(summary.stdout).toContain('Nothing changed');
  expect(summary.stdout).toContain('docker load --input image.tar');
});

test('--output layout:DIR takes the place of the default layout, and never that of other files', async () => {
  const project = clone();
  const store = await storeWith(...everything);
  const { output } = await build(project, store, [
    '--output',
    'layout:elsewhere/oci',
    '--output',
    'dockerfile:context',
  ]);
  expect(output).toEqual(['layout:elsewhere/oci', 'dockerfile:context']);
  expect(existsSync(project.path('dist'))).toBe(false);
  expect(readFileSync(project.path('context/Dockerfile'), 'utf8')).toContain('FROM scratch');

  const files = fingerprint(project.path('libs'));
  const { exitCode, stderr } = await run(project, 'build-image', ['--output', 'layout:libs'], store);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('DESTINATION_OCCUPIED');
  expect(fingerprint(project.path('libs'))).toBe(files);
});

test('two builds at once share a store', async () => {
  const store = await storeWith('downloads', 'builder', 'compile');
  const results = await Promise.all([clone(), clone()].map((project) => build(project, store)));
  expect(results.map(({ digest }) => digest)).toEqual([await warmDigest(), await warmDigest()]);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
  expect(readdirSync(join(store.dir, 'root'))).toHaveLength(4);
});
