import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Output } from '../../libs/core/output.ts';
import * as archive from '../../libs/image/archive.ts';
import * as destination from '../../libs/image/destination.ts';
import * as dockerfile from '../../libs/image/dockerfile.ts';
import * as layout from '../../libs/image/layout.ts';
import { rejection } from '../support/errors.ts';
import { build, folder, tree } from './support.ts';

const outputs = (dir: string, ...pairs: [Output['type'], string][]): Output[] =>
  pairs.map(([type, path]) => ({ type, path: join(dir, path) }));

const all: [Output['type'], string][] = [
  ['layout', 'out/oci'],
  ['archive', 'out/image.tar'],
  ['dockerfile', 'out/docker'],
];

test('what is absent, empty or of an earlier run may be written, and nothing is changed', async () => {
  await using temp = await folder();
  const image = await build(join(temp.path, 'store'));
  await destination.check(outputs(temp.path, ...all));
  await mkdir(join(temp.path, 'out/oci'), { recursive: true });
  await destination.check(outputs(temp.path, ...all));
  await layout.write(image, join(temp.path, 'out/oci'));
  await archive.write(image, join(temp.path, 'out/image.tar'));
  await dockerfile.writeContext(image, join(temp.path, 'out/docker'));
  const before = await tree(temp.path);
  await destination.check(outputs(temp.path, ...all));
  expect(await tree(temp.path)).toEqual(before);
});

test.each<[string, Output['type'], string]>([
  ['a folder of files for a layout', 'layout', 'home'],
  ['a file for a layout', 'layout', 'home/letter'],
  ['a folder of files for a context', 'dockerfile', 'home'],
  ['a folder for an archive', 'archive', 'home'],
  ['a pipe for an archive', 'archive', 'pipe'],
  ['a link for an archive', 'archive', 'link'],
  ['a place below a file, for a layout', 'layout', 'home/letter/oci'],
  ['a place below a file, for an archive', 'archive', 'home/letter/image.tar'],
  ['a context whose Dockerfile is a pipe', 'dockerfile', 'odd'],
])('%s', async (_name, type, path) => {
  await using temp = await folder();
  await mkdir(join(temp.path, 'home'));
  await mkdir(join(temp.path, 'odd'));
  await writeFile(join(temp.path, 'home/letter'), 'dear');
  await symlink('home/letter', join(temp.path, 'link'));
  execFileSync('mkfifo', [join(temp.path, 'pipe'), join(temp.path, 'odd/Dockerfile')]);
  expect(await rejection(destination.check(outputs(temp.path, [type, path])))).toMatchObject({
    code: 'DESTINATION_OCCUPIED',
    hint: expect.stringContaining('another place'),
  });
});

test.each<[string, string]>([
  ['out', 'out'],
  ['out', './a/../out/'],
  ['out', 'out/image.tar'],
  ['out/deep/er', 'out'],
  ['out', 'link'],
  ['link/image.tar', 'out'],
])('%s and %s are in the same place', async (one, other) => {
  await using temp = await folder();
  await mkdir(join(temp.path, 'out'));
  await symlink('out', join(temp.path, 'link'));
  const pair = outputs(temp.path, ['layout', 'x']).concat(
    { type: 'layout', path: `${temp.path}/${one}` },
    { type: 'archive', path: `${temp.path}/${other}` },
  );
  expect(await rejection(destination.check(pair))).toMatchObject({
    code: 'OUTPUT_INVALID',
    found: `layout:${temp.path}/${one} and archive:${temp.path}/${other}`,
    hint: expect.stringContaining('--output'),
  });
});

test('names that only begin alike are two places', async () => {
  await using temp = await folder();
  await destination.check(outputs(temp.path, ['layout', 'out'], ['archive', 'out.tar'], ['dockerfile', 'out-context']));
});
