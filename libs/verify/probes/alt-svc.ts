import type { HttpVersion, Probe } from '../types.ts';

/** An answer over TCP announces HTTP/3 on that UDP port (RFC 7838, RFC 9114 section 3.1). */
export const altSvc = (version: Exclude<HttpVersion, 'HTTP/3'>, port: number, path = '/ping'): Probe => ({
  name: `alt-svc ${version}`,
  request: { version, path },
  judge: ({ headers }) =>
    (headers['alt-svc'] ?? []).some((value) => value.includes(`h3=":${port}"`))
      ? undefined
      : `expected alt-svc: h3=":${port}", found ${headers['alt-svc']?.join(', ') ?? 'no alt-svc'}`,
  detail: ({ headers }) => `alt-svc: ${headers['alt-svc']?.join(', ')}`,
});
