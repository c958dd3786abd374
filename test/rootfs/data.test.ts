import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../libs/core/entry.ts';
import * as certificates from '../../libs/rootfs/certificates.ts';
import * as timezones from '../../libs/rootfs/timezones.ts';
import * as users from '../../libs/rootfs/users.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

const text = (entries: readonly Entry[], path: string): string => {
  const entry = entries.find((each) => each.path === path);
  return entry?.type === 'file' && 'bytes' in entry.content ? Buffer.from(entry.content.bytes).toString() : '';
};

describe('users', () => {
  test('the files that name lookups read', () => {
    const entries = users.entries([users.nginx, ...users.standard]);
    expect(text(entries, '/etc/passwd')).toBe(
      'root:x:0:0:root:/root:/usr/sbin/nologin\n' +
        'nginx:x:101:101:nginx user:/nonexistent:/usr/sbin/nologin\n' +
        'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    );
    expect(text(entries, '/etc/group')).toBe('root:x:0:\nnginx:x:101:\nnogroup:x:65534:\n');
    expect(text(entries, '/etc/nsswitch.conf')).toMatch(/^hosts: files dns$/m);
    expect(entries).toEqual(users.entries([...users.standard, users.nginx]));
    expect(entries.every((entry) => entry.type === 'file' && entry.mode === 0o644 && entry.uid === 0)).toBe(true);
  });

  test('two users of one group', () => {
    const more = { name: 'worker', uid: 102, gid: 101, group: 'nginx' };
    expect(text(users.entries([users.nginx, more]), '/etc/group')).toBe('nginx:x:101:\n');
  });

  test.each([
    ['a colon', [{ ...users.nginx, gecos: 'a:b' }]],
    ['a new line', [{ ...users.nginx, home: '/a\nroot::0:0' }]],
    ['a relative home', [{ ...users.nginx, home: 'home' }]],
    ['a name', [{ ...users.nginx, name: 'Nginx' }]],
    ['an empty name', [{ ...users.nginx, name: '' }]],
    ['a number', [{ ...users.nginx, uid: -1 }]],
    ['no number at all', [{ ...users.nginx, gid: Number.NaN }]],
    ['-1 in 32 bits', [{ ...users.nginx, uid: 0xffffffff }]],
    ['one name twice', [users.nginx, { ...users.nginx, uid: 5 }]],
    ['one number twice', [users.nginx, { ...users.nginx, name: 'other', group: 'nginx' }]],
    ['one gid with two names', [users.nginx, { name: 'other', uid: 5, gid: 101 }]],
    ['one group with two numbers', [users.nginx, { name: 'other', uid: 5, gid: 5, group: 'nginx' }]],
  ])('refused: %s', (_name, bad) => {
    expect(thrown(() => users.entries(bad)).code).toBe('USERS_INVALID');
  });
});

const MOZILLA = 'usr/share/ca-certificates/mozilla';

describe('certificates', () => {
  const system = existsSync(`/${MOZILLA}`) && existsSync('/etc/ssl/certs/ca-certificates.crt');
  const openssl = spawnSync('openssl', ['version']).status === 0;

  test.skipIf(!system)('the same bundle as Debian’s update-ca-certificates made on this machine', () => {
    // What the administrator added is no part of a root made of packages alone.
    const local = existsSync('/usr/local/share/ca-certificates') ? readdirSync('/usr/local/share/ca-certificates') : [];
    const bundle = text(certificates.caBundle('/'), '/etc/ssl/certs/ca-certificates.crt');
    const blocks = (pem: string): string[] =>
      pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const theirs = blocks(readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8'));
    const ours = blocks(bundle);
    expect(ours.length).toBeGreaterThan(50);
    expect(theirs.slice(0, local.length === 0 ? undefined : ours.length).toSorted()).toEqual(ours.toSorted());
  });

  const made = (name: string): string => {
    const top = tree.make();
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        join(top, 'key'),
        '-out',
        join(top, 'crt'),
      ],
      { stdio: 'pipe' },
    );
    return readFileSync(join(top, 'crt'), 'utf8');
  };

  test.skipIf(!openssl)('sorted, a new line after each, OpenSSL’s default file beside it', () => {
    const [a, b] = [made('a'), made('b')];
    const root = tree.make({ [`${MOZILLA}/B.crt`]: b, [`${MOZILLA}/A.crt`]: a.trimEnd(), [`${MOZILLA}/README`]: 'no' });
    const entries = certificates.caBundle(root);
    expect(text(entries, '/etc/ssl/certs/ca-certificates.crt')).toBe(a + b);
    expect(entries[1]).toMatchObject({
      type: 'symlink',
      path: '/usr/lib/ssl/cert.pem',
      target: '/etc/ssl/certs/ca-certificates.crt',
    });
  });

  test.skipIf(!openssl)('/etc/ca-certificates.conf chooses', () => {
    const [a, b] = [made('a'), made('b')];
    const conf = '# choice\n!mozilla/A.crt\nmozilla/B.crt\nmozilla/Gone.crt\n\n';
    const root = tree.make({ [`${MOZILLA}/A.crt`]: a, [`${MOZILLA}/B.crt`]: b, 'etc/ca-certificates.conf': conf });
    expect(text(certificates.caBundle(root), '/etc/ssl/certs/ca-certificates.crt')).toBe(b);
  });

  test('none, one that is none, a link, a way out', () => {
    const code = (made: tree.Tree): string => thrown(() => certificates.caBundle(tree.make(made))).code;
    expect(code({})).toBe('CERTIFICATES_MISSING');
    expect(code({ 'etc/ca-certificates.conf': '!mozilla/A.crt\n', [`${MOZILLA}/A.crt`]: 'x' })).toBe(
      'CERTIFICATES_MISSING',
    );
    expect(code({ [`${MOZILLA}/A.crt`]: 'text' })).toBe('CERTIFICATE_INVALID');
    expect(code({ [`${MOZILLA}/A.crt`]: { link: '/etc/hostname' } })).toBe('CERTIFICATE_INVALID');
    expect(code({ 'etc/ca-certificates.conf': '../../../etc/hostname\n' })).toBe('CERTIFICATE_INVALID');
  });
});

describe('time zones', () => {
  const ZONES = 'usr/share/zoneinfo';
  const root = (): string =>
    tree.make({
      [`${ZONES}/Europe/Berlin`]: 'TZif2 berlin',
      [`${ZONES}/Europe/Copenhagen`]: { link: 'Berlin' },
      [`${ZONES}/Europe/Oslo`]: { link: 'Copenhagen' },
      [`${ZONES}/UTC`]: { link: 'Etc/UTC' },
      [`${ZONES}/Etc/UTC`]: 'TZif2 utc',
      [`${ZONES}/localtime`]: { link: '/etc/localtime' },
      [`${ZONES}/loop`]: { link: 'loop' },
      [`${ZONES}/zone.tab`]: 'a table',
      [`${ZONES}/right/UTC`]: 'TZif2 right',
      'etc/localtime': 'TZif2 mine',
    });
  const names = (entries: readonly Entry[]): string[] => entries.map(({ path }) => path.slice(`/${ZONES}/`.length));

  test('named zones, with what their links lead to', () => {
    const entries = timezones.entries(root(), ['Europe/Oslo', 'UTC', 'Europe/Berlin']);
    expect(names(entries)).toEqual(['Etc/UTC', 'Europe/Berlin', 'Europe/Copenhagen', 'Europe/Oslo', 'UTC']);
    expect(entries.find(({ path }) => path.endsWith('Oslo'))).toMatchObject({ type: 'symlink', target: 'Copenhagen' });
  });

  test('all: no tables, no doubles, no link that leads out', () => {
    expect(names(timezones.entries(root(), 'all'))).toEqual([
      'Etc/UTC',
      'Europe/Berlin',
      'Europe/Copenhagen',
      'Europe/Oslo',
      'UTC',
    ]);
  });

  test.each([
    'Europe/Nowhere',
    '../../../etc/localtime',
    '/etc/localtime',
    'localtime',
    'loop',
    'zone.tab',
    'Europe',
    '',
  ])('not a zone: %j', (name) => {
    expect(thrown(() => timezones.entries(root(), [name])).code).toBe('TIMEZONE_UNKNOWN');
  });

  test.skipIf(!existsSync(`/${ZONES}/Europe/Berlin`))('all zones of this machine are zones to its own date', () => {
    const entries = timezones.entries('/', 'all');
    expect(entries.length).toBeGreaterThan(300);
    const files = new Set(entries.map(({ path }) => path));
    expect(readdirSync(`/${ZONES}/Europe`).every((name) => files.has(`/${ZONES}/Europe/${name}`))).toBe(true);
  });
});
