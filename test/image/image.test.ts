import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import * as platform from '../../libs/core/platform.ts';
import * as config from '../../libs/image/config.ts';
import { build, folder } from './support.ts';

const amd64 = platform.parse('linux/amd64');

describe('config', () => {
  test('has the shape of the specification', async () => {
    await using temp = await folder();
    const image = await build(temp.path);
    expect(JSON.parse(Buffer.from(image.configBytes).toString())).toEqual({
      created: '2025-01-31T12:00:00Z',
      architecture: 'amd64',
      os: 'linux',
      config: {
        User: '101:101',
        ExposedPorts: { '443/tcp': {}, '443/udp': {}, '80/tcp': {} },
        Env: ['PATH=/usr/sbin:/usr/bin', 'TZ=UTC'],
        Entrypoint: ['/usr/nginx'],
        Cmd: ['-g', 'daemon off;'],
        WorkingDir: '/',
        Labels: {
          'org.opencontainers.image.title': 'nginx-quic',
          'org.opencontainers.image.version': '1.26.3',
          'org.example.awkward': String.raw`say "hi" for $5 \ or \$6 = 'much'`,
        },
        StopSignal: 'SIGQUIT',
      },
      rootfs: { type: 'layers', diff_ids: image.layers.map(({ diffId }) => diffId) },
      history: [
        { created: '2025-01-31T12:00:00Z', created_by: 'the closure of nginx' },
        { created: '2025-01-31T12:00:00Z', created_by: 'files of the recipe' },
      ],
    });
  });

  test('leaves out what is empty', () => {
    const made = config.create(amd64, 0, { env: {}, labels: {}, cmd: [], exposedPorts: [], volumes: [] }, []);
    expect(JSON.parse(digest.canonicalJson(made))).toEqual({
      created: '1970-01-01T00:00:00Z',
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [] },
      history: [],
    });
  });

  test('a port without protocol is TCP', () => {
    expect(config.create(amd64, 0, { exposedPorts: ['80'] }, []).config?.ExposedPorts).toEqual({ '80/tcp': {} });
  });

  test.each<[string, config.Options]>([
    ['port', { exposedPorts: ['http'] }],
    ['port', { exposedPorts: ['70000/tcp'] }],
    ['protocol', { exposedPorts: ['80/quic'] }],
    ['variable', { env: { 'A=B': 'c' } }],
    ['variable', { env: { A: 'b\0c' } }],
    ['folder', { workingDir: 'relative' }],
    ['volume', { volumes: ['relative'] }],
  ])('refuses a wrong %s', (_what, options) => {
    expect(() => config.create(amd64, 0, options, [])).toThrow(expect.objectContaining({ code: 'IMAGE_INVALID' }));
  });
});

describe('manifest', () => {
  test('points at the config and the layers', async () => {
    await using temp = await folder();
    const image = await build(temp.path);
    expect(JSON.parse(Buffer.from(image.manifestBytes).toString())).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digest.of(image.configBytes),
        size: image.configBytes.length,
      },
      layers: image.layers.map(({ digest: value, size }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: value,
        size,
      })),
      annotations: {
        'org.opencontainers.image.created': '2025-01-31T12:00:00Z',
        'org.opencontainers.image.title': 'nginx-quic',
      },
    });
    expect(image.digest).toBe(digest.of(image.manifestBytes));
  });
});

test('an image never changes, and does not freeze what it was made of', async () => {
  await using temp = await folder();
  const image = await build(temp.path);
  const change = (target: object, key: string): void => {
    expect(Reflect.set(target, key, 'changed')).toBe(false);
  };
  change(image, 'digest');
  change(image.config, 'os');
  change(image.config.config ?? {}, 'User');
  change(image.manifest.layers, '0');
  change(image.layers, '0');
  const labels = { a: 'b' };
  config.create(amd64, 0, { labels }, []);
  expect(Object.isFrozen(labels)).toBe(false);
});

test('the same input gives the same image in another folder', async () => {
  await using one = await folder();
  await using two = await folder();
  const [a, b] = await Promise.all([build(one.path), build(two.path)]);
  expect(a.digest).toBe(b.digest);
  expect(a.configBytes).toEqual(b.configBytes);
});
