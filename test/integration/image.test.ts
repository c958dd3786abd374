import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../libs/core/command.ts';
import * as digest from '../../libs/core/digest.ts';
import type { Entry } from '../../libs/core/entry.ts';
import * as archive from '../../libs/image/archive.ts';
import type { Compression } from '../../libs/image/compression.ts';
import { create, type Image } from '../../libs/image/image.ts';
import * as layout from '../../libs/image/layout.ts';
import { unpack } from '../../libs/image/unpack.ts';
import { type Captured, capture } from '../../libs/sandbox/capture.ts';
import { build, EPOCH, file, rootFs, write } from '../image/support.ts';
import * as roots from '../support/roots.ts';
import * as tree from '../support/tree.ts';

const kit = await roots.kit();
let images = '';
beforeAll(async () => {
  images = await roots.root('images');
});

const TAG = '1.26';
/** As the entries of `build`: those of the upper layer last. */
const entries: readonly Entry[] = [...rootFs, file('/index.html', 'pong')];

/** Runs a tool in the root of tools, with a folder of the test at `/shared`. */
async function run(work: string, ...argv: readonly string[]): Promise<string> {
  const command: Command = {
    name: argv[0] ?? '',
    argv: argv as unknown as Command['argv'],
    // Where the tools look for a home and for scratch space, so that neither is the machine's.
    env: { HOME: '/tmp', LC_ALL: 'C.UTF-8', PATH: '/usr/bin', TMPDIR: '/tmp', XDG_RUNTIME_DIR: '/tmp' },
    cwd: '/shared',
  };
  const result: Captured = await capture(kit, command, {
    root: images,
    mounts: [
      { kind: 'tmpfs', target: '/tmp' },
      { kind: 'tmpfs', target: '/var/tmp' },
      { kind: 'bind', source: work, target: '/shared', readOnly: false },
    ],
    signal: new AbortController().signal,
    timeout: 60_000,
  });
  expect(result.exitCode, `${argv.join(' ')}: ${result.stderr}`).toBe(0);
  return result.stdout;
}

/** A folder with the layout `oci` of an image. */
async function make(compression: Compression): Promise<{ work: string; image: Image }> {
  const work = tree.make();
  const image = await build(join(work, 'layers'), compression);
  await layout.write(image, join(work, 'oci'), { ref: TAG });
  return { work, image };
}

const oci = `oci:oci:${TAG}`;
const skopeo = ['skopeo', '--insecure-policy'] as const;
const json = (text: string): unknown => JSON.parse(text);
const blobs = (dir: string): string[] => readdirSync(join(dir, 'blobs', 'sha256')).sort();

describe.each(['gzip', 'zstd', 'none'] as const)('a layout with layers of %s', (compression) => {
  test('skopeo reads its manifest and configuration byte for byte', async () => {
    const { work, image } = await make(compression);
    expect(digest.of(await run(work, 'skopeo', 'inspect', '--raw', oci))).toBe(image.digest);
    expect(digest.of(await run(work, 'skopeo', 'inspect', '--raw', '--config', oci))).toBe(
      image.manifest.config.digest,
    );
    expect(json(await run(work, 'skopeo', 'inspect', oci))).toMatchObject({
      Digest: image.digest,
      Architecture: 'amd64',
      Os: 'linux',
      Created: new Date(EPOCH * 1000).toISOString().replace('.000', ''),
      Layers: image.layers.map((layer) => layer.digest),
      LayersData: image.layers.map(({ mediaType, size }) => ({ MIMEType: mediaType, Size: size })),
    });
    expect(json(await run(work, 'skopeo', 'inspect', '--config', oci))).toMatchObject({
      config: { User: '101:101', StopSignal: 'SIGQUIT', Entrypoint: ['/usr/nginx'], Cmd: ['-g', 'daemon off;'] },
      rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    });
  });

  test('skopeo copies it to another layout, and every blob is the same', async () => {
    const { work, image } = await make(compression);
    await run(work, ...skopeo, 'copy', '--preserve-digests', oci, `oci:copy:${TAG}`);
    expect(blobs(join(work, 'copy'))).toEqual(blobs(join(work, 'oci')));
    expect((await layout.read(join(work, 'copy'))).digest).toBe(image.digest);
  });

  test('skopeo makes a Docker archive of it, with the same uncompressed layers', async () => {
    const { work, image } = await make(compression);
    await run(work, ...skopeo, 'copy', oci, 'docker-archive:out.tar:h3forge.test/nginx-quic:1.26');
    const manifest = json(await run(work, 'tar', '-xOf', 'out.tar', 'manifest.json')) as { Layers: string[] }[];
    expect(manifest[0]?.Layers.map((name) => basename(name, '.tar'))).toEqual(
      image.layers.map(({ diffId }) => digest.hex(diffId)),
    );
    const config = json(await run(work, 'skopeo', 'inspect', '--config', 'docker-archive:out.tar'));
    expect(config).toMatchObject({ config: { User: '101:101', Env: ['PATH=/usr/sbin:/usr/bin', 'TZ=UTC'] } });
  });

  test('the archive that we write is read as a Docker archive and as an OCI archive', async () => {
    const { work, image } = await make(compression);
    await archive.write(image, join(work, 'image.tar'), { tags: ['h3forge.test/nginx-quic:1.26'] });
    const read = (name: string): Promise<unknown> => run(work, 'skopeo', 'inspect', '--config', name).then(json);
    const docker = (await read('docker-archive:image.tar')) as object;
    expect(docker).toMatchObject({ rootfs: { diff_ids: image.layers.map((layer) => layer.diffId) } });
    expect(await read('docker-archive:image.tar:h3forge.test/nginx-quic:1.26')).toEqual(docker);
    expect(await run(work, 'skopeo', 'inspect', '--raw', 'oci-archive:image.tar')).toBe(
      Buffer.from(image.manifestBytes).toString(),
    );
    await run(work, ...skopeo, 'copy', 'docker-archive:image.tar', 'oci:again:1');
    const again = await layout.read(join(work, 'again'));
    expect(again.layers.map((layer) => layer.diffId)).toEqual(image.layers.map((layer) => layer.diffId));
  });

  test('GNU tar lists in each layer what was put into it, and nothing else', async () => {
    const { work, image } = await make(compression);
    const upper = entries.slice(-1);
    for (const [position, layer] of image.layers.entries()) {
      const blob = join('oci/blobs/sha256', digest.hex(layer.digest));
      const option = { gzip: ['--gzip'], zstd: ['--zstd'], none: [] }[compression];
      const listing = await run(work, 'tar', ...option, '--utc', '--numeric-owner', '-tvf', blob);
      const lines = listing.trimEnd().replaceAll(/ +/g, ' ').split('\n');
      expect(lines).toEqual((position === 0 ? rootFs : upper).map(line));
    }
  });
});

// umoci 0.4 knows no layers of zstd.
test.each(['gzip', 'none'] as const)('umoci unpacks the very files that were put in: %s', async (compression) => {
  const { work } = await make(compression);
  await run(work, 'umoci', 'unpack', '--rootless', '--image', `oci:${TAG}`, 'bundle');
  const top = join(work, 'bundle', 'rootfs');
  expect(found(top)).toEqual(entries.map(said).sort(byPath));
  const { process } = json(readFileSync(join(work, 'bundle', 'config.json'), 'utf8')) as { process: object };
  expect(process).toMatchObject({ args: ['/usr/nginx', '-g', 'daemon off;'], cwd: '/' });
  expect(process).toMatchObject({ env: expect.arrayContaining(['PATH=/usr/sbin:/usr/bin', 'TZ=UTC']) });
});

test('umoci unpacks a whiteout as we do', async () => {
  const work = tree.make();
  const dir = join(work, 'layers');
  const lower = await write(rootFs, dir);
  const upper = await write([file('/etc/.wh.passwd', ''), file('/usr/.wh..wh..opq', ''), file('/usr/new', 'n')], dir);
  const layers = [lower, upper].map((layer) => ({ layer, createdBy: 'a test' }));
  const built = create({ platform: kit.platform, created: EPOCH, layers, config: {} });
  await layout.write(built, join(work, 'oci'), { ref: TAG });
  await run(work, 'umoci', 'unpack', '--rootless', '--image', `oci:${TAG}`, 'bundle');
  mkdirSync(join(work, 'ours'));
  await unpack(built, join(work, 'ours'));
  const ours = found(join(work, 'ours'));
  expect(ours).toEqual(found(join(work, 'bundle', 'rootfs')));
  expect(ours.map(({ path }) => path)).toEqual(['/etc', '/tmp', '/usr', '/usr/new', '/var', '/var/cache']);
});

/** What is compared of a file; owners are not, because only root could have set them. */
interface Said {
  readonly path: string;
  readonly type: Entry['type'];
  readonly mode: number;
  readonly content: string;
}

const byPath = (a: Said, b: Said): number => (a.path < b.path ? -1 : 1);

const said = (entry: Entry): Said => ({
  path: entry.path,
  type: entry.type,
  mode: entry.type === 'symlink' ? 0o777 : entry.mode,
  content:
    entry.type === 'symlink'
      ? entry.target
      : entry.type === 'file' && 'bytes' in entry.content
        ? digest.of(entry.content.bytes)
        : '',
});

/** What lies below a folder. */
function found(top: string): Said[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .map((entry): Said => {
      const place = join(entry.parentPath, entry.name);
      const common = { path: place.slice(top.length), mode: lstatSync(place).mode & 0o7777 };
      if (entry.isSymbolicLink()) return { ...common, type: 'symlink', content: readlinkSync(place) };
      if (entry.isDirectory()) return { ...common, type: 'directory', content: '' };
      return { ...common, type: 'file', content: digest.of(readFileSync(place)) };
    })
    .sort(byPath);
}

/** A member as `tar --numeric-owner -tv` lists it. */
function line(entry: Entry): string {
  const letters = entry.type === 'symlink' ? 'rwxrwxrwx' : permissions(entry.mode);
  const type = { directory: 'd', symlink: 'l', file: '-' }[entry.type];
  const size = String(entry.type === 'file' ? entry.size : 0);
  const owner = `${entry.uid}/${entry.gid}`;
  const time = new Date(EPOCH * 1000).toISOString().slice(0, 16).replace('T', ' ');
  const name = `${entry.path.slice(1)}${entry.type === 'directory' ? '/' : ''}`;
  const target = entry.type === 'symlink' ? ` -> ${entry.target}` : '';
  return `${type}${letters} ${owner} ${size} ${time} ${name}${target}`;
}

function permissions(mode: number): string {
  const bits = [6, 3, 0].map((shift) => {
    const three = (mode >> shift) & 7;
    return `${three & 4 ? 'r' : '-'}${three & 2 ? 'w' : '-'}${three & 1 ? 'x' : '-'}`;
  });
  const text = bits.join('');
  return mode & 0o1000 ? `${text.slice(0, 8)}${mode & 1 ? 't' : 'T'}` : text;
}
