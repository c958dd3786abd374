import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Mount } from '../core/command.ts';
import type { Lock, PinnedFile } from '../core/lock.ts';
import { url } from '../debian/mirror.ts';
import * as debianRoot from '../debian/root.ts';
import { run } from '../sandbox/run.ts';
import type { Tools } from '../sandbox/tools.ts';
import * as source from '../source/unpack.ts';
import * as downloads from '../store/download.ts';
import type { Context } from './context.ts';
import type { Material, RootMaterial, SourceMaterial } from './materials.ts';
import type { Stages } from './stages.ts';

/** How many files are downloaded at once. */
const CONCURRENCY = 8;

/** Begins to download what those materials need and the store does not have; returns at once. */
export async function fetch(
  context: Context,
  stages: Stages,
  wanted: readonly { readonly material: Material; readonly lock: Lock }[],
): Promise<downloads.Downloads> {
  const { store, signal, mirrors } = context;
  const missing = await Promise.all(
    wanted.map(async ({ material, lock }) =>
      (await store.has(material.kind, material.key))
        ? []
        : material.files.map((file) => ({
            name: basename(file.path),
            sha256: file.sha256,
            size: file.size,
            urls: mirrors(file.archive, lock.archives[file.archive]?.date).map((base) => url(base, file.path)),
          })),
    ),
  );
  const files = missing.flat();
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

const opener =
  (context: Context, begun: downloads.Downloads) =>
  async (file: PinnedFile): Promise<Readable> => {
    await begun.ready(file.sha256);
    return downloads.open(context.store, file.sha256);
  };

/** The folder of a root, assembled from its packages as they arrive. */
export const assembleRoot = (
  context: Context,
  stages: Stages,
  begun: downloads.Downloads,
  material: RootMaterial,
): Promise<string> =>
  stages.run(material.name, async (progress) => {
    const { path, cached } = await context.store.directory('root', material.key, async (dir) => {
      progress.status(`${material.files.length} packages`);
      await debianRoot.assemble({ ...material.definition, packages: material.files }, opener(context, begun), dir, {
        signal: context.signal,
        progress,
      });
    });
    return { value: path, cached };
  });

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
    const trees = await Promise.all(
      materials.map(async ({ key, name, pinned }) => {
        const { path, cached } = await context.store.directory('source', key, async (dir) => {
          progress.status(`${pinned.package} ${pinned.version}`);
          const mounts: Mount[] = [
            { kind: 'tmpfs', target: '/tmp' },
            { kind: 'bind', source: dir, target: source.TREE, readOnly: false },
          ];
          await source.unpack(pinned, dir, {
            open: opener(context, begun),
            run: (command) =>
              run(kit, command, {
                root: builder,
                mounts,
                log: join(context.store.logs, 'source', `${name}-${basename(command.name.replace(/^patch /, ''))}.log`),
                signal: context.signal,
                onLine: progress.log,
              }),
            signal: context.signal,
          });
        });
        return { name, path, cached };
      }),
    );
    return {
      value: Object.fromEntries(trees.map(({ name, path }) => [name, path])),
      cached: trees.every(({ cached }) => cached),
    };
  });
