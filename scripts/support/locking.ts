import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { ForgeError, hasCode } from '../../libs/core/errors.ts';
import * as lock from '../../libs/core/lock.ts';
import * as apt from '../../libs/debian/apt.ts';
import * as mirror from '../../libs/debian/mirror.ts';
import * as changes from '../../libs/pipeline/changes.ts';
import { type Made, makeLocks } from '../../libs/pipeline/lock.ts';
import * as locks from '../../libs/pipeline/locks.ts';
import * as parts from '../../libs/pipeline/parts.ts';
import { channelOf } from '../../libs/recipe/apply.ts';
import { plain } from '../../libs/ui/plain.ts';
import { channels } from '../../nginx-quic/channels/index.ts';
import { debian } from '../../nginx-quic/keys/index.ts';
import { lua } from '../../nginx-quic/lua.ts';
import { modules } from '../../nginx-quic/modules/index.ts';
import { tools } from '../../nginx-quic/tools.ts';
import { roots as testRoots } from '../../test/support/definitions.ts';
import { openContext } from './context.ts';
import { repository } from './main.ts';
import { fromUser } from './options.ts';
import { recipeOf } from './request.ts';

/** What is locked: all that this project has, or what was named. */
export interface Selection {
  readonly channel?: readonly string[];
  readonly recipe?: string;
  readonly ignoreValidUntil?: true;
}

const repeated = (text: string, earlier: string[] = []): string[] => [...earlier, text];

/** Adds the options of a selection to a command. */
export const withSelection = (program: Command): Command =>
  program
    .option('--channel <name>', 'only the lock of that channel; may be repeated', repeated)
    .option('--recipe <dir>', 'only the lock of a recipe of your own: DIR/h3forge.lock.json')
    .option('--ignore-valid-until', "accept an index past its Valid-Until, as apt's Acquire::Check-Valid-Until does");

/** A lock file, as it is and as the signed indexes would have it. */
export interface Refreshed {
  readonly file: string;
  /** For messages. */
  readonly name: string;
  /** True where nothing but the date of the indexes is different. */
  readonly isSame: boolean;
  readonly after: lock.Lock;
  readonly rows: readonly changes.ChangeRow[];
  /** Roots of choices that the suites have not, and why. */
  readonly leftOut: Made['leftOut'];
  /** The roots and sources (`source-NAME`) that the lock was made for otherwise. */
  readonly stale: readonly string[];
}

const catalogue = { modules, lua };

/** The lock files of a selection, each made anew; nothing is written. Throws what checking an index or resolving throws. */
export async function refresh(selection: Selection, signal: AbortSignal): Promise<Refreshed[]> {
  const context = await openContext(
    signal,
    plain(() => undefined),
  );
  const wanted = await requests(selection);
  const made = await makeLocks(
    wanted.map((one) => one.parts),
    { ...context, trust: await trust(selection), say: (line) => process.stderr.write(`${line}\n`) },
  );
  return await Promise.all(wanted.map(async ({ file }, index) => await compare(file, made[index] as Made)));
}

async function requests({ channel: named, recipe }: Selection): Promise<{ file: string; parts: parts.Parts }[]> {
  if (recipe !== undefined) {
    // As in a build, of which the last one counts.
    const channel = named?.at(-1);
    const { recipe: own } = await recipeOf(
      { recipe, ...(channel === undefined ? {} : { channel }) },
      { isLocking: true },
    );
    const file = join(fromUser(recipe), 'h3forge.lock.json');
    return [{ file, parts: parts.of(own.channel, catalogue, own.packages) }];
  }
  const some = named?.map((name) => channelOf(name, channels));
  const ofChannels = (some ?? channels).map((one) => ({
    file: locks.path(repository, one.name),
    parts: parts.of(one, catalogue),
  }));
  if (some !== undefined) return ofChannels;
  return [
    ...ofChannels,
    { file: locks.path(repository, locks.TOOLS), parts: parts.ofRoots(tools) },
    { file: join(repository, 'test/support/locks/test.json'), parts: parts.ofRoots(testRoots) },
  ];
}

async function trust({ ignoreValidUntil }: Selection): Promise<Parameters<typeof makeLocks>[1]['trust']> {
  const { sources, checkValidUntil } = await apt.read('/etc/apt');
  const unchecked = sources.filter((source) => source.checkValidUntil === false);
  const relaxed = ['debian', 'debian-security'].some(
    (archive) => mirror.bases(archive, { apt: unchecked, setting: undefined }).length > 0,
  );
  return {
    keys: await Promise.all(debian.map(({ file }) => readFile(join(repository, 'nginx-quic/keys', file), 'utf8'))),
    fingerprints: debian.map(({ fingerprint }) => fingerprint),
    now: new Date(),
    checkValidUntil: checkValidUntil && !relaxed && ignoreValidUntil !== true,
  };
}

async function compare(file: string, made: Made): Promise<Refreshed> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  const before = text === undefined ? undefined : readable(text, file);
  const after = made.lock;
  const isSame = before !== undefined && lock.format({ ...after, archives: before.archives }) === text;
  return {
    file,
    name: relative(process.cwd(), file),
    isSame,
    after,
    rows: changes.rows(before, made),
    leftOut: made.leftOut,
    stale: before === undefined ? [] : changes.stale(before, after),
  };
}

/** The lock as it was; one that cannot be read counts as none, because this is what mends it. */
function readable(text: string, file: string): lock.Lock | undefined {
  try {
    return lock.parse(text, file);
  } catch (error) {
    if (error instanceof ForgeError && error.code === 'LOCK_INVALID') return undefined;
    throw error;
  }
}
