import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../../libs/core/errors.ts';

/** A word that no other process of this machine has among its arguments, and that `sleep` takes for a day. */
export const marker = (): string => `86400.${process.pid}${Math.trunc(performance.now() * 1000)}`;

/** The processes of this machine, in whatever namespace, that have that word among their arguments. */
export const having = (word: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => argumentsOf(pid).includes(word))
    .map(Number);

/** Empty for a process that is gone, or that has ended and waits for its parent to notice. */
function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  }
}

/** Asks again until the answer is not undefined, and gives it. Throws after `ms` milliseconds, saying what was awaited. */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  ms = 10_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`not after ${ms} ms: ${what}`);
    await sleep(10);
  }
}

/** Resolves when as many processes (or more) have the word. */
export const running = (word: string, count = 1): Promise<true> =>
  eventually(`${count} processes with ${word}`, () => having(word).length >= count || undefined);

/** Resolves when no process has the word. */
export const gone = (word: string): Promise<true> =>
  eventually(`no process with ${word}`, () => having(word).length === 0 || undefined);

/** The mounts that this process sees, a line each. */
export const mounts = (): string[] => readFileSync('/proc/self/mountinfo', 'utf8').split('\n');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end (at most a minute), and gives what it printed. */
export async function finish(argv: readonly string[], options: { cwd?: string } = {}): Promise<Ended> {
  const [command = '', ...rest] = argv;
  const child = spawn(command, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
