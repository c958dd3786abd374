import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import { program } from './support/cli.ts';
import { mirror } from './support/mirror.ts';
import { clone } from './support/project.ts';
import { everything, storeWith, warmDigest } from './support/stores.ts';
import { folder } from './support/temp.ts';

/** Words before a command that may mount: only its own processes see what it mounts. */
const PRIVATE = ['unshare', '--mount', '--propagation', 'private'];

/** Why no file system of a given size can be had; `undefined` where it can. */
async function obstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may mount a small disk';
  const words = [...PRIVATE, 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', folder()];
  const { exitCode, stderr } = await program(words).catch((error: unknown) => ({ exitCode: 1, stderr: String(error) }));
  return exitCode === 0 ? undefined : `this machine does not allow to mount: ${stderr.trim()}`;
}

/** Runs a shell script in which `forge` is build-image and `$DISK` a disk of that size; it writes what it finds to `$NOTES`. */
async function script(
  size: string,
  lines: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ stderr: string; read: (name: string) => string[] }> {
  const notes = folder();
  const text = `
    set -u
    mount -t tmpfs -o size=${size} none "$DISK" || exit 9
    forge() { "$NODE" --use-env-proxy scripts/build-image.ts "$@"; }
    ${lines}
  `;
  const disk = folder();
  const env = { ...options.env, DISK: disk, NOTES: notes, NODE: process.execPath };
  const { exitCode, stderr } = await program([...PRIVATE, 'sh', '-c', text], { cwd: options.cwd, env });
  expect(exitCode, stderr).toBe(0);
  return {
    stderr,
    read: (name) =>
      readFileSync(join(notes, name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replaceAll(disk, 'DISK')),
  };
}

test('a disk too small for the store: it says so, keeps nothing half-written, and goes on when there is room', async ({
  skip,
}) => {
  const reason = await obstacle();
  if (reason !== undefined) skip(reason);
  const project = clone();
  const { env } = await mirror(project);
  const store = await storeWith('compile', 'image');
  const { stderr, read } = await script(
    '40m',
    `
    export XDG_CACHE_HOME="$DISK"
    cp -a "$STORE" "$DISK/h3forge"
    forge > "$NOTES/out"; echo $? > "$NOTES/status"
    find "$DISK/h3forge/tmp" "$DISK/h3forge/downloads/tmp" -mindepth 1 > "$NOTES/rests"
    mount -o remount,size=1g "$DISK"
    forge --json > "$NOTES/again"; echo $? >> "$NOTES/status"
    ls "$DISK/h3forge/tmp" > "$NOTES/afterwards"
    `,
    { cwd: project.dir, env: { ...env, STORE: store.dir } },
  );
  expect(read('status'), stderr).toEqual(['1', '0']);
  expect(stderr).toMatch(/^error DISK_FULL: no space left for the store \S+$/m);
  expect(stderr).toMatch(/found: \d+ MB free/);
  expect(stderr).toMatch(/next: npm run clean, or set XDG_CACHE_HOME/);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(read('rests')).toEqual([]);
  expect((JSON.parse(read('again').join('')) as BuildResult).digest).toBe(await warmDigest());
  expect(read('afterwards')).toEqual([]);
});

test('a disk too small for a root: what was whole before stays, nothing else', async ({ skip }) => {
  const reason = await obstacle();
  if (reason !== undefined) skip(reason);
  const project = clone();
  const { env, requests } = await mirror(project);
  // All downloads and a small root or two, and not the others.
  const { stderr, read } = await script(
    '105m',
    `
    export XDG_CACHE_HOME="$DISK"
    forge --json > "$NOTES/out"; echo $? > "$NOTES/status"
    find "$DISK/h3forge/tmp" "$DISK/h3forge/downloads/tmp" -mindepth 1 > "$NOTES/rests"
    for root in "$DISK"/h3forge/root/*; do test ! -d "$root" || echo "$root"; done > "$NOTES/roots"
    for root in "$DISK"/h3forge/root/*; do test ! -d "$root" || test -f "$root/seal" || echo "$root"; done > "$NOTES/halves"
    `,
    { cwd: project.dir, env },
  );
  expect(read('status'), stderr).toEqual(['1']);
  expect(JSON.parse(read('out').join(''))).toMatchObject({ ok: false, error: { code: 'DISK_FULL' } });
  expect(requests.length).toBeGreaterThan(50);
  expect(read('rests')).toEqual([]);
  // Which ones were made before the disk was full is chance; the builder alone is larger than that disk.
  expect(read('roots').length).toBeLessThan(4);
  expect(read('halves')).toEqual([]);
  expect(existsSync(project.path('dist'))).toBe(false);
});

test('a disk too small for an output: the old one stays as it was', async ({ skip }) => {
  const reason = await obstacle();
  if (reason !== undefined) skip(reason);
  const project = clone();
  const store = await storeWith(...everything);
  mkdirSync(project.path('out'));
  writeFileSync(project.path('out/image.tar'), 'the old one');
  for (const output of ['archive:$DISK/out/image.tar', 'layout:$DISK/out/oci', 'dockerfile:$DISK/out/docker']) {
    const { stderr, read } = await script(
      '4m',
      `
      cp -a out "$DISK/"
      forge --output "${output}" > "$NOTES/out"; echo $? > "$NOTES/status"
      find "$DISK/out" | sort > "$NOTES/files"
      cat "$DISK/out/image.tar" > "$NOTES/old"
      `,
      { cwd: project.dir, env: store.env },
    );
    expect(read('status'), stderr).toEqual(['1']);
    expect(stderr).toMatch(/^error DISK_FULL: /m);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(read('files')).toEqual(['DISK/out', 'DISK/out/image.tar']);
    expect(read('old')).toEqual(['the old one']);
  }
});
