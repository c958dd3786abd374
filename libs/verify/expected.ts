import type { Answer, HttpVersion, Probe, Request } from './types.ts';

/** What an answer must be; a text is one that must be contained. */
export interface Expected {
  readonly status: number;
  /** By lower-case name; capital letters in a value do not matter. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As much of a body as is shown. */
const SHOWN = 80;

/** A probe that compares the answer of one request with what is expected. */
export const probe = (name: string, request: Request, expected: Expected): Probe => ({
  name: `${name} ${request.version}`,
  request,
  judge: (answer) => judge(answer, expected),
  detail: ({ status, headers, body }) =>
    [
      status,
      ...Object.keys(expected.headers ?? {}).map((header) => `${header}: ${headers[header]?.join(', ')}`),
      ...(expected.body === undefined ? [] : [JSON.stringify(body.trim().slice(0, SHOWN))]),
    ].join(' '),
});

/** The versions that a recipe's own probes are asked over. */
export const VERSIONS: readonly HttpVersion[] = ['HTTP/1.1', 'HTTP/2', 'HTTP/3'];

function judge({ status, headers, body }: Answer, expected: Expected): string | undefined {
  if (status !== expected.status)
    return `expected ${expected.status}, found ${status} ${JSON.stringify(body.slice(0, SHOWN))}`;
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    // nginx writes `vary: Accept-Encoding` in small letters over HTTP/3, where those have a code of their own.
    if ((headers[name] ?? []).some((one) => one.toLowerCase().includes(value.toLowerCase()))) continue;
    return `expected ${name}: ${value}, found ${headers[name]?.join(', ') ?? `no ${name}`}`;
  }
  if (expected.body === undefined || body.includes(expected.body)) return undefined;
  return `expected ${JSON.stringify(expected.body)} in the body, found ${JSON.stringify(body.slice(0, SHOWN))}`;
}
