import type { HttpVersion, Probe } from '../types.ts';

/** A `content_by_lua` handler answers, compiled by LuaJIT. */
export const lua = (version: HttpVersion): Probe => ({
  name: `lua ${version}`,
  request: { version, path: '/lua' },
  judge: ({ status, body }) =>
    status === 200 && body.startsWith('lua LuaJIT')
      ? undefined
      : `expected 200 "lua LuaJIT ...", found ${status} ${JSON.stringify(body.slice(0, 80))}`,
  detail: ({ status, body }) => `${status} ${body.trim()}`,
});
