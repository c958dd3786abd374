import { Command } from 'commander';
import * as output from '../libs/core/output.ts';
import { live } from '../libs/ui/live.ts';
import { plain } from '../libs/ui/plain.ts';
import { summary } from '../libs/ui/summary.ts';
import { openContext } from './support/context.ts';
import { defaultOutputs, fromUser, request } from './support/defaults.ts';
import { main } from './support/main.ts';

const program = new Command('build-image')
  .description('Builds the nginx image of the recipe, runs it, and proves HTTP/1.1, HTTP/2 and HTTP/3.')
  .option('--channel <name>', 'where nginx comes from', 'debian')
  .option(
    '--output <type:path>',
    'layout:DIR, archive:FILE or dockerfile:DIR; may be repeated',
    (text: string, earlier: string[] = []) => [...earlier, text],
  )
  .option('--json', 'print one JSON result on standard output')
  .option('--plan', 'print every command without running any');

interface Options {
  readonly channel: string;
  readonly output?: string[];
  readonly json?: true;
  readonly plan?: true;
}

await main(
  program,
  async (signal) => {
    const options = program.opts<Options>();
    const outputs = output.merge(
      defaultOutputs,
      (options.output ?? []).map((text) => fromUser(output.parse(text))),
    );
    const wanted = request(options.channel, outputs);
    if (options.plan) {
      const { planText } = await import('../libs/pipeline/plan.ts');
      process.stdout.write(
        await planText(
          wanted,
          await openContext(
            signal,
            plain(() => undefined),
          ),
        ),
      );
      return 0;
    }
    // Loaded here and not above, so that --help and wrong usage are answered at once.
    const { buildImage } = await import('../libs/pipeline/build.ts');
    const toTerminal = process.stderr.isTTY && !options.json;
    const reporter = toTerminal ? live(process.stderr) : plain((line) => process.stderr.write(`${line}\n`));
    const { result, unchanged } = await buildImage(wanted, await openContext(signal, reporter)).finally(reporter.close);
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : summary(result, unchanged));
    return result.ok ? 0 : 1;
  },
  { json: () => program.opts<Options>().json === true },
);
