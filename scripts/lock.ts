import { Command } from 'commander';
import * as lock from '../libs/core/lock.ts';
import { unservedLines } from '../libs/pipeline/changes.ts';
import { replaceFile } from '../libs/store/store.ts';
import { table } from '../libs/ui/table.ts';
import { type Refreshed, refresh, type Selection, withSelection } from './support/locking.ts';
import { main } from './support/main.ts';

const program = withSelection(new Command('lock')).description(
  "Makes the locks anew from Debian's signed indexes, and shows what changed.",
);

await main(program, async (signal) => {
  for (const one of await refresh(program.opts<Selection>(), signal)) await update(one);
  return 0;
});

/** Writes a lock where anything but the date of the indexes changed, and says what. */
async function update({ file, name, isSame, after, rows, leftOut }: Refreshed): Promise<void> {
  if (!isSame) await replaceFile(file, lock.format(after));
  process.stdout.write(`${name}: ${isSame ? 'nothing changed' : 'written'}\n`);
  const cells = rows.map((row) => [row.package, row.from ?? '-', row.to ?? '-', row.where.join(', '), row.why]);
  if (rows.length > 0) process.stdout.write(`${table(['package', 'from', 'to', 'in', 'why'], cells)}\n`);
  const notes = [...unservedLines(after), ...[...leftOut].map(([root, reason]) => `no root ${root}: ${reason}`)];
  for (const line of notes) process.stdout.write(`${name}: ${line}\n`);
}
