import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../../libs/core/command.ts';
import * as shell from '../../libs/core/command.ts';
import type { Context, Request } from '../../libs/pipeline/context.ts';
import * as inputs from '../../libs/pipeline/inputs.ts';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import { run } from '../../libs/sandbox/run.ts';
import * as measure from './measure.ts';

/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly measured: number;
  readonly target: number;
  readonly unit: string;
}

/**
 * The figures of a build, measured in a store of its own below `dir`: a first run fills it with downloads and is not
 * counted; then a cold build (nothing but downloads), the same commands by hand in the same root, and unchanged runs.
 */
export async function figures(request: Request, context: Context, dir: string, pairs: number): Promise<Figure[]> {
  const env = { XDG_CACHE_HOME: dir };
  const output = ['--output', `layout:${join(dir, 'out')}`, '--output', `dockerfile:${join(dir, 'docker')}`, '--json'];
  const store = join(dir, 'h3forge');
  await measure.command('build-image', output, env);

  const colds: { cold: measure.Run; result: BuildResult; byHand: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    await Promise.all(
      ['root', 'source', 'compile', 'layer', 'image', 'records'].map((kind) =>
        rm(join(store, kind), { recursive: true }),
      ),
    );
    const cold = await measure.command('build-image', output, env);
    const result = JSON.parse(cold.stdout) as BuildResult;
    colds.push({ cold, result, byHand: await compileByHand(request, context, dir) });
  }
  const warm: measure.Run[] = [];
  const help: measure.Run[] = [];
  for (let count = 0; count < 5; count++) {
    warm.push(await measure.command('build-image', output, env));
    help.push(await measure.command('build-image', ['--help'], env));
  }
  const compile = ({ stages }: BuildResult): number => (stages.find(({ name }) => name === 'compile')?.ms ?? 0) / 1000;
  const seconds = (runs: readonly measure.Run[]): number => measure.median(runs.map((one) => one.seconds));
  return [
    {
      name: 'compile stage / the same by hand',
      measured: measure.median(colds.map(({ result, byHand }) => compile(result) / byHand)),
      target: 1.15,
      unit: 'x',
    },
    {
      name: 'compile stage',
      measured: measure.median(colds.map(({ result }) => compile(result))),
      target: 240,
      unit: 's',
    },
    { name: 'cold build, downloads cached', measured: seconds(colds.map(({ cold }) => cold)), target: 240, unit: 's' },
    { name: 'unchanged run', measured: seconds(warm), target: 1, unit: 's' },
    { name: 'start (--help)', measured: seconds(help), target: 0.3, unit: 's' },
    { name: 'image, raw', measured: (colds[0]?.result.size.raw ?? 0) / 1e6, target: 17, unit: 'MB' },
    {
      name: 'peak memory of Node, cold build',
      measured: Math.max(...colds.map(({ cold }) => cold.peak)) / 1e6,
      target: 200,
      unit: 'MB',
    },
  ];
}

/** Seconds for the plan's commands one after another, as a person types them, in the same root and sandbox. */
async function compileByHand(request: Request, context: Context, dir: string): Promise<number> {
  const need = await inputs.of(request, context);
  const { store } = context;
  if (need.units === undefined) throw new Error('nothing is compiled on this channel');
  const { nginx } = need.units;
  const work = join(dir, 'by-hand');
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, 'stage'), { recursive: true });
  for (const { name, key } of nginx.sources) {
    await cp(store.path('source', key), join(work, 'src', name), { recursive: true, preserveTimestamps: true });
  }
  const jobs = { MAKEFLAGS: `-j${context.jobs}` };
  const words = nginx.steps.map((step) => shell.toShell({ ...step, env: { ...step.env, ...jobs } })).join(' && ');
  const script: Command = { name: 'by-hand', argv: ['sh', '-c', words], env: { PATH: '/usr/bin' }, cwd: '/build' };
  const kit = { dir: store.path('root', need.sandbox.key), platform: context.machine, root: context.root };
  const start = performance.now();
  await run(kit, script, {
    root: store.path('root', nginx.root.key),
    mounts: [
      { kind: 'tmpfs', target: '/tmp' },
      { kind: 'bind', source: work, target: '/build', readOnly: false },
    ],
    log: join(dir, 'by-hand.log'),
    signal: context.signal,
  });
  return (performance.now() - start) / 1000;
}
