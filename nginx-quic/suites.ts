import type { Suite } from '../libs/core/channel.ts';

/** Debian 13 with its updates and security fixes; of several versions the newest wins. */
export const trixie: readonly Suite[] = [
  { archive: 'debian', suite: 'trixie' },
  { archive: 'debian', suite: 'trixie-updates' },
  { archive: 'debian-security', suite: 'trixie-security' },
];

/** Debian testing, which becomes Debian 14: its packages change every day. */
export const forky: readonly Suite[] = [{ archive: 'debian', suite: 'forky' }];

/** The links of the merged /usr that Debian's packages expect to find. */
export const mergedUsr: Readonly<Record<string, string>> = {
  '/bin': 'usr/bin',
  '/lib': 'usr/lib',
  '/lib64': 'usr/lib64',
  '/sbin': 'usr/sbin',
};

/** What no program needs at build time or at run time; copyright files stay. */
export const documentation: readonly string[] = [
  '/usr/share/man',
  '/usr/share/info',
  '/usr/share/locale',
  '/usr/share/lintian',
  '/usr/share/bug',
];
