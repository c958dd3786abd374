import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as trees from '../../libs/pipeline/trees.ts';
import * as stores from '../../libs/store/store.ts';
import { rejection } from '../support/errors.ts';
import { thrown } from '../support/thrown.ts';
import { make } from '../support/tree.ts';

const repository = join(import.meta.dirname, '../..');
const NGINX = { 'src/core/nginx.h': '#define NGINX_VERSION      "1.31.5"\n', configure: '' };
const resolve = (path: string): string => join('/there', path);

const take = async (place: string): ReturnType<typeof trees.take> =>
  await trees.take({ store: await stores.open(make()), signal: new AbortController().signal, repository }, [
    { name: 'nginx', place, given: 'given' },
  ]);

describe('a source of one’s own', () => {
  test('is a path, or a whole commit', () => {
    expect(trees.parse('nginx=./x', resolve)).toEqual({ name: 'nginx', place: '/there/x', given: './x' });
    const url = `https://git.test/x.git@${'a'.repeat(40)}`;
    expect(trees.parse(`lua=${url}`, resolve)).toEqual({ name: 'lua', place: url, given: url });
  });

  test.each(['nginx', 'nginx=', '=./x', 'nginx=https://git.test/x.git', 'nginx=https://git.test/x.git@main', 'N=x'])(
    '%s is none',
    (text) => {
      expect(thrown(() => trees.parse(text, resolve)).code).toBe('SOURCE_INVALID');
    },
  );

  test('a password in a URL is in no label and in no message', () => {
    const commit = 'a'.repeat(40);
    const { place, given } = trees.parse(`nginx=https://me:p@ss@git.test/x.git@${commit}`, resolve);
    expect(place).toContain('p@ss');
    expect(given).toBe(`https://git.test/x.git@${commit}`);
    const error = thrown(() => trees.parse('nginx=https://me:p@ss@git.test/x.git@main', resolve));
    expect(JSON.stringify([error.message, error.found, error.expected, error.hint])).not.toMatch(/p@ss|ss@git/);
  });

  test('what git keeps for itself is no source; a link to a folder is that folder', async () => {
    const dir = make({ ...NGINX, '.git/index': '1' });
    const { nginx: first } = await take(dir);
    writeFileSync(join(dir, '.git/index'), '2');
    expect((await take(dir)).nginx?.sha256).toBe(first?.sha256);
    const link = join(make(), 'link');
    symlinkSync(dir, link);
    expect((await take(link)).nginx).toEqual(first);
  });

  test('a folder is taken as it lies, and another content is another digest', async () => {
    const dir = make(NGINX);
    const { nginx: first } = await take(dir);
    expect(first).toMatchObject({ path: dir, version: '1.31.5', given: 'given' });
    writeFileSync(join(dir, 'configure'), 'changed');
    expect((await take(dir)).nginx?.sha256).not.toBe(first?.sha256);
  });

  test('an archive is unpacked without its top folder', async () => {
    const dir = make();
    mkdirSync(join(dir, 'nginx-1/src/core'), { recursive: true });
    writeFileSync(join(dir, 'nginx-1/src/core/nginx.h'), NGINX['src/core/nginx.h']);
    execFileSync('tar', ['-czf', join(dir, 'x.tar.gz'), '-C', dir, 'nginx-1']);
    expect((await take(join(dir, 'x.tar.gz'))).nginx?.version).toBe('1.31.5');
  });

  test('a commit is fetched', async () => {
    const dir = make(NGINX);
    const git = (...words: string[]): string =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.test', ...words], { cwd: dir })
        .toString()
        .trim();
    git('init', '--quiet', '.');
    git('add', '.');
    git('commit', '--quiet', '-m', 'x');
    const tree = await take(`${pathToFileURL(dir).href}@${git('rev-parse', 'HEAD')}`);
    expect(tree.nginx?.version).toBe('1.31.5');
  });

  test('what is not there, or is not nginx, is named', async () => {
    expect((await rejection(take('/no/such/place'))).code).toBe('SOURCE_MISSING');
    expect((await rejection(take(make({ 'README.md': '' })))).code).toBe('SOURCE_INVALID');
  });
});

describe('a module of one’s own', () => {
  const one = async (name: string): Promise<unknown> => (await trees.foreign([{ name }])).get(name);

  test('a folder, an object, a commit; names of the catalogue are left alone', async () => {
    const dir = make({ 'My_Module/config': 'ngx_addon_name=x', 'x.so': 'bytes' });
    expect(await one(join(dir, 'My_Module'))).toMatchObject({ name: 'my-module', objects: [] });
    expect(await one(join(dir, 'x.so'))).toMatchObject({ name: 'x', objects: ['x.so'] });
    const commit = `git+https://git.test/ngx_thing.git#${'c'.repeat(40)}`;
    expect(await one(commit)).toMatchObject({ name: 'ngx-thing', source: { commit: 'c'.repeat(40) } });
    expect(await trees.foreign([{ name: 'brotli' }])).toEqual(new Map());
  });

  test('what is not there, or has no config script, is named', async () => {
    expect((await rejection(trees.foreign([{ name: '/no/such/place' }]))).code).toBe('MODULE_MISSING');
    const error = await rejection(trees.foreign([{ name: make({ 'x.c': '' }) }]));
    expect(error).toMatchObject({ code: 'MODULE_MISSING', found: 'no file config in it' });
  });
});
