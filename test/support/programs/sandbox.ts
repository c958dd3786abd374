import type { Command } from '../../../libs/core/command.ts';
import { ForgeError } from '../../../libs/core/errors.ts';
import { type RunOptions, run } from '../../../libs/sandbox/run.ts';
import type { Tools } from '../../../libs/sandbox/tools.ts';

/** What to run, as JSON in the first argument. */
export interface Input {
  readonly kit: Tools;
  readonly command: Command;
  readonly options: Pick<RunOptions, 'root' | 'mounts' | 'log'>;
}

/** What became of it, as JSON on standard output. */
export interface Outcome {
  /** The first lines that the command printed. */
  readonly lines: readonly string[];
  /** How many there were. */
  readonly count: number;
  readonly error?: { readonly code: string; readonly found?: string | undefined; readonly hint?: string | undefined };
  /** The most memory that this process ever used, in bytes. */
  readonly memory: number;
}

/** Runs a command in the sandbox. */
export async function perform(input: Input, signal = new AbortController().signal): Promise<Outcome> {
  const lines: string[] = [];
  let count = 0;
  const outcome = await run(input.kit, input.command, {
    ...input.options,
    signal,
    onLine: (line) => {
      count += 1;
      if (count <= 100) lines.push(line);
    },
  }).then(
    () => ({}),
    (error: unknown) => {
      if (!(error instanceof ForgeError)) throw error;
      return { error: { code: error.code, found: error.found, hint: error.hint } };
    },
  );
  return { lines, count, ...outcome, memory: process.resourceUsage().maxRSS * 1024 };
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await perform(JSON.parse(process.argv[2] ?? '') as Input)));
}
