import { describe, expect, test } from 'vitest';
import * as apt from '../../libs/debian/apt.ts';
import * as mirror from '../../libs/debian/mirror.ts';
import { thrown } from '../support/thrown.ts';
import { make } from '../support/tree.ts';

describe('sources.list(5)', () => {
  test('the one-line format', () => {
    const text = `
# deb http://commented.test/debian trixie main
deb http://one.test/debian trixie main contrib # why
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://two.test/debian/ trixie-updates main
deb-src http://three.test/debian trixie main
nonsense
`;
    expect(apt.sources([{ name: 'sources.list', text }])).toEqual([
      { uri: 'http://one.test/debian', suites: ['trixie'] },
      { uri: 'http://two.test/debian/', suites: ['trixie-updates'] },
      { uri: 'http://three.test/debian', suites: ['trixie'] },
    ]);
  });

  test('the deb822 format', () => {
    const text = `Types: deb
# a comment inside
URIs: http://one.test/debian
  http://two.test/debian
Suites: trixie
 trixie-updates
Components: main

Enabled: no
Types: deb
URIs: http://off.test/debian
Suites: trixie

types: deb
uris: http://three.test/debian-security
suites: trixie-security
`;
    expect(apt.sources([{ name: 'debian.sources', text }])).toEqual([
      { uri: 'http://one.test/debian', suites: ['trixie', 'trixie-updates'] },
      { uri: 'http://two.test/debian', suites: ['trixie', 'trixie-updates'] },
      { uri: 'http://three.test/debian-security', suites: ['trixie-security'] },
    ]);
  });

  test('whether a source says something of Valid-Until', () => {
    const list = `deb [arch=amd64 check-valid-until=no] http://one.test/debian trixie main
deb [ Check-Valid-Until=yes ] http://two.test/debian trixie main
deb [no-check-valid-until=no] http://three.test/debian trixie main
`;
    const stanza = `URIs: http://four.test/debian
Suites: trixie
Check-Valid-Until: No
`;
    const found = apt.sources([
      { name: 'sources.list', text: list },
      { name: 'debian.sources', text: stanza },
    ]);
    expect(found.map(({ checkValidUntil }) => checkValidUntil)).toEqual([false, true, undefined, false]);
  });

  test('a machine without apt', async () => {
    expect(await apt.read('/no/such/folder')).toEqual({ sources: [], checkValidUntil: true });
  });

  test('the files of a folder', async () => {
    const dir = make({
      'sources.list': 'deb http://one.test/debian trixie main\n',
      'sources.list.d/b.sources': 'URIs: http://two.test/debian\nSuites: trixie\n',
      'sources.list.d/a.list': 'deb http://three.test/debian trixie main\n',
      'sources.list.d/c.list.save': 'deb http://saved.test/debian trixie main\n',
      'apt.conf.d/99check': 'Acquire::Check-Valid-Until "false";\n',
    });
    expect(await apt.read(dir)).toEqual({
      sources: ['one', 'three', 'two'].map((name) => ({ uri: `http://${name}.test/debian`, suites: ['trixie'] })),
      checkValidUntil: false,
    });
  });
});

test.each([
  ['', true],
  ['Acquire::Check-Valid-Until "false";', false],
  ['Acquire::Check-Valid-Until false;', false],
  ['acquire::check-valid-until "no";', false],
  ['Acquire { Retries "3"; Check-Valid-Until "0"; };', false],
  ['// Acquire::Check-Valid-Until "false";', true],
  ['# Acquire::Check-Valid-Until "false";', true],
  ['/* Acquire::Check-Valid-Until "false"; */', true],
  ['Acquire::Check-Valid-Until "false";\nAcquire::Check-Valid-Until "true";', true],
])('apt.conf %j', (text, expected) => {
  expect(apt.checksValidUntil([{ name: 'apt.conf', text }])).toBe(expected);
});

describe('the places of an archive', () => {
  const sources: apt.AptSource[] = [
    { uri: 'http://ubuntu.test/ubuntu', suites: ['noble', 'noble-security'] },
    { uri: 'http://third.test/node_20.x', suites: ['nodistro'] },
    { uri: 'http://apt.test/debian', suites: ['bookworm', 'bookworm-updates'] },
    { uri: 'http://apt.test/debian/', suites: ['bookworm-backports'] },
    { uri: 'http://apt.test/debian-security', suites: ['bookworm-security'] },
    { uri: 'cdrom:[Debian]', suites: ['bookworm'] },
    { uri: 'http://cloud.test/apt', suites: ['cloud-sdk-bookworm'] },
  ];
  const date = '20261119T021254Z';

  test("the machine's, the setting, the snapshot", () => {
    expect(mirror.bases('debian', { apt: sources, setting: 'http://set.test/debian/', date })).toEqual([
      'http://apt.test/debian/',
      'http://set.test/debian/',
      expect.stringMatching(/^https:\/\/.*\/archive\/debian\/20261119T021254Z\/$/),
    ]);
    expect(mirror.bases('debian-security', { apt: sources, setting: 'http://set.test/debian' })).toEqual([
      'http://apt.test/debian-security/',
      'http://set.test/debian-security/',
    ]);
    expect(mirror.bases('debian', { apt: [], setting: undefined })).toEqual([]);
  });

  test('the setting by archive', () => {
    const setting = 'debian=http://a.test/d, debian-security=http://b.test/s';
    expect(mirror.bases('debian', { apt: [], setting })).toEqual(['http://a.test/d/']);
    expect(mirror.bases('debian-security', { apt: [], setting })).toEqual(['http://b.test/s/']);
  });

  test.each(['mirror', 'ftp://a.test/debian', '/srv/debian'])('%s is MIRROR_INVALID', (setting) => {
    expect(thrown(() => mirror.bases('debian', { apt: [], setting })).code).toBe('MIRROR_INVALID');
  });
});
