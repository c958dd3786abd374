import { Command, Option } from 'commander';
import { type Severity, severities } from '../libs/advisories/severity.ts';
import * as output from '../libs/core/output.ts';
import { live } from '../libs/ui/live.ts';
import { plain } from '../libs/ui/plain.ts';
import { summary } from '../libs/ui/summary.ts';
import { main } from './support/main.ts';
import { outputFromUser, type RecipeOptions, withRecipeOptions } from './support/options.ts';

const program = withRecipeOptions(new Command('build-image'))
  .description('Builds the nginx image of the recipe, runs it, and proves HTTP/1.1, HTTP/2 and HTTP/3.')
  .option(
    '--output <type:path>',
    'layout:DIR, archive:FILE or dockerfile:DIR; may be repeated',
    (text: string, earlier: string[] = []) => [...earlier, text],
  )
  .addOption(new Option('--fail-on <level>', 'fail when an advisory that severe touches it').choices([...severities]))
  .option('--json', 'print one JSON result on standard output')
  .option('--plan', 'print every command without running any');

interface Options extends RecipeOptions {
  readonly failOn?: Severity;
  readonly output?: string[];
  readonly json?: true;
  readonly plan?: true;
}

await main(
  program,
  async (signal) => {
    const options = program.opts<Options>();
    const asked = (options.output ?? []).map((text) => outputFromUser(output.parse(text)));
    const toTerminal = process.stderr.isTTY && !options.json && !options.plan;
    const reporter = toTerminal ? live(process.stderr) : plain((line) => process.stderr.write(`${line}\n`));
    // Loaded here and not above, so that --help and wrong usage are answered at once.
    const { defaultOutputs, requestOf } = await import('./support/request.ts');
    const { openContext } = await import('./support/context.ts');
    const context = await openContext(signal, reporter);
    const wanted = await requestOf(options, context, (recipe) => output.merge(defaultOutputs(recipe, options), asked));
    const request = { ...wanted, ...(options.failOn === undefined ? {} : { failOn: options.failOn }) };
    if (options.plan) {
      const { planText } = await import('../libs/pipeline/plan.ts');
      process.stdout.write(await planText(request, context));
      return 0;
    }
    const { buildImage } = await import('../libs/pipeline/build.ts');
    const { result, unchanged } = await buildImage(request, context).finally(reporter.close);
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : summary(result, unchanged));
    return result.ok ? 0 : 1;
  },
  { json: () => program.opts<Options>().json === true },
);
