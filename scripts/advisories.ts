import { Command, Option } from 'commander';
import * as report from '../libs/advisories/report.ts';
import { type Severity, severities } from '../libs/advisories/severity.ts';
import { expectedFacts } from '../libs/pipeline/expectation.ts';
import * as inputs from '../libs/pipeline/inputs.ts';
import * as safety from '../libs/pipeline/safety.ts';
import { plain } from '../libs/ui/plain.ts';
import { table } from '../libs/ui/table.ts';
import { openContext } from './support/context.ts';
import { main } from './support/main.ts';
import { type RecipeOptions, withRecipeOptions } from './support/options.ts';
import { requestOf } from './support/request.ts';

interface Options extends RecipeOptions {
  readonly all?: true;
  readonly failOn?: Severity;
  readonly json?: true;
}

const program = withRecipeOptions(new Command('advisories'))
  .description('Says which security advisories touch what is, or would be, built.')
  .option('--all', 'also those that do not touch it, with the reason')
  .addOption(new Option('--fail-on <level>', 'exit status 1 when one that severe touches it').choices([...severities]))
  .option('--json', 'print one JSON object');

await main(
  program,
  async (signal) => {
    const options = program.opts<Options>();
    const context = await openContext(
      signal,
      plain(() => undefined),
    );
    const request = await requestOf(options, context, () => []);
    const need = await inputs.of(request, context);
    const { facts, isBuilt } = await expectedFacts(request, context, need);
    const all = await safety.findings(request, context, need, facts);
    const touching = report.touching(all);
    const fails = options.failOn !== undefined && report.exceeds(all, options.failOn);
    if (options.json === true) {
      process.stdout.write(
        `${JSON.stringify({ schema: 1, built: isBuilt, nginx: need.versions.nginx, findings: all })}\n`,
      );
      return fails ? 1 : 0;
    }
    const shown = options.all === true ? [...touching, ...all.filter(({ state }) => state !== 'affected')] : touching;
    const rows = shown.map((one) => [one.id, one.severity, one.state, one.title, one.why]);
    const lines = [
      `nginx ${need.versions.nginx}, channel ${request.recipe.channel.name}, QUIC ${facts.quic}${isBuilt ? '' : ' (expected: it has not been built)'}`,
      '',
      ...(rows.length === 0
        ? ['  no advisory that is known touches it']
        : [table(['id', 'severity', 'state', 'what', 'why'], rows)]),
      '',
      ...touching.map(
        ({ id, link, configuration }) =>
          `  ${id}  ${link}${configuration === undefined ? '' : `  (only with: ${configuration})`}`,
      ),
      ...(touching.length === 0 ? [] : ['']),
      `${touching.length} of ${all.length} advisories touch it.${options.all === true ? '' : ' The others, with reasons: npm run advisories -- --all'}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return fails ? 1 : 0;
  },
  { json: () => program.opts<Options>().json === true },
);
