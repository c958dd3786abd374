import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What one run of a command took. */
export interface Run {
  readonly seconds: number;
  /** Bytes: the peak of resident memory of that process alone. */
  readonly peak: number;
  readonly stdout: string;
}

const scripts = join(import.meta.dirname, '../../scripts');

/** Runs one of the project's commands in a process of its own. Throws where it fails. */
export async function command(name: string, args: readonly string[], env: Record<string, string>): Promise<Run> {
  const start = performance.now();
  const child = spawn(process.execPath, ['--use-env-proxy', join(scripts, `${name}.ts`), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let peak = 0;
  let running = true;
  const watching = (async () => {
    while (running) {
      // VmHWM is the kernel's own peak, so that a coarse interval loses only what comes at the very end.
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
      await sleep(20);
    }
  })();
  const status = await ended;
  const seconds = (performance.now() - start) / 1000;
  running = false;
  await watching;
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} ended with status ${status}\n${stderr}${stdout}`);
  return { seconds, peak, stdout };
}

/** The middle of several measurements. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
