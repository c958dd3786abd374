import { cp, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as compileRun from '../compile/run.ts';
import { run } from '../sandbox/run.ts';
import type { Tools } from '../sandbox/tools.ts';
import type { Context } from './context.ts';
import type { Needs } from './inputs.ts';
import type { Stages } from './stages.ts';

/**
 * The folder of what `make install` left, compiled in the builder root from copies of the source trees. The copies are
 * gone afterwards; the logs stay.
 */
export const compile = (
  context: Context,
  stages: Stages,
  need: Needs,
  kit: Tools,
  builder: string,
  trees: Readonly<Record<string, string>>,
): Promise<string> =>
  stages.run('compile', async (progress) => {
    const { path, cached } = await context.store.directory('compile', need.keys.compile, async (dir) => {
      await using work = await context.store.temporary();
      await Promise.all(
        Object.entries(trees).map(([name, tree]) =>
          cp(tree, join(work.path, 'src', name), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true }),
        ),
      );
      await mkdir(join(work.path, 'stage'), { recursive: true });
      const running = new Set<string>();
      await compileRun.run(
        need.steps,
        async (command, signal) => {
          running.add(command.name);
          progress.status([...running].join(', '));
          await run(kit, command, {
            root: builder,
            mounts: [
              { kind: 'tmpfs', target: '/tmp' },
              { kind: 'bind', source: work.path, target: '/build', readOnly: false },
            ],
            log: join(context.store.logs, 'compile', `${command.name}.log`),
            signal,
            onLine: progress.log,
          });
          running.delete(command.name);
        },
        { jobs: context.jobs, signal: context.signal },
      );
      for (const name of await readdir(join(work.path, 'stage'))) {
        await rename(join(work.path, 'stage', name), join(dir, name));
      }
    });
    return { value: path, cached };
  });
