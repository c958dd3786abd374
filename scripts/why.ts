import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as collected from '../libs/collect/why.ts';
import type { Closure } from '../libs/core/closure.ts';
import { ForgeError } from '../libs/core/errors.ts';
import { takeImage } from '../libs/pipeline/assemble.ts';
import * as inputs from '../libs/pipeline/inputs.ts';
import { plain } from '../libs/ui/plain.ts';
import { openContext } from './support/context.ts';
import { main } from './support/main.ts';
import { type RecipeOptions, withRecipeOptions } from './support/options.ts';
import { requestOf } from './support/request.ts';

const program = withRecipeOptions(new Command('why'))
  .description('Says why a file is in the image: the chain from what the recipe names to it.')
  .argument('<file>', 'a path (/usr/lib/...), a file name, or a soname');

await main(program, async (signal) => {
  const context = await openContext(
    signal,
    plain(() => undefined),
  );
  const wanted = await requestOf(program.opts<RecipeOptions>(), context, () => []);
  const image = await takeImage(context, await inputs.of(wanted, context));
  if (image === undefined) {
    throw new ForgeError('NOT_BUILT', 'this recipe has not been built, or has changed since', {
      hint: 'npm run build-image',
    });
  }
  const closure = JSON.parse(await readFile(image.closure, 'utf8')) as Closure;
  process.stdout.write(`${collected.format(collected.why(closure, program.args[0] ?? '')).join('\n')}\n`);
  return 0;
});
