import { z } from 'zod';
import type { Command } from '../core/command.ts';
import type { HttpVersion, Request, Response } from './types.ts';

/** curl's option for each version. `--http2` falls back to HTTP/1.1, so the version of an answer is judged too. */
const VERSION: Readonly<Record<HttpVersion, readonly string[]>> = {
  'HTTP/1.1': ['--http1.1'],
  'HTTP/2': ['--http2'],
  'HTTP/3': ['--http3-only'],
};

/** Where the client finds the certificate that it trusts. */
export const CA = '/client/ca.crt';

const SEPARATOR = '\n--answer--\n';
/** The same as curl's `--write-out` spells it: one line in a plan. */
const WRITE_OUT = String.raw`\n--answer--\n{"status":%{http_code},"version":"%{http_version}","headers":%{header_json}}`;
/** Seconds for a whole exchange. */
const TIMEOUT = 5;

/**
 * The command that asks `request` of `localhost` and prints the body, then the facts as JSON. A body that begins with `@`
 * would be a file's name for curl, and is refused.
 */
export function command(request: Request): Command {
  if (request.body?.startsWith('@') === true) throw new Error('a body must not begin with @');
  return {
    name: `${request.version} ${request.path}`,
    argv: [
      'curl',
      '--silent',
      '--show-error',
      '--max-time',
      String(TIMEOUT),
      '--path-as-is',
      '--globoff',
      ...VERSION[request.version],
      ...(request.method === undefined ? [] : ['--request', request.method]),
      ...Object.entries(request.headers ?? {}).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...(request.body === undefined ? [] : ['--data-binary', request.body]),
      ...['--cacert', CA],
      ...['--write-out', WRITE_OUT],
      `https://localhost${request.path}`,
    ],
    env: { PATH: '/usr/bin', LC_ALL: 'C.UTF-8' },
    cwd: '/',
  };
}

const answer = z.object({
  status: z.number(),
  version: z.string(),
  headers: z.record(z.string(), z.array(z.string())),
});

function factsOf(text: string): { success: true; data: z.infer<typeof answer> } | { success: false; error: Error } {
  try {
    return answer.safeParse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return { success: false, error };
    throw error;
  }
}

/** What curl printed, as a response; the error is curl's own words where there was no answer. A body may hold anything. */
export function parse(stdout: string, stderr: string, exitCode: number | undefined): Response {
  const end = stdout.lastIndexOf(SEPARATOR);
  if (exitCode !== 0 || end < 0) {
    return { error: stderr.trim() || `curl ended with status ${exitCode ?? 'unknown'}` };
  }
  const facts = factsOf(stdout.slice(end + SEPARATOR.length));
  if (!facts.success) return { error: `what curl says of the answer cannot be read: ${facts.error.message}` };
  const { version } = facts.data;
  return { ...facts.data, version: `HTTP/${version}`, body: stdout.slice(0, end) };
}
