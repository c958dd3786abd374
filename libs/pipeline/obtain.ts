import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { clone } from '../archive/clone.ts';
import * as xzOf from '../archive/xz.ts';
import type { Mount } from '../core/command.ts';
import { ForgeError } from '../core/errors.ts';
import type { Lock, PinnedFile, PinnedSource } from '../core/lock.ts';
import { url } from '../debian/mirror.ts';
import * as debianRoot from '../debian/root.ts';
import { run } from '../sandbox/run.ts';
import { program, type Tools } from '../sandbox/tools.ts';
import * as git from '../source/git.ts';
import * as source from '../source/unpack.ts';
import * as downloads from '../store/download.ts';
import type { Context } from './context.ts';
import type { Material, RootMaterial, SourceMaterial } from './materials.ts';
import type { Stages } from './stages.ts';

/** How many files are downloaded at once. */
const CONCURRENCY = 8;

/** Inside of its root. */
const XZ = 'usr/bin/xz';

/** A material with the lock that names its files. */
export interface Wanted {
  readonly material: Material;
  readonly lock: Lock;
}

/**
 * Begins to download what those materials need and the store does not have, in that order; returns at once. `xz` is the root
 * that unpacks others, and is only wanted with them.
 */
export async function fetch(
  context: Context,
  stages: Stages,
  wanted: readonly Wanted[],
  xz: Wanted,
): Promise<downloads.Downloads> {
  const { store, signal } = context;
  const missing: Wanted[] = [];
  for (const one of wanted) if (!(await store.has(one.material.kind, one.material.key))) missing.push(one);
  const needsXz = missing.some(({ material }) => material.kind === 'root');
  if (needsXz && !(await store.has('root', xz.material.key))) missing.unshift(xz);
  const files = missing.flatMap(({ material, lock }) =>
    material.files.map((file) => wantedFile(context, lock, file, upstreamOf(material, file))),
  );
  const { promise, resolve } = Promise.withResolvers<downloads.Downloads>();
  void stages.run('download', async (progress) => {
    if (files.length > 0) progress.status(`${files.length} files`);
    const begun = downloads.begin(store, files, { signal, concurrency: CONCURRENCY, onBytes: progress.bytes });
    resolve(begun);
    await begun.all;
    return { value: undefined, cached: files.length === 0 };
  });
  return promise;
}

const wantedFile = (
  { mirrors }: Context,
  lock: Lock,
  file: PinnedFile,
  upstream: string | undefined,
): downloads.Wanted => ({
  name: basename(file.path),
  sha256: file.sha256,
  size: file.size,
  urls: [
    ...(upstream === undefined ? [] : [upstream]),
    ...mirrors(file.archive, lock.archives[file.archive]?.date).map((base) => url(base, file.path)),
  ],
});

/** Where the author publishes a file of a material. */
function upstreamOf(material: Material, file: PinnedFile): string | undefined {
  const { origin } = material as Partial<SourceMaterial>;
  return origin?.type === 'pinned' && origin.pinned.orig === file ? origin.pinned.upstream : undefined;
}

const opener =
  (context: Context, begun: downloads.Downloads) =>
  async (file: PinnedFile): Promise<Readable> => {
    await begun.ready(file.sha256);
    return downloads.open(context.store, file.sha256);
  };

/**
 * Gives the folder of a root; each is assembled once, however often it is asked for. The root `xz` is unpacked by the decoder
 * that is part of this program, all others by the program in that root, which is three times as fast.
 */
export function roots(
  context: Context,
  stages: Stages,
  begun: downloads.Downloads,
  xz: RootMaterial,
): (material: RootMaterial) => Promise<string> {
  const made = new Map<string, Promise<string>>();
  const of = (material: RootMaterial): Promise<string> => {
    const root = made.get(material.key) ?? assembleRoot(context, stages, begun, material, { of, xz });
    made.set(material.key, root);
    // It may fail before anyone waits for it; whoever does gets the error.
    root.catch(() => undefined);
    return root;
  };
  return of;
}

/** The folder of a root, assembled from its packages as they arrive, upon a copy of its base where it has one. */
async function assembleRoot(
  context: Context,
  stages: Stages,
  begun: downloads.Downloads,
  material: RootMaterial,
  { of, xz }: { readonly of: (material: RootMaterial) => Promise<string>; readonly xz: RootMaterial },
): Promise<string> {
  const base = material.base === undefined ? undefined : await of(material.base);
  const { signal, machine: platform, root } = context;
  return await stages.run(material.name, async (progress) => {
    const { path, cached } = await context.store.directory('root', material.key, async (dir) => {
      progress.status(`${material.files.length} packages`);
      if (base !== undefined) await clone(base, dir);
      const { definition, files: packages } = material;
      const parts = { ...definition, packages, isBegun: base !== undefined };
      const decoder =
        material.key === xz.key ? {} : { xz: xzOf.program(program({ dir: await of(xz), platform, root }, XZ), signal) };
      await debianRoot.assemble(parts, opener(context, begun), dir, { signal, progress, ...decoder });
    });
    return { value: path, cached };
  });
}

/** The folders of source trees, unpacked and patched, by name. */
export const unpackSources = (
  context: Context,
  stages: Stages,
  begun: downloads.Downloads,
  materials: readonly SourceMaterial[],
  kit: Tools,
  builder: string,
): Promise<Record<string, string>> =>
  stages.run('source', async (progress) => {
    // Two may have the same content, and two units the same source.
    const all = new Map(materials.map((material) => [material.key, material]));
    const made = await Promise.all(
      [...all.values()].map(async ({ key, name, origin }) => {
        if (origin.type === 'local') return { key, path: origin.path, cached: true };
        const { path, cached } = await context.store.directory('source', key, async (dir) => {
          if (origin.type === 'git') {
            progress.status(`${name} from ${new URL(origin.pin.git).host || 'a folder'}`);
            await using scratch = await context.store.temporary();
            await git.fetch(origin.pin, dir, scratch.path, context.signal);
          } else {
            const { pinned } = origin;
            progress.status(`${pinned.package} ${pinned.version}`);
            await unpackPinned(context, pinned, name, dir, { begun, kit, builder, onLine: progress.log });
          }
        });
        return { key, path, cached };
      }),
    );
    const placeOf = new Map(made.map(({ key, path }) => [key, path]));
    return {
      value: Object.fromEntries(materials.map(({ name, key }) => [name, placeOf.get(key) as string])),
      cached: made.every(({ cached }) => cached),
    };
  });

async function unpackPinned(
  context: Context,
  pinned: PinnedSource,
  name: string,
  dir: string,
  using: {
    readonly begun: downloads.Downloads;
    readonly kit: Tools;
    readonly builder: string;
    readonly onLine: (line: string) => void;
  },
): Promise<void> {
  const mounts: Mount[] = [
    { kind: 'tmpfs', target: '/tmp' },
    { kind: 'bind', source: dir, target: source.TREE, readOnly: false },
  ];
  await source.unpack(pinned, dir, {
    open: opener(context, using.begun),
    run: (command) =>
      run(using.kit, command, {
        root: using.builder,
        mounts,
        log: join(context.store.logs, 'source', `${name}-${basename(command.name.replace(/^patch /, ''))}.log`),
        signal: context.signal,
        onLine: using.onLine,
      }),
    signal: context.signal,
  });
}

/**
 * Says of a file that could not be downloaded which other ways there are to an nginx; `unserved` names the sources that no
 * mirror had when the lock was made.
 */
export function alternatives(
  error: unknown,
  channels: readonly string[],
  channel: string,
  unserved: readonly string[],
): unknown {
  if (!(error instanceof ForgeError) || error.code !== 'DOWNLOAD_FAILED') return error;
  const own = (unserved.length > 0 ? unserved : ['nginx']).map((name) => `--source ${name}=DIR`);
  const others = channels.filter((name) => name !== channel).map((name) => `--channel ${name}`);
  return new ForgeError(error.code, error.message, {
    ...(error.expected === undefined ? {} : { expected: error.expected }),
    ...(error.found === undefined ? {} : { found: error.found }),
    hint: `${error.hint ?? ''}\n    or take another channel: ${others.join(', ')}\n    or sources of your own: ${own.join(' ')}`,
    cause: error,
  });
}
