import { Command } from 'commander';
import * as locks from '../libs/pipeline/locks.ts';
import * as survey from '../libs/pipeline/survey.ts';
import { table } from '../libs/ui/table.ts';
import { channels } from '../nginx-quic/channels/index.ts';
import { lua } from '../nginx-quic/lua.ts';
import { modules } from '../nginx-quic/modules/index.ts';
import recipe from '../nginx-quic/recipe.ts';
import { main, repository } from './support/main.ts';

const program = new Command('modules')
  .description('Lists the modules and Lua libraries that can be chosen, with their versions and state per channel.')
  .option('--json', 'print one JSON object');

/** What stands in a table for nothing. */
const NONE = '-';

/** The version, how it is come by, and whether anybody proved it. */
const cell = (one: survey.Availability | undefined): string =>
  one === undefined
    ? NONE
    : [
        one.origin === 'nginx' ? 'part of nginx' : one.version,
        one.origin === 'package' ? '(Debian)' : '',
        one.state === 'untested' ? '(untested)' : '',
      ]
        .filter((word) => word !== '')
        .join(' ');

await main(
  program,
  async () => {
    const locked = await Promise.all(
      channels.map(async (channel) => ({ channel, lock: await locks.read(locks.path(repository, channel.name)) })),
    );
    const catalogue = { modules, lua };
    const found = survey.ofModules(recipe, catalogue, locked);
    const libraries = survey.ofLua(catalogue, locked);
    if (program.opts<{ json?: true }>().json === true) {
      process.stdout.write(`${JSON.stringify({ schema: 1, modules: found, lua: libraries })}\n`);
      return 0;
    }
    const names = channels.map(({ name }) => name);
    const link = ({ channels: all }: survey.Survey): string => all[0]?.link ?? NONE;
    const rows = found.map((one) => [
      one.name,
      link(one),
      ...names.map((name) => cell(one.channels.find(({ channel }) => channel === name))),
      one.summary,
    ]);
    const luaRows = libraries.map((one) => [
      one.name,
      ...names.map((name) => one.channels.find(({ channel }) => channel === name)?.version ?? NONE),
      one.summary,
    ]);
    const lines = [
      table(['module', 'link', ...names, 'what for'], rows),
      '',
      table(['Lua library', ...names, 'what for'], luaRows),
      '',
      'Choose with --module NAME[=dynamic|static] and --lua NAME. Where the link is dynamic, another module compiles',
      'only itself. (Debian): Debian\u2019s own object of that version. (untested): its source could not be had when the lock',
      'was made, so nobody has built it from this lock.',
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  },
  { json: () => program.opts<{ json?: true }>().json === true },
);
