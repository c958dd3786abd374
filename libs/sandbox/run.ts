import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command, Mount } from '../core/command.ts';
import * as command from '../core/command.ts';
import { ForgeError } from '../core/errors.ts';
import * as bubblewrap from './bubblewrap.ts';
import { splitter } from './lines.ts';
import { noProgram, refused, spawn } from './process.ts';
import * as tools from './tools.ts';

export interface RunOptions {
  /** The folder that the command sees as `/`, read-only. */
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** Where everything that the command prints is kept. */
  readonly log: string;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/** How many of a failed command's last lines are shown. */
const TAIL = 20;
const HOSTNAME = 'builder';

/**
 * Runs a command in a root file system, in new mount, pid, network, ipc and host name namespaces (and a user namespace
 * where this process is not root): no network, no capability, a fixed host name, only the environment it names.
 * Throws `COMMAND_FAILED` with its last lines and the path of the whole log; `SANDBOX_FORBIDDEN` where namespaces are not
 * allowed, `SANDBOX_FAILED` where the sandbox could not be made for another reason (a mount that is not there).
 */
export async function run(kit: tools.Tools, task: Command, options: RunOptions): Promise<void> {
  await mkdir(dirname(options.log), { recursive: true });
  const child = spawn(
    [
      ...tools.program(kit, tools.paths.bubblewrap),
      ...bubblewrap.args({
        root: options.root,
        mounts: options.mounts,
        env: task.env,
        cwd: task.cwd,
        hostname: HOSTNAME,
        ownNetwork: true,
        ...(kit.root ? {} : { user: { uid: 0, gid: 0 } }),
        capabilities: [],
        asPid1: false,
      }),
      ...task.argv,
    ],
    { signal: options.signal },
  );
  const last: string[] = [];
  const note = (line: string): void => {
    last.push(line);
    if (last.length > TAIL) last.shift();
    options.onLine?.(line);
  };
  try {
    await pipeline(async function* () {
      const lines = splitter();
      yield `$ ${command.toShell(task)}\n`;
      for await (const chunk of child.output()) {
        for (const line of lines.take(chunk)) note(line);
        yield chunk;
      }
      for (const line of lines.rest()) note(line);
    }, createWriteStream(options.log));
  } catch (error) {
    // The log cannot be written: nobody would learn what goes wrong after this.
    child.kill();
    await child.exited;
    options.signal.throwIfAborted();
    throw error;
  }
  const { exitCode, signal } = await child.exited;
  options.signal.throwIfAborted();
  await child.pid;
  if (exitCode === 0) return;
  const complaint = last.join('\n');
  if (exitCode !== undefined && !(await child.started) && !noProgram(complaint)) throw refused(complaint);
  throw new ForgeError(
    'COMMAND_FAILED',
    `${task.name} failed with ${exitCode === undefined ? signal : `exit status ${exitCode}`}: ${task.argv.join(' ')}`,
    { found: `its last lines:\n${last.map((line) => `    ${line}`).join('\n')}`, hint: `less ${options.log}` },
  );
}
