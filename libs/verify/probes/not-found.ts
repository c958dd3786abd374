import type { HttpVersion, Probe } from '../types.ts';

/** A path that is not there is answered 404, not with something else's content. */
export const notFound = (version: HttpVersion): Probe => ({
  name: `not found ${version}`,
  request: { version, path: '/no-such-path' },
  judge: ({ status }) => (status === 404 ? undefined : `expected 404, found ${status}`),
  detail: ({ status }) => String(status),
});
