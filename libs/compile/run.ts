import type { Command } from '../core/command.ts';
import type { Step } from './plan.ts';

/** Runs one command; the caller knows in which root. */
export type Run = (command: Command, signal: AbortSignal) => Promise<void>;

/**
 * Runs a plan, `jobs` compilers at once: each step as soon as those it needs are done, so that what is independent runs side by side. The first
 * failure stops the others and is thrown.
 */
export async function run(
  steps: readonly Step[],
  execute: Run,
  options: { readonly jobs: number; readonly signal: AbortSignal },
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([options.signal, stop.signal]);
  const jobs = `-j${options.jobs}`;
  const done = new Map<string, Promise<void>>();
  for (const step of steps) {
    const before = step.needs.map((name) => {
      const earlier = done.get(name);
      if (earlier === undefined) throw new Error(`${step.name} needs ${name}, which does not come before it`);
      return earlier;
    });
    const finished = Promise.all(before).then(async () => {
      either.throwIfAborted();
      await execute({ ...step, env: { ...step.env, MAKEFLAGS: jobs } }, either);
    });
    finished.catch((error: unknown) => stop.abort(error));
    done.set(step.name, finished);
  }
  const results = await Promise.allSettled(done.values());
  if (stop.signal.aborted) throw stop.signal.reason;
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
