import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import { build, type Finished, program, run } from './support/cli.ts';
import { nothingRuns } from './support/leftovers.ts';
import { clone, type Project } from './support/project.ts';
import { compiled, everything, fingerprint, type Store, storeWith } from './support/stores.ts';

const RECIPE = 'nginx-quic/recipe.ts';
const CONFIGURATION = 'nginx-quic/rootfs/etc/nginx/nginx.conf';

/** What must be true after every failure: status 1, no stack of ours, nothing running, nothing half-made. */
async function failed(store: Store, { exitCode, stderr }: Finished): Promise<void> {
  expect(exitCode, stderr).toBe(1);
  expect(stderr).not.toMatch(/^\s+at .*\.ts:/m);
  await nothingRuns(store.cache);
  expect(readdirSync(join(store.dir, 'tmp'))).toEqual([]);
}

/** The log that an error names, as the shell would show it. */
function logOf(stderr: string): string {
  const [, path = ''] = /next: less (\/\S+\.log)/.exec(stderr) ?? [];
  expect(existsSync(path), stderr).toBe(true);
  return readFileSync(path, 'utf8');
}

test('a configure that fails: its command, its last lines, and the whole log', async () => {
  const project = clone();
  project.edit(RECIPE, (text) =>
    text.replace("'--with-compat',", "'--with-nonsense',").replace(/modules: \[.*\],/, 'modules: [],'),
  );
  const store = await storeWith('sandbox', 'builder', 'client', 'source');
  // A failure is not remembered: the second run says the same.
  for (let attempt = 0; attempt < 2; attempt++) {
    const finished = await run(project, 'build-image', [], store);
    await failed(store, finished);
    expect(finished.stdout).toBe('');
    expect(finished.stderr).toMatch(/error COMMAND_FAILED: nginx-configure failed with exit status 1: \.\/configure /);
    expect(finished.stderr).toMatch(/its last lines:\n\s+\.\/configure: error: invalid option "--with-nonsense"/);
    const log = logOf(finished.stderr);
    expect(log).toMatch(/^\$ cd \/build\/src\/nginx && env -i .*\.\/configure .*--with-nonsense/);
    expect(log).toContain('error: invalid option "--with-nonsense"');
  }
  expect(existsSync(join(store.dir, 'compile'))).toBe(false);
  expect(existsSync(project.path('dist'))).toBe(false);
});

test('a compiler that fails: what it said, and --json says it too', async () => {
  const project = clone();
  project.edit(RECIPE, (text) => text.replace("'-O2',", "'-O2', '-fnonsense',"));
  const store = await storeWith('sandbox', 'builder', 'client', 'source');
  const finished = await run(project, 'build-image', ['--json'], store);
  await failed(store, finished);
  expect(finished.stderr).toContain("unrecognized command-line option '-fnonsense'");
  expect(logOf(finished.stderr)).toContain('-fnonsense');
  const { error } = JSON.parse(finished.stdout) as { error: Record<string, string> };
  expect(error.code).toBe('COMMAND_FAILED');
  expect(error.found).toContain('-fnonsense');
  expect(error.hint).toMatch(/^less \/\S+\.log$/);
});

test('a file of the recipe that no package has is named', async () => {
  const project = clone();
  project.edit(RECIPE, (text) => text.replace('data: {', "data: {\n    '/usr/share/nonsense': 'mine',"));
  const store = await storeWith(...compiled);
  const finished = await run(project, 'build-image', [], store);
  await failed(store, finished);
  expect(finished.stderr).toMatch(/error [A-Z_]+: .*\/usr\/share\/nonsense/);
  expect(existsSync(join(store.dir, 'image'))).toBe(false);
});

/** A project with a good build in its outputs, whose nginx.conf is then changed. */
async function changed(change: (text: string) => string): Promise<{ project: Project; store: Store; outputs: string }> {
  const project = clone();
  const store = await storeWith(...everything);
  await build(project, store);
  project.edit(CONFIGURATION, change);
  return { project, store, outputs: fingerprint(project.path('dist')) };
}

test('a probe that fails: which one, what was found; the outputs of the last good build stay', async () => {
  const { project, store, outputs } = await changed((text) => text.replace('http3 on;', 'http3 off;'));
  const finished = await run(project, 'build-image', [], store);
  await failed(store, finished);
  expect(finished.stdout).toContain('built, but NOT proven. Nothing was written to the outputs.');
  expect(finished.stdout).toMatch(/✔ ping HTTP\/2\s+200 pong/);
  expect(finished.stdout).toMatch(/✖ ping HTTP\/3\s+curl: \(\d+\) \S+/);
  expect(finished.stdout).not.toContain('Next:');
  expect(finished.stdout).not.toContain('dist/nginx-quic');
  expect(fingerprint(project.path('dist'))).toBe(outputs);

  // What is not proven is not remembered as built: the second run proves again.
  const json = await run(project, 'build-image', ['--json'], store);
  expect(json.exitCode).toBe(1);
  const result = JSON.parse(json.stdout) as BuildResult;
  expect(result).toMatchObject({ ok: false, output: [], digest: expect.stringMatching(/^sha256:/) });
  expect(result.probes.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['ping HTTP/3', 'lua HTTP/3', 'not found HTTP/3']),
  );
  expect(result.stages.find(({ name }) => name === 'prove')).toMatchObject({ cached: false });

  project.edit(CONFIGURATION, (text) => text.replace('http3 off;', 'http3 on;'));
  expect((await run(project, 'build-image', [], store)).stdout).toContain('Nothing changed');
  expect(fingerprint(project.path('dist'))).toBe(outputs);
});

test('an answer that is not the right one is shown', async () => {
  const { project, store, outputs } = await changed((text) => text.replace('"pong"', '"pang"'));
  const finished = await run(project, 'build-image', [], store);
  await failed(store, finished);
  for (const version of ['HTTP/1.1', 'HTTP/2', 'HTTP/3']) {
    expect(finished.stdout).toMatch(RegExp(`✖ ping ${version}\\s.*pang`));
  }
  expect(fingerprint(project.path('dist'))).toBe(outputs);
});

test('a port on which nothing listens is named', async () => {
  const { project, store, outputs } = await changed((text) => text.replace(/listen 443 quic.*\n/, ''));
  const finished = await run(project, 'build-image', [], store);
  await failed(store, finished);
  expect(finished.stderr).toMatch(/error CONTAINER_NOT_READY: not open after \d+ ms: 443\/udp\n/);
  expect(fingerprint(project.path('dist'))).toBe(outputs);
});

test('a configuration that nginx refuses: in its own words', async () => {
  const { project, store, outputs } = await changed((text) => text.replace('sendfile on;', 'nonsense on;'));
  const finished = await run(project, 'build-image', [], store);
  await failed(store, finished);
  expect(finished.stderr).toContain('error CONTAINER_EXITED: the container ended with status 1');
  expect(finished.stderr).toMatch(/\[emerg\] .*unknown directive "nonsense" in \/etc\/nginx\/nginx\.conf:\d+/);
  expect(fingerprint(project.path('dist'))).toBe(outputs);
});

test('where namespaces are not allowed, the settings that allow them are named', async ({ skip }) => {
  // As in a container of another engine: uid 0, and without the right to make namespaces.
  const words = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];
  const able = await program([...words, 'true']).catch(() => ({ exitCode: 1 }));
  if (process.getuid?.() !== 0 || able.exitCode !== 0) skip('only root can give up its rights, by setpriv');
  const project = clone();
  const store = await storeWith('sandbox', 'client', 'image');
  const finished = await run(project, 'build-image', [], { ...store, below: words });
  await failed(store, finished);
  expect(finished.stderr).toContain('error SANDBOX_FORBIDDEN: ');
  expect(finished.stderr).toMatch(/sysctl -w user\.max_user_namespaces=/);
  expect(finished.stderr).toContain('--privileged');
});
