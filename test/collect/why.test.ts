import { describe, expect, test } from 'vitest';
import * as why from '../../libs/collect/why.ts';
import type { Closure } from '../../libs/core/closure.ts';
import { thrown } from '../support/thrown.ts';

const LIB = '/usr/lib/x86_64-linux-gnu';
const app = '/usr/sbin/nginx';
const file = (path: string, ...reasons: { by?: string; via: string }[]): Closure[number] => ({
  type: 'file',
  path,
  source: path,
  reasons,
});

const closure: Closure = [
  file(
    `${LIB}/libc.so.6`,
    { by: app, via: 'DT_NEEDED libc.so.6' },
    { by: `${LIB}/libssl.so.3`, via: 'DT_NEEDED libc.so.6' },
  ),
  file(
    `${LIB}/libcrypto.so.3`,
    { by: `${LIB}/libssl.so.3`, via: 'DT_NEEDED libcrypto.so.3' },
    { by: app, via: 'DT_NEEDED libcrypto.so.3' },
  ),
  file(`${LIB}/libssl.so.3`, { by: app, via: 'DT_NEEDED libssl.so.3' }),
  {
    type: 'symlink',
    path: `${LIB}/libz.so.1`,
    target: 'libz.so.1.3.1',
    reasons: [{ by: app, via: 'DT_NEEDED libz.so.1' }],
  },
  file(`${LIB}/libz.so.1.3.1`, { by: `${LIB}/libz.so.1`, via: 'symlink' }),
  file(app, { via: 'the server' }),
];

describe('why', () => {
  test('all who ask, the shortest chain first', () => {
    expect(why.format(why.why(closure, 'libcrypto.so.3'))).toEqual([
      '/usr/sbin/nginx (the server)',
      `└─ DT_NEEDED libcrypto.so.3 → ${LIB}/libcrypto.so.3`,
      '',
      '/usr/sbin/nginx (the server)',
      `└─ DT_NEEDED libssl.so.3 → ${LIB}/libssl.so.3`,
      `   └─ DT_NEEDED libcrypto.so.3 → ${LIB}/libcrypto.so.3`,
    ]);
  });

  test('links are steps, and show where they lead', () => {
    expect(why.format(why.why(closure, 'libz.so.1.3.1'))).toEqual([
      '/usr/sbin/nginx (the server)',
      `└─ DT_NEEDED libz.so.1 → ${LIB}/libz.so.1 (a link to libz.so.1.3.1)`,
      `   └─ symlink → ${LIB}/libz.so.1.3.1`,
    ]);
  });

  test('by path, base name and soname; a start explains itself', () => {
    expect(why.why(closure, `${LIB}/libssl.so.3`)).toEqual(why.why(closure, 'libssl.so.3'));
    expect(why.format(why.why(closure, 'nginx'))).toEqual(['/usr/sbin/nginx (the server)']);
    const renamed: Closure = [file(app, { via: 'x' }), file('/opt/file', { by: app, via: 'DT_NEEDED libsoname.so.1' })];
    expect(why.why(renamed, 'libsoname.so.1')[0]?.at(-1)?.path).toBe('/opt/file');
  });

  test('libraries that need each other end somewhere', () => {
    const circle: Closure = [
      file('/a', { by: app, via: 'DT_NEEDED a' }, { by: '/b', via: 'DT_NEEDED a' }),
      file('/b', { by: '/a', via: 'DT_NEEDED b' }),
      file(app, { via: 'the server' }),
    ];
    expect(why.why(circle, '/a')).toHaveLength(1);
    expect(why.why(circle, '/b')[0]?.map(({ path }) => path)).toEqual([app, '/a', '/b']);
  });

  test('one who asks but is no file of the closure begins the chain', () => {
    const chains = why.why([file('/lib/libnss_dns.so.2', { by: '/etc/nsswitch.conf', via: 'dns' })], 'libnss_dns.so.2');
    expect(chains[0]?.map(({ path }) => path)).toEqual(['/etc/nsswitch.conf', '/lib/libnss_dns.so.2']);
  });

  test.each([
    ['libcrypt.so.3', 'libcrypto.so.3'],
    ['libssl.so.1.1', 'libssl.so.3'],
    ['ngnix', 'nginx'],
    ['/usr/lib/libz.so', 'libz.so.1'],
  ])('%s is not there: did you mean %s?', (query, near) => {
    const error = thrown(() => why.why(closure, query));
    expect(error).toMatchObject({ code: 'FILE_NOT_IN_IMAGE', found: query, hint: expect.stringContaining(near) });
  });

  test('nothing near, no hint', () => {
    expect(thrown(() => why.why(closure, 'perl')).hint).toBeUndefined();
  });
});
