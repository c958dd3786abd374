import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import semver from 'semver';
import { ForgeError } from '../../libs/core/errors.ts';
import * as failure from '../../libs/ui/failure.ts';

/** The folder of this project. */
export const repository = join(import.meta.dirname, '../..');

const EXIT = { failed: 1, usage: 2, interrupted: 130 };

/**
 * Runs a command of the command line: checks Node's version, gives it a signal that the first Ctrl-C aborts, and turns
 * what it throws into a message and an exit status: 1 failed, 2 wrong usage, 130 interrupted.
 */
export async function main(
  program: Command,
  run: (signal: AbortSignal) => Promise<number>,
  options: { readonly json?: () => boolean } = {},
): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new ForgeError('INTERRUPTED', 'interrupted; nothing half-written was left'));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  // A reader that goes away (`| head`) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT.failed));
  try {
    checkNode();
    process.umask(0o022);
    program.exitOverride().showHelpAfterError();
    program.parse();
    process.exitCode = await run(controller.signal);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
      return;
    }
    const reason = controller.signal.aborted ? controller.signal.reason : error;
    if (options.json?.() === true)
      process.stdout.write(`${JSON.stringify({ schema: 1, ok: false, error: failure.json(reason) })}\n`);
    process.stderr.write(`${failure.text(reason)}\n`);
    process.exitCode = controller.signal.aborted ? EXIT.interrupted : isUsage(reason) ? EXIT.usage : EXIT.failed;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, interrupt);
  }
}

const USAGE = [
  'CHANNEL_UNKNOWN',
  'LUA_INVALID',
  'LUA_UNKNOWN',
  'MODULE_INVALID',
  'MODULE_LINK',
  'MODULE_UNKNOWN',
  'OPENSSL_UNKNOWN',
  'OUTPUT_INVALID',
  'REQUIRE_INVALID',
  'SOURCE_INVALID',
];

/** What is wrong with the words that were typed, and not with anything else. */
const isUsage = (error: unknown): boolean => error instanceof ForgeError && USAGE.includes(error.code);

function checkNode(): void {
  const { engines } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  if (semver.satisfies(process.versions.node, engines.node)) return;
  throw new ForgeError('NODE_TOO_OLD', 'this Node cannot run h3forge', {
    expected: engines.node,
    found: process.versions.node,
    hint: 'start it by npm run, which uses the Node that npm ci installed',
  });
}
