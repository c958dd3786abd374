import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { plain } from '../libs/ui/plain.ts';
import * as build from '../test/bench/build.ts';
import { openContext } from './support/context.ts';
import { main } from './support/main.ts';
import { requestOf } from './support/request.ts';

const program = new Command('bench')
  .description(
    'Measures the figures of a build on this machine, in a store of its own, and compares them with the targets.',
  )
  .option('--pairs <n>', 'how many cold builds, each beside the same commands by hand', positive, 1);

function positive(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('a number from 1 to 99');
  return Number(text);
}

await main(program, async (signal) => {
  const dir = await mkdtemp(join(tmpdir(), 'h3forge-bench-'));
  try {
    process.env.XDG_CACHE_HOME = dir;
    const context = await openContext(
      signal,
      plain(() => undefined),
    );
    const request = await requestOf({}, context, () => []);
    const figures = await build.figures(request, context, dir, program.opts<{ pairs: number }>().pairs);
    for (const { name, measured, target, unit } of figures) {
      const verdict = measured <= target ? 'ok' : 'MISSED';
      const value = `${measured.toFixed(2)} ${unit}`.padStart(12);
      process.stdout.write(`${name.padEnd(36)}${value}   target <= ${target} ${unit}   ${verdict}\n`);
    }
    return figures.every(({ measured, target }) => measured <= target) ? 0 : 1;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
