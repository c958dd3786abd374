import type { HttpVersion, Probe } from '../types.ts';

/** `/ping` answers `pong`. */
export const ping = (version: HttpVersion): Probe => ({
  name: `ping ${version}`,
  request: { version, path: '/ping' },
  judge: ({ status, body }) =>
    status === 200 && body === 'pong'
      ? undefined
      : `expected 200 "pong", found ${status} ${JSON.stringify(body.slice(0, 80))}`,
  detail: ({ status, body }) => `${status} ${body}`,
});
