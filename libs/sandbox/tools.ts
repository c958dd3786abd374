import { join } from 'node:path';
import type { Platform } from '../core/platform.ts';

/** A Debian root whose programs are run on this machine: bubblewrap, util-linux and a shell, none of them installed. */
export interface Tools {
  /** The folder of the root. */
  readonly dir: string;
  readonly platform: Platform;
  /** True for uid 0: then no user namespace is needed, and processes can really change their user. */
  readonly root: boolean;
}

/** The words that run a program of the root with the root's own loader and libraries, whatever this machine has. */
export const program = (tools: Tools, path: string): string[] => [
  join(tools.dir, tools.platform.loader),
  '--library-path',
  join(tools.dir, 'usr/lib', tools.platform.triplet),
  join(tools.dir, path),
];

/** Where the pieces lie inside the root. */
export const paths = {
  bubblewrap: 'usr/bin/bwrap',
  nsenter: 'usr/bin/nsenter',
  unshare: '/usr/bin/unshare',
  shell: 'usr/bin/dash',
  /** An empty folder of the root: where a container's own root is mounted when its user is changed by chroot. */
  mountPoint: '/mnt',
} as const;
