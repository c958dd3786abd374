import { execa } from 'execa';
import type { Command, Mount } from '../core/command.ts';
import * as bubblewrap from './bubblewrap.ts';
import type { Network } from './network.ts';
import { hasStarted, noProgram, refused } from './process.ts';
import * as tools from './tools.ts';

export interface CaptureOptions {
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** The network to run in; absent for one of its own that reaches nothing. */
  readonly network?: Network;
  readonly signal: AbortSignal;
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
}

/** What a short command gave. */
export interface Captured {
  /** Undefined where it was ended: by a signal, the time limit, or because it printed too much. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** At most this much output is kept; a command that prints more is ended. */
const MAX_OUTPUT = 4 * 1024 * 1024;

/**
 * Runs a short command as `run` does, and gives what it printed. A non-zero exit status is a result, not an error.
 * Throws `SANDBOX_FORBIDDEN` or `SANDBOX_FAILED` where it could not be started.
 */
export async function capture(kit: tools.Tools, command: Command, options: CaptureOptions): Promise<Captured> {
  const joined = options.network !== undefined;
  const [file = '', ...args] = [
    ...(options.network?.join ?? []),
    ...tools.program(kit, tools.paths.bubblewrap),
    ...bubblewrap.args({
      root: options.root,
      mounts: options.mounts,
      env: command.env,
      cwd: command.cwd,
      hostname: 'client',
      ownNetwork: !joined,
      ...(kit.root || joined ? {} : { user: { uid: 0, gid: 0 } }),
      capabilities: [],
      asPid1: false,
    }),
    ...command.argv,
  ];
  const result = await execa(file, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: {},
    extendEnv: false,
    reject: false,
    cancelSignal: options.signal,
    killSignal: 'SIGKILL',
    timeout: options.timeout,
    maxBuffer: MAX_OUTPUT,
    stripFinalNewline: false,
  });
  options.signal.throwIfAborted();
  const { stderr } = result;
  // One that printed too much may also end by itself, of the pipe that is closed: that is chance, and no status of its own.
  const exitCode = result.isMaxBuffer ? undefined : result.exitCode;
  const ended = exitCode !== undefined && exitCode !== 0;
  if (ended && !hasStarted(String(result.stdio[bubblewrap.STATUS_FD])) && !noProgram(stderr)) throw refused(stderr);
  return { exitCode, stdout: result.stdout, stderr };
}
