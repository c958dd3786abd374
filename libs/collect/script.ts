import { posix } from 'node:path';

/** The bytes that Linux reads of a file to see what runs it (`BINPRM_BUF_SIZE`). */
export const LENGTH = 256;

/** A `#!` line. */
export interface Line {
  readonly interpreter: string;
  /** The rest of the line, which the kernel passes as one argument. */
  readonly argument: string | undefined;
}

/** A program that a script needs. */
export interface Need {
  /** Where it may lie, first the one that is taken. */
  readonly candidates: readonly string[];
  /** As a reason says it. */
  readonly via: string;
}

/** The search path that glibc's `execvp` and Debian's login programs both begin with. */
const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Reads the `#!` line (execve(2)) at the start of a file; undefined if there is none. */
export function parse(start: Uint8Array): Line | undefined {
  const [line = ''] = Buffer.from(start).toString('utf8').split('\n', 1);
  const match = /^#![ \t]*([^ \t\0]+)[ \t]*([^\0]*?)[ \t\r]*$/.exec(line);
  const interpreter = match?.[1];
  return interpreter?.startsWith('/') ? { interpreter, argument: match?.[2] || undefined } : undefined;
}

/** What a `#!` line makes necessary: the interpreter, and for `env` the program that it is to find. */
export function needs({ interpreter, argument }: Line): Need[] {
  const via = `#! ${interpreter}${argument === undefined ? '' : ` ${argument}`}`;
  const own: Need = { candidates: [interpreter], via };
  if (posix.basename(interpreter) !== 'env' || argument === undefined) {
    return [own];
  }
  // `-S` splits the argument; options and variables stand before the program.
  const program = argument.split(/[ \t]+/).find((word) => !word.startsWith('-') && !word.includes('='));
  if (program === undefined) {
    return [own];
  }
  const candidates = program.startsWith('/') ? [program] : PATH.map((directory) => posix.join(directory, program));
  return [own, { candidates, via }];
}
