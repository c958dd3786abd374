import { chmodSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Closure } from '../../libs/core/closure.ts';
import type { Entry } from '../../libs/core/entry.ts';
import { assemble } from '../../libs/rootfs/assemble.ts';
import * as generated from '../../libs/rootfs/generated.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

const file = (path: string, text = ''): Entry => generated.file(path, text, 'test');
const paths = (entries: readonly Entry[]): string[] => entries.map(({ path }) => path);
const find = (entries: readonly Entry[], path: string): Entry | undefined =>
  entries.find((entry) => entry.path === path);

function closureOf(top: string): Closure {
  return [
    {
      type: 'symlink',
      path: '/lib',
      target: 'usr/lib',
      reasons: [{ by: '/usr/sbin/nginx', via: 'DT_NEEDED libz.so.1' }],
    },
    {
      type: 'file',
      path: '/usr/lib/libz.so.1',
      source: join(top, 'libz'),
      reasons: [{ by: '/usr/sbin/nginx', via: 'DT_NEEDED libz.so.1' }],
    },
    { type: 'file', path: '/usr/sbin/nginx', source: join(top, 'nginx'), reasons: [{ via: 'the server' }] },
  ];
}

describe('assemble', () => {
  test('closure, folder, generated entries and directories become one sorted tree', () => {
    const top = tree.make({
      libz: 'library',
      nginx: { program: 'program' },
      'own/etc/nginx/nginx.conf': 'conf',
      'own/etc/nginx/modules': { link: '/usr/lib/nginx/modules' },
      'own/lib/nginx/x.lua': 'lua',
      'own/var/empty/.gitkeep': '',
    });
    chmodSync(join(top, 'own/etc/nginx/nginx.conf'), 0o600);
    chmodSync(join(top, 'nginx'), 0o4711);
    const entries = assemble({
      closure: closureOf(top),
      generated: [file('/etc/passwd', 'root')],
      files: { directory: join(top, 'own'), name: 'own files' },
      directories: [{ path: '/var/cache/nginx', uid: 101, gid: 101, mode: 0o700, reason: 'cache' }, { path: '/lib' }],
      owners: { '/etc/nginx/nginx.conf': { uid: 0, gid: 101 } },
    });
    expect(paths(entries)).toEqual([
      ...[
        '/etc',
        '/etc/nginx',
        '/etc/nginx/modules',
        '/etc/nginx/nginx.conf',
        '/etc/passwd',
        '/lib',
        '/usr',
        '/usr/lib',
      ],
      ...['/usr/lib/libz.so.1', '/usr/lib/nginx', '/usr/lib/nginx/x.lua', '/usr/sbin', '/usr/sbin/nginx', '/var'],
      ...['/var/cache', '/var/cache/nginx', '/var/empty'],
    ]);
    expect(find(entries, '/usr/sbin/nginx')).toEqual({
      ...{ type: 'file', path: '/usr/sbin/nginx', mode: 0o755, size: 7, uid: 0, gid: 0, reason: 'the server' },
      content: { file: join(top, 'nginx') },
    });
    expect(find(entries, '/usr/lib/libz.so.1')).toMatchObject({
      mode: 0o644,
      reason: 'DT_NEEDED libz.so.1 of /usr/sbin/nginx',
    });
    expect(find(entries, '/etc/nginx/nginx.conf')).toMatchObject({
      mode: 0o644,
      uid: 0,
      gid: 101,
      reason: 'own files',
    });
    expect(find(entries, '/etc/nginx/modules')).toMatchObject({ type: 'symlink', target: '/usr/lib/nginx/modules' });
    expect(find(entries, '/var/cache/nginx')).toMatchObject({ type: 'directory', mode: 0o700, uid: 101, gid: 101 });
    expect(find(entries, '/var/cache')).toMatchObject({ type: 'directory', mode: 0o755, uid: 0 });
    expect(find(entries, '/lib')).toMatchObject({ type: 'symlink' });
  });

  test('a file may only override if it is said', () => {
    const top = tree.make({ 'own/etc/nsswitch.conf': 'mine' });
    const parts = {
      closure: [],
      generated: [file('/etc/nsswitch.conf', 'theirs')],
      files: { directory: join(top, 'own'), name: 'own files' },
    };
    expect(thrown(() => assemble(parts))).toMatchObject({
      code: 'ROOTFS_CONFLICT',
      expected: expect.stringContaining('the generated files'),
      found: expect.stringContaining('own files'),
    });
    const entries = assemble({ ...parts, overrides: ['files'] });
    expect(find(entries, '/etc/nsswitch.conf')).toMatchObject({ reason: 'own files' });
  });

  test('an owner for nothing, a source that is gone, a folder that is not there', () => {
    expect(thrown(() => assemble({ closure: [], owners: { '/etc/nothing': { uid: 1, gid: 1 } } })).code).toBe(
      'ROOTFS_OWNER_UNKNOWN',
    );
    expect(thrown(() => assemble({ closure: closureOf(tree.make()) })).code).toBe('ROOTFS_SOURCE_MISSING');
    const files = { directory: join(tree.make(), 'none'), name: 'none' };
    expect(thrown(() => assemble({ closure: [], files })).code).toBe('ROOTFS_SOURCE_MISSING');
  });

  test('a socket in the folder', async () => {
    const top = tree.make();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(top, 'socket'), resolve));
    const error = thrown(() => assemble({ closure: [], files: { directory: top, name: 'own' } }));
    await new Promise((resolve) => server.close(resolve));
    expect(error.code).toBe('ROOTFS_UNSUPPORTED');
  });

  test('a link to a directory in the folder is a link, not what is behind it', () => {
    const top = tree.make({ 'own/a/file': 'x', 'own/loop': { link: '.' }, 'own/out': { link: '../../..' } });
    const entries = assemble({ closure: [], files: { directory: join(top, 'own'), name: 'own' } });
    expect(paths(entries)).toEqual(['/a', '/a/file', '/loop', '/out']);
  });
});

describe('private keys', () => {
  const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n';
  const pem = (kind: string): string => ['-----BEGIN ', kind, '-----\n', body, '-----END ', kind, '-----\n'].join('');
  const assembled =
    (text: string | Uint8Array): (() => Entry[]) =>
    () =>
      assemble({ closure: [], generated: [generated.file('/etc/x', text, 'test')] });

  test.each(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'OPENSSH PRIVATE KEY'])(
    '%s is refused',
    (kind) => {
      expect(thrown(assembled(pem(kind)))).toMatchObject({
        code: 'ROOTFS_PRIVATE_KEY',
        message: '/etc/x holds a private key',
      });
      expect(thrown(assembled(`some text\r\n${pem(kind).replaceAll('\n', '\r\n')}`)).code).toBe('ROOTFS_PRIVATE_KEY');
    },
  );

  test('certificates, texts about keys and the tables of ELF files are not', () => {
    expect(assembled(pem('CERTIFICATE'))).not.toThrow();
    expect(assembled(pem('PUBLIC KEY'))).not.toThrow();
    expect(assembled('it begins with -----BEGIN PRIVATE KEY----- and ends')).not.toThrow();
    expect(assembled('-----BEGIN PRIVATE KEY-----\0-----END PRIVATE KEY-----\0')).not.toThrow();
    expect(assembled(`\x7fELF${pem('RSA PRIVATE KEY')}`)).not.toThrow();
  });

  test('wherever in a file it lies, on whatever boundary', () => {
    const block = 256 * 1024;
    for (const before of [0, block - 200, block - 27, block - 5, block - 1, block, block + 1, 2 * block - 40]) {
      const top = tree.make({ 'own/key': `${'x'.repeat(Math.max(0, before - 1))}\n${pem('PRIVATE KEY')}` });
      const error = thrown(() => assemble({ closure: [], files: { directory: join(top, 'own'), name: 'own' } }));
      expect(error, `after ${before}`).toMatchObject({ code: 'ROOTFS_PRIVATE_KEY', found: join(top, 'own/key') });
    }
  });
});

test('the modes of a folder do not matter, nor does its order', () => {
  const make = (umask: number): Entry[] => {
    const top = tree.make();
    mkdirSync(join(top, 'b'), { mode: 0o777 & ~umask });
    const made = tree.make({ 'b/two': '2', 'a/one': '1', 'b-c': '' });
    chmodSync(join(made, 'b/two'), 0o666 & ~umask);
    const entries = assemble({ closure: [], files: { directory: made, name: 'own' } });
    return entries.map((entry) => (entry.type === 'file' ? { ...entry, content: { bytes: new Uint8Array() } } : entry));
  };
  expect(make(0o022)).toEqual(make(0o077));
  expect(paths(make(0o022))).toEqual(['/a', '/a/one', '/b', '/b-c', '/b/two']);
});
