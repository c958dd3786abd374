import type { Entry } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';
import * as generated from './generated.ts';

/** One user and the group of the same number or of another name. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** The name of its group; that of the user unless told. */
  readonly group?: string;
  /** The field for a full name. */
  readonly gecos?: string;
  /** `/nonexistent` unless told, as Debian has it for those who own no files. */
  readonly home?: string;
  /** `/usr/sbin/nologin` unless told. It need not exist: then nobody logs in either. */
  readonly shell?: string;
}

/** Those whom every image has: programs ask for their names, and engines map `nobody`. */
export const standard: readonly User[] = [
  { name: 'root', uid: 0, gid: 0, gecos: 'root', home: '/root' },
  { name: 'nobody', uid: 65534, gid: 65534, group: 'nogroup', gecos: 'nobody' },
];

/** nginx, with the numbers that nginx.org's own packages and images have. */
export const nginx: User = { name: 'nginx', uid: 101, gid: 101, gecos: 'nginx user' };

/** Where names come from. Only `files` and `dns`: no other module of the C library is in the image. */
const NSSWITCH = [
  'passwd: files',
  'group: files',
  'shadow: files',
  'hosts: files dns',
  'networks: files',
  'protocols: files',
  'services: files',
];

/**
 * `/etc/passwd`, `/etc/group` and `/etc/nsswitch.conf` for these users, sorted by number: passwd(5), group(5).
 * Throws `USERS_INVALID` for a name, number or field that the format has no room for, and for one used twice.
 */
export function entries(users: readonly User[]): Entry[] {
  for (const user of users) {
    check(user);
  }
  unique(
    'user name',
    users.map(({ name }) => name),
  );
  unique(
    'uid',
    users.map(({ uid }) => `${uid}`),
  );
  const byNumber = users.toSorted((a, b) => a.uid - b.uid);
  const groups = new Map(byNumber.map((user) => [`${user.group ?? user.name}:x:${user.gid}`, user] as const));
  const sortedGroups = [...groups].sort(([, a], [, b]) => a.gid - b.gid).map(([line]) => line);
  unique(
    'group name',
    sortedGroups.map((line) => line.slice(0, line.indexOf(':'))),
  );
  unique(
    'gid',
    sortedGroups.map((line) => line.slice(line.lastIndexOf(':') + 1)),
  );
  const passwd = byNumber.map(({ name, uid, gid, gecos = '', home = '/nonexistent', shell = '/usr/sbin/nologin' }) =>
    [name, 'x', uid, gid, gecos, home, shell].join(':'),
  );
  const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
  return [
    generated.file('/etc/group', text(sortedGroups.map((line) => `${line}:`)), 'users'),
    generated.file('/etc/nsswitch.conf', text(NSSWITCH), 'users'),
    generated.file('/etc/passwd', text(passwd), 'users'),
  ];
}

function check(user: User): void {
  const { name, uid, gid, group = name, gecos = '', home = '/', shell = '/' } = user;
  const names = [name, group].every((text) => /^[a-z_][a-z0-9_-]{0,31}$/.test(text));
  // 65535 is 16-bit -1, 4294967295 is 32-bit -1: "no change" to chown.
  const numbers = [uid, gid].every((id) => Number.isInteger(id) && id >= 0 && id < 0xffffffff && id !== 0xffff);
  const fields = /^[^:\n]*$/.test(gecos) && [home, shell].every((path) => /^\/[^:\n]*$/.test(path));
  if (!names || !numbers || !fields) {
    throw new ForgeError('USERS_INVALID', `the user ${JSON.stringify(name)} does not fit into /etc/passwd`, {
      expected: 'a name of lower-case letters, digits, - and _; whole numbers; absolute paths; no colon, no new line',
      found: JSON.stringify(user),
    });
  }
}

function unique(what: string, values: readonly string[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) {
    throw new ForgeError('USERS_INVALID', `two users or groups have the same ${what}`, { found: twice });
  }
}
