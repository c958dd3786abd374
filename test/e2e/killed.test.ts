import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { build, type Finished, type Running, type RunOptions, run, start } from './support/cli.ts';
import { nothingRuns, processes } from './support/leftovers.ts';
import { mirror } from './support/mirror.ts';
import { clone, type Project } from './support/project.ts';
import { compiled, type Store, storeWith, warmDigest } from './support/stores.ts';

/** Milliseconds within which Ctrl-C must end a run. */
const AT_ONCE = 2000;

/** A moment in a run. */
type Moment = (running: Running, store: Store) => Promise<void>;

const said =
  (what: string): Moment =>
  (running) =>
    running.printed(what);

/** When a process with that in its command line runs in something of the store. */
const works =
  (what: string): Moment =>
  (running, store) =>
    running.when(() => processes(store.cache).some((line) => line.includes(what)));

/** Starts a build, kills its process alone at that moment, and waits until nothing of it is left. */
async function killAt(project: Project, store: Store, moment: Moment, options: RunOptions = store): Promise<void> {
  const running = start(project, 'build-image', [], options);
  await moment(running, store);
  running.kill('SIGKILL', 'process');
  const { signal, stderr } = await running.finished;
  expect(signal, `it had ended before:\n${stderr}`).toBe('SIGKILL');
  await nothingRuns(store.cache);
}

/** What must be true after a run that ended well, whatever was killed before. */
async function isWhole(project: Project, store: Store, digest: string): Promise<void> {
  expect(digest).toBe(await warmDigest());
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
  expect(readdirSync(project.path('dist/nginx-quic')).sort()).toEqual(['docker', 'oci']);
  expect((await run(project, 'build-image', [], store)).stdout).toContain('Nothing changed');
}

test('killed while downloading: the next run goes on, and sweeps what was half there', async () => {
  const project = clone();
  const store = await storeWith('sandbox', 'image');
  let stalled = true;
  const stalls = (path: string): boolean => /\/(libc6|openssl)_/.test(path);
  const { env, requests } = await mirror(project, (path) => (stalled && stalls(path) ? 'stalled' : 'whole'));
  const options = { env: { ...store.env, ...env } };
  const partial = join(store.dir, 'downloads', 'tmp');
  const content = join(store.dir, 'downloads', 'content-v2');
  const { client } = (
    JSON.parse(readFileSync(project.path('nginx-quic/locks/tools.json'), 'utf8')) as { roots: { client: unknown[] } }
  ).roots;
  const arrived = (): number =>
    existsSync(content)
      ? readdirSync(content, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length
      : 0;
  await killAt(
    project,
    store,
    // A request is not an arrival: one that came just before the kill would rightly be made again.
    (running) => running.when(() => arrived() === client.length - 2 && readdirSync(partial).length === 2),
    options,
  );
  expect(readdirSync(partial)).toHaveLength(2);

  stalled = false;
  requests.length = 0;
  const { digest } = await build(project, options);
  // What had arrived is not fetched a second time.
  expect(requests.filter((path) => !stalls(path))).toEqual([]);
  expect(requests).toHaveLength(2);
  expect(readdirSync(partial)).toEqual([]);
  await isWhole(project, store, digest);
});

test('killed while roots are assembled, sources are unpacked, nginx is compiled: what is there is whole', async () => {
  const project = clone();
  const store = await storeWith('downloads');
  for (const moment of [said('sandbox: '), said('builder: '), said('source: '), works('cc1')]) {
    await killAt(project, store, moment);
    expect(readdirSync(join(store.dir, 'tmp')), 'what was being made').not.toEqual([]);
    expect(existsSync(join(store.dir, 'compile'))).toBe(false);
    expect(existsSync(project.path('dist'))).toBe(false);
  }
  // What was finished between the kills is, byte for byte, what a run makes that nobody kills.
  const parts = ['sandbox', 'builder', 'client', 'source'] as const;
  const [killed, warm] = [store, await storeWith(...parts)].map((one) => parts.flatMap(one.paths).map(seal));
  expect(killed).toEqual(warm);
  // To have compiled it once more would show nothing else.
  store.add('compile');
  const { digest, stages } = await build(project, store);
  expect(stages.filter(({ cached }) => !cached).map(({ name }) => name)).toEqual([
    'collect',
    'image',
    'prove',
    'output',
  ]);
  await isWhole(project, store, digest);
});

const seal = (dir: string): string => readFileSync(join(dir, 'seal'), 'utf8');

test('killed while the image is written, unpacked, probed, or put into its outputs: the next run goes on', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  for (const moment of [
    said('image: '),
    said('prove: unpacking'),
    said('prove: probing'),
    works('nginx: worker'),
    said('output: dist/nginx-quic/oci'),
    said('output: dist/nginx-quic/docker'),
  ]) {
    await killAt(project, store, moment);
  }
  const { digest } = await build(project, store);
  await isWhole(project, store, digest);
});

/** What must be true after Ctrl-C. */
async function endedAtOnce(
  project: Project,
  store: Store,
  { exitCode, stderr }: Finished,
  since: number,
): Promise<void> {
  expect(performance.now() - since).toBeLessThan(AT_ONCE);
  expect(exitCode, stderr).toBe(130);
  expect(stderr).toMatch(/^error INTERRUPTED: interrupted; nothing half-written was left$/m);
  expect(stderr).not.toMatch(/^\s+at /m);
  await nothingRuns(store.cache);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
  expect(existsSync(project.path('dist'))).toBe(false);
}

test.each([
  ['Ctrl-C, as a terminal sends it to all', 'SIGINT', 'group'],
  ['SIGINT to it alone', 'SIGINT', 'process'],
  ['SIGTERM', 'SIGTERM', 'process'],
] as const)('%s while nginx is compiled ends it at once', async (_what, signal, whom) => {
  const project = clone();
  const store = await storeWith('sandbox', 'builder', 'client', 'source');
  const running = start(project, 'build-image', [], store);
  await works('cc1')(running, store);
  const since = performance.now();
  running.kill(signal, whom);
  await endedAtOnce(project, store, await running.finished, since);
  expect(existsSync(join(store.dir, 'compile'))).toBe(false);
});

test('Ctrl-C while a mirror says nothing ends it at once, and no part of a file is left', async () => {
  const project = clone();
  const store = await storeWith('sandbox', 'image');
  const { env, requests } = await mirror(project, () => 'stalled');
  const running = start(project, 'build-image', [], { env: { ...store.env, ...env } });
  // As many as are fetched at once.
  const partial = join(store.dir, 'downloads', 'tmp');
  await running.when(() => requests.length === 8 && existsSync(partial) && readdirSync(partial).length === 8);
  const since = performance.now();
  running.kill('SIGINT', 'group');
  await endedAtOnce(project, store, await running.finished, since);
  expect(readdirSync(partial)).toEqual([]);
});

test('Ctrl-C while nginx answers probes ends it at once, with JSON for whoever asked for it', async () => {
  const project = clone();
  const store = await storeWith('sandbox', 'client', 'image');
  const running = start(project, 'build-image', ['--json'], store);
  await works('nginx: worker')(running, store);
  const since = performance.now();
  running.kill('SIGINT', 'group');
  const finished = await running.finished;
  await endedAtOnce(project, store, finished, since);
  expect(JSON.parse(finished.stdout)).toMatchObject({ ok: false, error: { code: 'INTERRUPTED' } });
});
