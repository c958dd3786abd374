import { access, cp, mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { paths } from '../compile/plan.ts';
import * as compileRun from '../compile/run.ts';
import type { Mount } from '../core/command.ts';
import { ForgeError } from '../core/errors.ts';
import type { Progress } from '../core/progress.ts';
import { run } from '../sandbox/run.ts';
import type { Tools } from '../sandbox/tools.ts';
import type { Context } from './context.ts';
import * as keys from './keys.ts';
import type { SourceMaterial } from './materials.ts';
import type { Stages } from './stages.ts';
import type { Unit, Units } from './units.ts';

/** What was compiled: the folder of each unit's result. */
export interface Installed {
  readonly nginx: string;
  /** By the name of the module. */
  readonly modules: ReadonlyMap<string, string>;
}

/** What compiling needs beside the units: the folders of their roots and sources. */
export interface Workshop {
  readonly kit: Tools;
  readonly root: (unit: Unit) => Promise<string>;
  readonly trees: Readonly<Record<string, string>>;
}

/**
 * The folders of what `make install` left, each unit compiled in its root from copies of its source trees. The copies are
 * gone afterwards; the logs stay.
 */
export const compile = (context: Context, stages: Stages, units: Units, workshop: Workshop): Promise<Installed> =>
  stages.run('compile', async (progress) => {
    const stop = new AbortController();
    const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
    const running = new Set<string>();
    let made = 0;
    const nginx = compileUnit(inner, units.nginx, workshop, undefined, running, progress).then((result) => {
      if (!result.cached) made++;
      return result.path;
    });
    const modules = new Map<string, string>();
    const queue = units.modules.values();
    // As many at once as there are cores: most of a module's time is nginx's configure script, which is one process.
    const worker = async (): Promise<void> => {
      for (const unit of queue) {
        const base = unit.base === undefined ? undefined : await nginx;
        const result = await compileUnit(inner, unit, workshop, base, running, progress);
        if (!result.cached) made++;
        modules.set(unit.name, result.path);
      }
    };
    // What fails ends the others, and all have ended before this does.
    await Promise.allSettled(
      [nginx, ...Array.from({ length: context.jobs }, worker)].map((one) =>
        one.catch((error: unknown) => stop.abort(error)),
      ),
    );
    if (stop.signal.aborted) throw stop.signal.reason;
    return { value: { nginx: await nginx, modules }, cached: made === 0 };
  });

async function compileUnit(
  context: Context,
  unit: Unit,
  { kit, root, trees }: Workshop,
  base: string | undefined,
  running: Set<string>,
  progress: Progress,
): Promise<{ path: string; cached: boolean }> {
  return await context.store.directory('compile', unit.key, async (dir) => {
    await using work = await context.store.temporary();
    const place = await root(unit);
    await Promise.all(unit.sources.map(({ name }) => copyTree(trees[name] as string, join(work.path, 'src', name))));
    await Promise.all(
      unit.sources.map((source) => checkSame(source, join(work.path, 'src', source.name), context.store.dir)),
    );
    await likeRelease(join(work.path, 'src', 'nginx'));
    await Promise.all(['stage', 'base'].map((name) => mkdir(join(work.path, name), { recursive: true })));
    const mounts: Mount[] = [
      { kind: 'tmpfs', target: '/tmp' },
      { kind: 'bind', source: work.path, target: '/build', readOnly: false },
      ...(base === undefined ? [] : [{ kind: 'bind', source: base, target: paths.base, readOnly: true } as const]),
    ];
    await compileRun.run(
      unit.steps,
      async (command, signal) => {
        const name = `${unit.name === 'nginx' ? '' : `${unit.name}-`}${command.name}`;
        running.add(name);
        progress.status([...running].join(', '));
        await run(
          kit,
          { ...command, name },
          {
            root: place,
            mounts,
            log: join(context.store.logs, 'compile', `${name}.log`),
            signal,
            onLine: progress.log,
          },
        );
        running.delete(name);
      },
      { jobs: context.jobs, signal: context.signal },
    );
    for (const name of await readdir(join(work.path, 'stage'))) {
      await rename(join(work.path, 'stage', name), join(dir, name));
    }
  });
}

/** Copies a source tree without what is no source. */
const copyTree = (from: string, to: string): Promise<void> =>
  cp(from, to, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: (path) => !keys.NOT_SOURCE.test(relative(from, path)),
  });

/** Throws `SOURCE_CHANGED` where a folder of the user's is no longer what its digest was taken of. */
async function checkSame({ name, origin, key }: SourceMaterial, copy: string, store: string): Promise<void> {
  if (origin.type !== 'local' || origin.path.startsWith(`${store}/`) || (await keys.tree(copy)) === key) return;
  throw new ForgeError('SOURCE_CHANGED', `${origin.path} was changed while it was used (${name})`, {
    hint: 'run it again',
  });
}

/** A checkout of nginx's repository has its configure script below `auto`; a release has it at the top. */
async function likeRelease(tree: string): Promise<void> {
  const isThere = (path: string): Promise<boolean> =>
    access(join(tree, path)).then(
      () => true,
      () => false,
    );
  if ((await isThere('configure')) || !(await isThere('auto/configure'))) return;
  await symlink('auto/configure', join(tree, 'configure'));
}
