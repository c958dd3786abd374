import { lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clone } from '../../libs/archive/clone.ts';
import { extractTar } from '../../libs/archive/extract.ts';
import { from as stream, tarOf } from '../support/tar.ts';
import { make } from '../support/tree.ts';

test('a clone has the same files as hard links, folders, links and modes', async () => {
  const from = make({
    'usr/bin/tool': { program: 'a program' },
    'usr/lib/text': 'text',
    lib: { link: 'usr/lib' },
    empty: { directory: true },
  });
  const to = make();
  await clone(from, to);
  expect(lstatSync(join(to, 'usr/bin/tool')).ino).toBe(lstatSync(join(from, 'usr/bin/tool')).ino);
  expect(lstatSync(join(to, 'usr/bin/tool')).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(to, 'lib'))).toBe('usr/lib');
  expect(lstatSync(join(to, 'empty')).isDirectory()).toBe(true);
});

test('what is unpacked over a clone replaces a file and leaves the other tree as it was', async () => {
  const from = make({ 'usr/lib/text': 'old', lib: { link: 'usr/lib' } });
  const to = make();
  await clone(from, to);
  await extractTar(stream(await tarOf([{ name: './lib/text', content: 'new' }])), to);
  expect(readFileSync(join(to, 'usr/lib/text'), 'utf8')).toBe('new');
  expect(readFileSync(join(from, 'usr/lib/text'), 'utf8')).toBe('old');
  writeFileSync(join(to, 'usr/lib/text'), 'newer');
  expect(readFileSync(join(from, 'usr/lib/text'), 'utf8')).toBe('old');
});
