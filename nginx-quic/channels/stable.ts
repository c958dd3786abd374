import type { CompiledChannel } from '../../libs/core/channel.ts';
import { forky, trixie } from '../suites.ts';
import { builder, data, openssl, writable } from './builder.ts';

/**
 * nginx.org's stable release, compiled. Its digest is the one that Debian testing's signed index has for the original
 * archive, which is nginx.org's own file; the Lua side is testing's too, because it must fit that nginx.
 */
export const stable: CompiledChannel = {
  kind: 'compiled',
  name: 'stable',
  description: "nginx.org's stable release, compiled, with OpenSSL's native QUIC",
  base: { ...builder, prefer: { suites: forky, packages: ['lua-resty-core'] } },
  data,
  writable,
  // 2026-10-14: nginx 1.30.6.
  epoch: 1791936000,
  openssl,
  sourceSuites: [...forky, ...trixie],
  sources: {
    nginx: {
      package: 'nginx',
      patches: false,
      suites: forky,
      upstream: 'https://nginx.org/download/nginx-VERSION.tar.gz',
    },
    luajit: { package: 'luajit', patches: false, suites: forky },
    // Not an older one that happens to be served: lua-resty-core refuses it.
    lua: { package: 'libnginx-mod-http-lua', patches: false, suites: forky },
  },
  acceptsPackagedModules: false,
};
