import { Command } from 'commander';
import { unserved, unservedLines } from '../libs/pipeline/changes.ts';
import { table } from '../libs/ui/table.ts';
import { type Refreshed, refresh, type Selection, withSelection } from './support/locking.ts';
import { main } from './support/main.ts';

interface Options extends Selection {
  readonly json?: true;
}

const program = withSelection(new Command('outdated'))
  .description('Says what the signed indexes offer that the locks do not have. Nothing is written.')
  .option('--json', 'print one JSON object')
  .addHelpText('after', '\nExit status: 0 when all locks are as they would be made now, 1 when one is not.');

await main(
  program,
  async (signal) => {
    const all = await refresh(program.opts<Options>(), signal);
    const isOutdated = all.some(isOld);
    process.stdout.write(
      program.opts<Options>().json === true
        ? `${JSON.stringify({ schema: 1, outdated: isOutdated, locks: all.map(forProgram) })}\n`
        : `${all.flatMap(forPerson).join('\n')}\n${isOutdated ? '\nTake all of it: npm run lock; only some: npm run lock -- --channel NAME\n' : ''}`,
    );
    return isOutdated ? 1 : 0;
  },
  { json: () => program.opts<Options>().json === true },
);

/** A lock that only its form makes different, or the date of its indexes, is as good as the new one. */
function isOld({ rows, stale }: Refreshed): boolean {
  return rows.length > 0 || stale.length > 0;
}

function forProgram(lock: Refreshed): object {
  const { name, rows, stale, after, leftOut } = lock;
  const packages = rows.map(({ from, to, where, suites, ...row }) => ({
    ...row,
    locked: from ?? null,
    offered: to ?? null,
    suites,
    in: where,
  }));
  return {
    lock: name,
    outdated: isOld(lock),
    packages,
    stale,
    unserved: unserved(after),
    leftOut: Object.fromEntries(leftOut),
  };
}

function forPerson({ name, rows, stale, after, leftOut }: Refreshed): string[] {
  const fixes = rows.filter(({ security }) => security).length;
  const cells = rows.map((row) => [
    row.package,
    row.from ?? '-',
    row.to ?? '-',
    row.security ? 'yes' : 'no',
    row.where.join(', '),
    row.why,
  ]);
  return [
    `${name}: ${rows.length === 0 ? 'as the indexes have it' : `different: ${rows.length}, security fixes: ${fixes}`}`,
    ...(rows.length === 0 ? [] : [table(['package', 'locked', 'offered', 'security', 'in', 'why'], cells)]),
    ...(stale.length === 0 ? [] : [`  the lock was made for another definition of: ${stale.join(', ')}`]),
    ...unservedLines(after).map((line) => `  ${line}`),
    ...[...leftOut].map(([root, reason]) => `  no root ${root}: ${reason}`),
  ];
}
