import type { RootDefinition } from '../libs/core/channel.ts';
import { documentation, mergedUsr, trixie } from './suites.ts';

/** The roots that unpack, build and probe an image but are no part of it; locked together in `locks/tools.json`. */
export const tools = {
  /** Decompresses the packages of all other roots. */
  xz: {
    suites: trixie,
    packages: ['xz-utils'],
    folderLinks: mergedUsr,
    links: {},
    directories: [],
    exclude: documentation,
  },
  /** Makes the namespaces that commands and containers run in. */
  sandbox: {
    suites: trixie,
    packages: ['bubblewrap', 'dash', 'util-linux'],
    folderLinks: mergedUsr,
    links: {},
    directories: ['/mnt', '/proc', '/dev', '/tmp'],
    exclude: [...documentation, '/usr/share/bash-completion'],
  },
  /** Asks the questions: a curl that speaks HTTP/1.1, 2 and 3, and openssl for throw-away certificates. */
  client: {
    suites: trixie,
    packages: ['curl', 'openssl'],
    folderLinks: mergedUsr,
    links: {},
    directories: ['/client', '/proc', '/dev', '/tmp'],
    exclude: documentation,
  },
} as const satisfies Record<string, RootDefinition>;
