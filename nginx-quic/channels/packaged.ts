import type { PackagedChannel } from '../../libs/core/channel.ts';
import { documentation, forky, mergedUsr } from '../suites.ts';
import { common } from './builder.ts';

/** Debian testing's own nginx and modules: nothing is compiled, the image is collected from signed packages. */
export const packaged: PackagedChannel = {
  kind: 'packaged',
  name: 'packaged',
  description: "Debian testing's own nginx and modules, collected from signed packages without a compiler",
  base: {
    suites: forky,
    packages: ['nginx', 'ca-certificates', 'tzdata'],
    // What only maintainer scripts and service files of these packages need, and what Lua libraries ask for beside modules.
    without: ['debconf', 'iproute2', 'libnginx-mod-http-lua', 'libnginx-mod-http-ndk', 'nginx-extras', 'openssl'],
    folderLinks: mergedUsr,
    links: {},
    directories: [],
    exclude: documentation,
  },
  data: common,
  // Debian's nginx keeps its temporary files, its lock and its access log elsewhere than a compiled one.
  writable: { '/var/lib/nginx': 0o1777, '/var/lock': 0o1777, '/var/log/nginx': 0o1777 },
  // 2026-10-20: Debian's 1.30.6-2.
  epoch: 1792454400,
};
