import { type SpawnOptions, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { BuildResult } from '../../../libs/pipeline/result.ts';
import type { Project } from './project.ts';

export interface RunOptions {
  /** Where the command is typed; absent for the project's folder. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the command: `unshare -n`. */
  readonly below?: readonly string[];
}

/** What a command that ended left on the terminal. */
export interface Finished {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from its start to its end. */
  readonly ms: number;
}

/** A command that runs. */
export interface Running {
  /** Resolves when this was printed on standard error; fails when the command ends before. */
  printed(what: string): Promise<void>;
  /** Resolves when `condition` holds, asked again and again; fails when the command ends before. */
  when(condition: () => boolean): Promise<void>;
  /** To the process alone, or as a terminal does it for Ctrl-C: to it and all that it started. */
  kill(signal: NodeJS.Signals, whom: 'process' | 'group'): void;
  readonly finished: Promise<Finished>;
}

/** Starts `scripts/NAME.ts` as its npm script does. It is killed when the test ends before it does. */
export function start(project: Project, script: string, args: readonly string[], options: RunOptions = {}): Running {
  const words = [
    ...(options.below ?? []),
    ...[process.execPath, '--use-env-proxy', project.path(`scripts/${script}.ts`)],
    ...args,
  ];
  return spawned(words, {
    cwd: options.cwd ?? project.dir,
    env: { ...inherited(), ...direct(), ...options.env },
  });
}

/** Runs `scripts/NAME.ts` to its end. */
export const run = (
  project: Project,
  script: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> => start(project, script, args, options).finished;

/** Runs `build-image --json`, and gives its result: the one thing on standard output, of a run that ended well. */
export async function build(
  project: Project,
  options: RunOptions = {},
  args: readonly string[] = [],
): Promise<BuildResult & { readonly stderr: string }> {
  const { exitCode, stdout, stderr } = await run(project, 'build-image', ['--json', ...args], options);
  expect(exitCode, stderr).toBe(0);
  return { ...(JSON.parse(stdout) as BuildResult), stderr };
}

/** Runs any program to its end. */
export const program = (words: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  spawned(words, { cwd: options.cwd, env: { ...inherited(), ...direct(), ...options.env } }).finished;

/** The environment without what npm adds for the script that runs the tests: a user who types a command has none of it. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(INIT_CWD|npm_)/.test(name)));

/** The mirrors of these tests are on this machine: a proxy cannot reach them. */
function direct(): Record<string, string> {
  const hosts = [process.env.no_proxy, process.env.NO_PROXY, '127.0.0.1'].filter(Boolean).join(',');
  return { no_proxy: hosts, NO_PROXY: hosts };
}

function spawned(words: readonly string[], options: SpawnOptions): Running {
  const [file = '', ...args] = words;
  const begin = performance.now();
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const kill = (signal: NodeJS.Signals, whom: 'process' | 'group'): void => {
    if (child.pid !== undefined) process.kill(whom === 'group' ? -child.pid : child.pid, signal);
  };
  // The warm store is also made before the first test of a file, when there is no test to finish.
  if (expect.getState().currentTestName !== undefined) {
    onTestFinished(() => {
      if (child.exitCode === null && child.signalCode === null) kill('SIGKILL', 'process');
    });
  }
  let shown = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const stdout = child.stdout === null ? '' : text(child.stdout);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', async (exitCode, signal) => {
      resolve({ exitCode, signal, stdout: await stdout, stderr: shown, ms: performance.now() - begin });
    });
  });
  const when = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      if (child.exitCode !== null || child.signalCode !== null) {
        expect.fail(`${words.join(' ')} ended with ${child.exitCode ?? child.signalCode} before that:\n${shown}`);
      }
      await sleep(2);
    }
  };
  return { finished, kill, when, printed: (what) => when(() => shown.includes(what)) };
}
