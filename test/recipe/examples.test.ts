import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apply } from '../../libs/recipe/apply.ts';
import { channels } from '../../nginx-quic/channels/index.ts';
import base from '../../nginx-quic/recipe.ts';
import { load, repository } from './support.ts';

const examples = join(repository, 'examples');
const names = readdirSync(examples);

test('there are examples', () => {
  expect(names.sort()).toEqual(['reverse-proxy-brotli', 'static-site', 'tcp-proxy']);
});

describe.each(names)('the example %s', (name) => {
  const dir = join(examples, name);
  const configuration = readFileSync(join(dir, 'rootfs/etc/nginx/nginx.conf'), 'utf8');

  test('is a recipe of its name with files, probes and no lock', async () => {
    const { loaded, error, stderr } = await load(dir);
    expect({ error, stderr }).toEqual({ stderr: '' });
    const { recipe, recipeDir } = apply(base, loaded?.input ?? {}, {
      dir,
      baseDir: join(repository, 'nginx-quic'),
      channels,
    });
    expect(recipe).toMatchObject({ name, files: 'rootfs', packages: [] });
    expect(recipeDir).toBe(dir);
    expect(recipe.probes).toContainEqual({ path: '/ping', body: 'pong' });
    expect(recipe.image.labels['org.opencontainers.image.title']).toBe(name);

    const listens = [...configuration.matchAll(/^\s*listen (\d+) ?(quic)?/gm)];
    const ports = new Set(listens.map(([, port, quic]) => `${port}/${quic === undefined ? 'tcp' : 'udp'}`));
    expect([...ports].sort()).toEqual([...recipe.image.ports].sort());

    const modules = recipe.modules.map((module) => module.name);
    expect(/^stream \{/m.test(configuration)).toBe(modules.includes('stream'));
    expect(/^\s+brotli on;/m.test(configuration)).toBe(modules.includes('brotli'));
    expect(configuration).not.toMatch(/_by_lua|lua_/);
  });

  test('loads the modules of the image before all else', () => {
    const [first] = configuration.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('include /etc/nginx/modules.d/*.conf;');
  });

  test('tells how to build it', () => {
    expect(readFileSync(join(dir, 'README.md'), 'utf8')).toContain(
      `npm run build-image -- --recipe examples/${name}\n`,
    );
  });
});
