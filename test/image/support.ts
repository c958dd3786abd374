import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry, FileEntry } from '../../libs/core/entry.ts';
import * as platform from '../../libs/core/platform.ts';
import type { Compression } from '../../libs/image/compression.ts';
import * as image from '../../libs/image/image.ts';
import * as layer from '../../libs/image/layer.ts';

/** 2025-01-31T12:00:00Z */
export const EPOCH = 1738324800;

/** A folder that is gone at the end of the block. */
export async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'h3forge-image-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export const directory = (path: string, mode = 0o755): Entry => ({ type: 'directory', path, mode, uid: 0, gid: 0 });

export const symlink = (path: string, target: string): Entry => ({ type: 'symlink', path, target, uid: 0, gid: 0 });

export function file(path: string, text: string | Uint8Array, more: Partial<FileEntry> = {}): FileEntry {
  const bytes = Buffer.from(text);
  return { type: 'file', path, mode: 0o644, uid: 0, gid: 0, size: bytes.length, content: { bytes }, ...more };
}

/** A small root file system with one of everything. */
export const rootFs: readonly Entry[] = [
  directory('/etc'),
  file('/etc/passwd', 'nginx:x:101:101::/:/nonexistent\n'),
  directory('/tmp', 0o1777),
  directory('/usr'),
  directory('/usr/lib'),
  file('/usr/lib/libz.so.1.3', Buffer.alloc(700_000, 'abcdefg')),
  symlink('/usr/lib/libz.so.1', 'libz.so.1.3'),
  file('/usr/nginx', '\x7fELF', { mode: 0o755 }),
  directory('/var'),
  { ...directory('/var/cache', 0o700), uid: 101, gid: 101 },
].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));

export const write = (
  entries: readonly Entry[],
  dir: string,
  compression: Compression = 'gzip',
  more: Partial<layer.WriteOptions> = {},
): Promise<layer.Layer> => layer.write(entries, { dir, compression, mtime: EPOCH, ...more });

/** An image of two layers in `dir`. */
export async function build(dir: string, compression: Compression = 'gzip', text = 'pong'): Promise<image.Image> {
  const layers = [
    { layer: await write(rootFs, dir, compression), createdBy: 'the closure of nginx' },
    { layer: await write([file('/index.html', text)], dir, compression), createdBy: 'files of the recipe' },
  ];
  return image.create({
    platform: platform.parse('linux/amd64'),
    created: EPOCH,
    layers,
    config: {
      user: '101:101',
      exposedPorts: ['80/tcp', '443/tcp', '443/udp'],
      env: { TZ: 'UTC', PATH: '/usr/sbin:/usr/bin' },
      entrypoint: ['/usr/nginx'],
      cmd: ['-g', 'daemon off;'],
      workingDir: '/',
      labels: {
        'org.opencontainers.image.title': 'nginx-quic',
        'org.opencontainers.image.version': '1.26.3',
        'org.example.awkward': String.raw`say "hi" for $5 \ or \$6 = 'much'`,
      },
      stopSignal: 'SIGQUIT',
    },
    annotations: { 'org.opencontainers.image.title': 'nginx-quic' },
  });
}

/** Every file below a folder with its content, and every other name. */
export async function tree(dir: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(dir.length + 1), entry.isFile() ? (await readFile(path)).toString('latin1') : '');
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const hasProgram = (name: string): boolean => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Changes one byte of a file to another, and leaves its size. A hard link elsewhere keeps the old bytes. */
export async function flip(path: string, position: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[position] = (bytes[position] ?? 0) ^ 0x01;
  await rm(path);
  await writeFile(path, bytes);
}
