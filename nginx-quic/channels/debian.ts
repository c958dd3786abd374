import type { Channel } from '../../libs/core/channel.ts';
import { documentation, mergedUsr, trixie } from '../suites.ts';

/** Debian stable's nginx source with its security patches, compiled. */
export const debian: Channel = {
  name: 'debian',
  description: "Debian stable's nginx source with its patches, compiled",
  sourceSuites: trixie,
  sources: {
    nginx: { package: 'nginx', patches: true },
    luajit: { package: 'luajit', patches: false },
    ndk: { package: 'libnginx-mod-http-ndk', patches: false },
    lua: { package: 'libnginx-mod-http-lua', patches: false },
  },
  builder: {
    suites: trixie,
    packages: [
      // To compile.
      'binutils',
      'gcc',
      'libc6-dev',
      'make',
      // The tools that configure scripts and makefiles call.
      'coreutils',
      'dash',
      'diffutils',
      'findutils',
      'grep',
      'mawk',
      'patch',
      'sed',
      // Headers and libraries.
      'libcrypt-dev',
      'libpcre2-dev',
      'libssl-dev',
      'zlib1g-dev',
      // For the image only.
      'ca-certificates',
      'lua-resty-core',
      'lua-resty-lrucache',
      'tzdata',
    ],
    folderLinks: mergedUsr,
    links: {
      '/usr/bin/awk': 'mawk',
      '/usr/bin/cc': 'gcc',
      '/usr/bin/c99': 'gcc',
    },
    directories: ['/build', '/proc', '/dev', '/tmp'],
    exclude: documentation,
  },
};
