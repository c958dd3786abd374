import type { CompiledChannel } from '../../libs/core/channel.ts';
import { trixie } from '../suites.ts';
import { builder, data, openssl, writable } from './builder.ts';

/** Debian stable's nginx source with its security patches, compiled. */
export const debian: CompiledChannel = {
  kind: 'compiled',
  name: 'debian',
  description: "Debian stable's nginx source with its patches, compiled",
  base: builder,
  data,
  writable,
  // 2025-02-05: nginx 1.26.3.
  epoch: 1738713600,
  openssl,
  sourceSuites: trixie,
  sources: {
    nginx: { package: 'nginx', patches: true },
    luajit: { package: 'luajit', patches: false },
  },
  acceptsPackagedModules: true,
};
