/** What a {@link ForgeError} carries beside its code and message. */
export interface ErrorDetails {
  /** What should have been there. */
  readonly expected?: string;
  /** What was there instead. */
  readonly found?: string;
  /** What to do next: a command to type, or a setting to change. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The one error type of this project. `code` is stable and machine-readable (`LOCK_MISSING`, `DIGEST_MISMATCH`);
 * the message says what happened; `hint` names the next step.
 */
export class ForgeError extends Error {
  readonly code: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'ForgeError';
    this.code = code;
    this.expected = details.expected;
    this.found = details.found;
    this.hint = details.hint;
  }
}

/** True for an error of Node's own system calls with that code (`ENOENT`, `EEXIST`, ...). */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
