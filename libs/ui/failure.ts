import { ForgeError } from '../core/errors.ts';
import { printable } from './printable.ts';

/** An error as lines for a person: what happened, what was expected and found, and the next step. It may quote anyone. */
export const text = (error: unknown): string => printable(wordsOf(error));

function wordsOf(error: unknown): string {
  if (!(error instanceof ForgeError)) {
    return `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  return [
    `error ${error.code}: ${error.message}`,
    ...(error.expected === undefined ? [] : [`  expected: ${error.expected}`]),
    ...(error.found === undefined ? [] : [`  found: ${error.found}`]),
    ...(error.hint === undefined ? [] : [`  next: ${error.hint}`]),
  ].join('\n');
}

/** The same for `--json`. */
export const json = (error: unknown): Record<string, unknown> =>
  error instanceof ForgeError
    ? { code: error.code, message: error.message, expected: error.expected, found: error.found, hint: error.hint }
    : { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
