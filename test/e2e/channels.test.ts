import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import { build, run } from './support/cli.ts';
import { nobody } from './support/mirror.ts';
import { clone, type Project } from './support/project.ts';
import { compiled, storeWith } from './support/stores.ts';
import { folder } from './support/temp.ts';

/** The configuration of the image in a layout. */
function configOf(project: Project, layout = 'dist/nginx-quic/oci'): { Labels: Record<string, string>; User: string } {
  const blob = (digest: string): unknown =>
    JSON.parse(readFileSync(project.path(join(layout, 'blobs/sha256', digest.replace('sha256:', ''))), 'utf8'));
  const index = JSON.parse(readFileSync(project.path(join(layout, 'index.json')), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const manifest = blob(index.manifests[0]?.digest ?? '') as { config: { digest: string } };
  return (blob(manifest.config.digest) as { config: ReturnType<typeof configOf> }).config;
}

test('packaged: Debian’s own nginx with native QUIC, without a compiler, proven over HTTP/3', async () => {
  const project = clone();
  const result = await build(project, {}, ['--channel', 'packaged', '--require', 'quic=native']);
  expect(result).toMatchObject({ channel: 'packaged', quic: 'native', ok: true });
  expect(Number(result.nginx.split('.')[1])).toBeGreaterThanOrEqual(30);
  const names = result.stages.map(({ name }) => name);
  expect(names).toContain('packages');
  for (const stage of ['builder', 'source', 'compile']) expect(names).not.toContain(stage);
  const answered = result.probes.filter(({ ok }) => ok).map(({ name }) => name);
  expect(answered).toEqual(expect.arrayContaining(['ping HTTP/3', 'lua HTTP/3', 'module stream HTTP/3']));
  expect(result.modules.map(({ origin }) => origin)).toEqual(result.modules.map(() => 'package'));
  const { Labels: labels } = configOf(project);
  expect(labels).toMatchObject({
    'org.h3forge.channel': 'packaged',
    'org.h3forge.quic': 'native',
    'org.h3forge.modules': expect.stringContaining('lua=dynamic'),
    'org.opencontainers.image.version': result.nginx,
  });
  const again = await run(project, 'build-image', ['--channel', 'packaged', '--require', 'quic=native']);
  expect(again.stdout).toContain('Nothing changed');
});

test('the QUIC that was compiled is read from nginx, told and labelled; one that is not wanted fails', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  const refused = await run(project, 'build-image', ['--require', 'quic=native', '--json'], store);
  expect(refused.exitCode).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    ok: false,
    error: { code: 'REQUIREMENT_UNMET', expected: 'quic=native', found: 'quic=compat' },
  });
  expect(refused.stderr).toContain('--channel packaged');
  const { quic } = await build(project, store, ['--require', 'quic=compat']);
  expect(quic).toBe('compat');
  expect(configOf(project).Labels['org.h3forge.quic']).toBe('compat');
});

test('OpenSSL from another suite is linked, collected and proven; where nothing is compiled there is no choice', {
  timeout: 900_000,
}, async () => {
  const project = clone();
  const { versions, probes } = await build(project, {}, ['--openssl', 'testing']);
  const { openssl: suite } = await build(project, {}).then((result) => result.versions);
  const minor = (version = ''): number => Number(version.split('.')[1]);
  expect(minor(versions.openssl)).toBeGreaterThan(minor(suite));
  expect(probes.find(({ name }) => name === 'ping HTTP/3')).toMatchObject({ ok: true });
  const { stdout } = await run(project, 'why', ['--openssl', 'testing', 'libssl.so.3']);
  expect(stdout).toContain('DT_NEEDED libssl.so.3');
  const none = await run(project, 'build-image', ['--channel', 'packaged', '--openssl', 'testing']);
  expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('error OPENSSL_UNKNOWN: ')]);
});

test('a source that nobody serves ends the build at once, with the other channels', async () => {
  const project = clone();
  const { url, H3FORGE_DEBIAN_MIRROR } = await nobody();
  project.edit('nginx-quic/locks/stable.json', (text) =>
    text
      .replaceAll(/"upstream":"[^"]+"/g, `"upstream":"${url.replace('http:', 'https:')}nginx.tar.gz"`)
      .replaceAll('"archive":"debian"', '"archive":"test"'),
  );
  const cache = folder();
  const env = { XDG_CACHE_HOME: cache, H3FORGE_DEBIAN_MIRROR };
  const { exitCode, stderr } = await run(project, 'build-image', ['--channel', 'stable'], { env });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error DOWNLOAD_FAILED: \S+ could not be downloaded$/m);
  expect(stderr).toContain('--channel debian, --channel packaged, --channel mainline');
  expect(stderr).toContain('--source nginx=DIR --source lua=DIR');
});

test('a source that nothing would be compiled from is an error, not a label', async () => {
  const project = clone();
  const tree = folder();
  for (const words of [
    ['--source', `broti=${tree}`],
    ['--channel', 'packaged', '--source', `lua=${tree}`],
  ]) {
    const { exitCode, stderr } = await run(project, 'build-image', words, { env: { XDG_CACHE_HOME: folder() } });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('error SOURCE_INVALID: ')]);
  }
});

test('advisories: named in the build’s result, and a reason to fail where that is asked for', async () => {
  const project = clone();
  const store = await storeWith(...compiled);
  // One that touches every nginx, so that the test does not depend on the day.
  project.edit('nginx-quic/advisories.json', (text) => {
    const file = JSON.parse(text) as { advisories: object[] };
    const more = {
      id: 'CVE-2099-0001',
      title: 'a test',
      severity: 'low',
      affected: [{ from: '1.0.0', to: '9.0.0' }],
      fixed: ['9.0.1'],
      condition: [{ module: 'http_v3' }],
      links: ['https://nginx.org/en/security_advisories.html'],
    };
    return JSON.stringify({ ...file, advisories: [more] });
  });
  const result: BuildResult = await build(project, store, ['--fail-on', 'medium']);
  expect(result.advisories).toEqual([expect.objectContaining({ id: 'CVE-2099-0001', state: 'affected' })]);
  const failed = await run(project, 'build-image', ['--fail-on', 'low'], store);
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toMatch(/^error ADVISORY_AFFECTED: /m);
  const listed = await run(project, 'advisories', ['--fail-on', 'low'], store);
  expect([listed.exitCode, listed.stdout]).toEqual([1, expect.stringContaining('CVE-2099-0001')]);
  expect((await run(project, 'advisories', [], store)).exitCode).toBe(0);
});
