import { expect, test } from 'vitest';
import * as mirror from '../../libs/debian/mirror.ts';
import { thrown } from '../support/thrown.ts';

const apt = [
  { uri: 'http://one.test/debian', suites: ['bookworm', 'bookworm-updates'] },
  { uri: 'http://one.test/debian-security/', suites: ['bookworm-security'] },
  { uri: 'http://ubuntu.test/ubuntu', suites: ['noble', 'noble-security'] },
  { uri: 'http://other.test/apt', suites: ['cloud-sdk-bookworm'] },
  { uri: 'cdrom://debian', suites: ['trixie'] },
];

test('the machine’s apt sources by archive, whatever release the machine has; other distributions do not count', () => {
  expect(mirror.bases('debian', { apt, setting: undefined })).toEqual(['http://one.test/debian/']);
  expect(mirror.bases('debian-security', { apt, setting: undefined })).toEqual(['http://one.test/debian-security/']);
});

test('the setting comes after them, the snapshot of the date last, and nothing twice', () => {
  const setting = 'http://one.test/debian/ http://two.test/debian';
  expect(mirror.bases('debian', { apt, setting, date: '20261119T021254Z' })).toEqual([
    'http://one.test/debian/',
    'http://two.test/debian/',
    'https://snapshot.debian.org/archive/debian/20261119T021254Z/',
  ]);
});

test('the setting names the security archive, or implies it', () => {
  const security = (setting: string): string[] => mirror.bases('debian-security', { apt: [], setting });
  expect(security('http://two.test/debian')).toEqual(['http://two.test/debian-security/']);
  expect(security('debian=http://a.test/x,debian-security=http://b.test/y')).toEqual(['http://b.test/y/']);
  expect(security('debian=http://a.test/x')).toEqual([]);
});

test.each(['two.test/debian', 'file:///srv/debian', 'debian=nonsense'])(
  'a setting that is no URL is said: %s',
  (setting) => {
    expect(thrown(() => mirror.bases('debian', { apt: [], setting })).code).toBe('MIRROR_INVALID');
  },
);

test('a password in the setting is not shown', () => {
  const error = thrown(() => mirror.bases('debian', { apt: [], setting: 'ftp://user:secret@two.test/debian' }));
  expect(`${error.message} ${error.expected} ${error.found} ${error.hint}`).not.toContain('secret');
});

test('a file of an archive as a URL', () => {
  expect(mirror.url('http://one.test/debian/', 'pool/a/b+c~1%3a_2.deb')).toBe(
    'http://one.test/debian/pool/a/b+c~1%253a_2.deb',
  );
});
