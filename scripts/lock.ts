import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { ForgeError, hasCode } from '../libs/core/errors.ts';
import * as lock from '../libs/core/lock.ts';
import * as apt from '../libs/debian/apt.ts';
import * as locker from '../libs/debian/locker.ts';
import * as mirror from '../libs/debian/mirror.ts';
import { type LockRequest, makeLocks } from '../libs/pipeline/lock.ts';
import * as locks from '../libs/pipeline/locks.ts';
import { replaceFile } from '../libs/store/store.ts';
import { plain } from '../libs/ui/plain.ts';
import { table } from '../libs/ui/table.ts';
import { channels } from '../nginx-quic/channels/index.ts';
import { debian } from '../nginx-quic/keys/index.ts';
import { tools } from '../nginx-quic/tools.ts';
import { roots as testRoots } from '../test/support/definitions.ts';
import { openContext } from './support/context.ts';
import { main, repository } from './support/main.ts';

const program = new Command('lock')
  .description("Makes the locks anew from Debian's signed indexes, and shows what changed.")
  .option('--ignore-valid-until', "accept an index past its Valid-Until, as apt's Acquire::Check-Valid-Until does");

const onlyRoots = { sources: {}, sourceSuites: [] };
const requests: readonly (LockRequest & { readonly file: string })[] = [
  ...channels.map(({ name, builder, sources, sourceSuites }) => ({
    file: locks.path(repository, name),
    roots: { builder },
    sources,
    sourceSuites,
  })),
  { file: locks.path(repository, locks.TOOLS), roots: tools, ...onlyRoots },
  { file: join(repository, 'test/support/locks/test.json'), roots: testRoots, ...onlyRoots },
];

await main(program, async (signal) => {
  const context = await openContext(
    signal,
    plain(() => undefined),
  );
  const { sources, checkValidUntil } = await apt.read('/etc/apt');
  const unchecked = sources.filter((source) => source.checkValidUntil === false);
  const relaxed = ['debian', 'debian-security'].some(
    (archive) => mirror.bases(archive, { apt: unchecked, setting: undefined }).length > 0,
  );
  const keys = await Promise.all(debian.map(({ file }) => readFile(join(repository, 'nginx-quic/keys', file), 'utf8')));
  const made = await makeLocks(requests, {
    ...context,
    trust: {
      keys,
      fingerprints: debian.map(({ fingerprint }) => fingerprint),
      now: new Date(),
      checkValidUntil:
        checkValidUntil && !relaxed && program.opts<{ ignoreValidUntil?: true }>().ignoreValidUntil !== true,
    },
    say: (line) => process.stderr.write(`${line}\n`),
  });
  for (const [index, { file }] of requests.entries()) {
    const after = made[index];
    if (after !== undefined) await update(file, after);
  }
  return 0;
});

/** The lock as it was; one that cannot be read counts as none, because this command is what mends it. */
function readable(text: string, file: string): lock.Lock | undefined {
  try {
    return lock.parse(text, file);
  } catch (error) {
    if (error instanceof ForgeError && error.code === 'LOCK_INVALID') return undefined;
    throw error;
  }
}

/** Writes a lock where anything but the date of the indexes changed, and says what. */
async function update(file: string, after: lock.Lock): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  const before = text === undefined ? undefined : readable(text, file);
  const name = relative(process.cwd(), file);
  if (before !== undefined && lock.format({ ...after, archives: before.archives }) === text) {
    process.stdout.write(`${name}: nothing changed\n`);
  } else {
    await replaceFile(file, lock.format(after));
    const rows = locker
      .diff(before, after)
      .map(({ where, package: what, from, to }) => [where, what, from ?? '-', to ?? '-']);
    process.stdout.write(`${name}: written\n`);
    if (rows.length > 0) process.stdout.write(`${table(['in', 'package', 'from', 'to'], rows)}\n`);
  }
  for (const { package: what, version, heldBack } of Object.values(after.sources)) {
    if (heldBack === undefined) continue;
    process.stdout.write(
      `${name}: held back: ${what} ${heldBack} is in the signed index, but no mirror serves its source\n`,
    );
    process.stdout.write(`  locked instead: ${version}\n`);
  }
}
