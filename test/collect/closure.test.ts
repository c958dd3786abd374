import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as closure from '../../libs/collect/closure.ts';
import type { Closure } from '../../libs/core/closure.ts';
import { amd64, base, DIR, dlopen, i386, item, paths, platform, program, resolve } from '../support/closures.ts';
import { thrown } from '../support/thrown.ts';
import * as tree from '../support/tree.ts';

describe('a program', () => {
  const resolved = (): Closure =>
    resolve(
      {
        ...base,
        'usr/sbin/app': program({ needed: ['libz.so.1', 'libc.so.6'] }),
        [`${DIR}/libz.so.1`]: { link: 'libz.so.1.3' },
        [`${DIR}/libz.so.1.3`]: amd64({ soname: 'libz.so.1', needed: ['libc.so.6'] }),
        [`${DIR}/libunused.so.1`]: amd64(),
      },
      ['/usr/sbin/app'],
    );

  test('its files and links, each once, sorted, and nothing else', () => {
    const found = resolved();
    expect(paths(found)).toEqual([
      '/lib',
      '/lib64',
      '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
      '/usr/lib/x86_64-linux-gnu/libc.so.6',
      '/usr/lib/x86_64-linux-gnu/libz.so.1',
      '/usr/lib/x86_64-linux-gnu/libz.so.1.3',
      '/usr/lib64/ld-linux-x86-64.so.2',
      '/usr/sbin/app',
    ]);
  });

  test('every reason is there', () => {
    const found = resolved();
    expect(item(found, '/usr/sbin/app')).toMatchObject({ type: 'file', reasons: [{ via: 'the recipe' }] });
    expect(item(found, `/${DIR}/libz.so.1`)).toEqual({
      type: 'symlink',
      path: `/${DIR}/libz.so.1`,
      target: 'libz.so.1.3',
      reasons: [{ by: '/usr/sbin/app', via: 'DT_NEEDED libz.so.1' }],
    });
    expect(item(found, `/${DIR}/libz.so.1.3`)?.reasons).toEqual([{ by: `/${DIR}/libz.so.1`, via: 'symlink' }]);
    expect(item(found, `/${DIR}/libc.so.6`)?.reasons).toEqual([
      { by: '/usr/sbin/app', via: 'DT_NEEDED libc.so.6' },
      { by: `/${DIR}/libz.so.1.3`, via: 'DT_NEEDED libc.so.6' },
    ]);
    expect(item(found, '/usr/lib64/ld-linux-x86-64.so.2')?.reasons).toEqual([
      { by: '/usr/sbin/app', via: 'PT_INTERP /lib64/ld-linux-x86-64.so.2' },
      { by: `/${DIR}/libc.so.6`, via: 'DT_NEEDED ld-linux-x86-64.so.2' },
    ]);
  });
});

describe('what is missing', () => {
  test('libraries: all of them, who asked, where was searched', () => {
    const made = {
      ...base,
      'bin/app': program({ needed: ['liba.so', 'libgone.so.1'], runpath: '/p' }),
      'p/liba.so': amd64({ needed: ['libother.so'] }),
    };
    const error = thrown(() => resolve(made, ['/bin/app']));
    expect(error.code).toBe('LIBRARY_MISSING');
    expect(error.message).toBe(
      '/bin/app needs libgone.so.1, which is missing; also missing: libother.so (for /p/liba.so)',
    );
    expect(error.expected).toContain('/p /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib /usr/lib');
  });

  test('symbol versions', () => {
    const needs = (versions: { name: string; weak?: boolean }[]): tree.Tree => ({
      ...base,
      app: program({ needed: ['libc.so.6'], needs: [{ library: 'libc.so.6', versions }] }),
    });
    expect(() => resolve(needs([{ name: 'GLIBC_2.34' }, { name: 'GLIBC_2.99', weak: true }]), ['/app'])).not.toThrow();
    const error = thrown(() => resolve(needs([{ name: 'GLIBC_2.2.5' }, { name: 'GLIBC_2.99' }]), ['/app']));
    expect(error).toMatchObject({
      code: 'SYMBOL_VERSION_MISSING',
      message: '/app needs version GLIBC_2.99 of libc.so.6',
      expected: 'GLIBC_2.99',
      found: `/${DIR}/libc.so.6 with libc.so.6, GLIBC_2.2.5, GLIBC_2.34`,
    });
  });

  test('a library without any version satisfies everyone, as in ld.so', () => {
    const app = program({ needed: ['libo.so'], needs: [{ library: 'libo.so', versions: [{ name: 'O_1' }] }] });
    expect(() => resolve({ ...base, app, [`${DIR}/libo.so`]: amd64() }, ['/app'])).not.toThrow();
  });

  test('the start, the interpreter, a start for another machine, a damaged start', () => {
    expect(thrown(() => resolve(base, ['/none']))).toMatchObject({ code: 'START_MISSING', expected: '/none' });
    expect(thrown(() => resolve({ app: program() }, ['/app']))).toMatchObject({
      code: 'INTERPRETER_MISSING',
      found: platform.loader,
    });
    expect(thrown(() => resolve({ app: i386() }, ['/app'])).code).toBe('ELF_FOREIGN');
    const cut = { ...base, 'bin/app': program().subarray(0, 300) };
    expect(thrown(() => resolve(cut, ['/bin/app']))).toMatchObject({
      code: 'ELF_TRUNCATED',
      message: expect.stringMatching(/^\/bin\/app: /),
    });
  });
});

describe('dlopen notes', () => {
  const made = (priority: string, sonames: string[], more: tree.Tree = {}): tree.Tree => ({
    ...base,
    app: program({ notes: dlopen(JSON.stringify([{ soname: sonames, priority }])) }),
    ...more,
  });
  const library = { [`${DIR}/libopt.so.1`]: amd64({ soname: 'libopt.so.1', needed: ['libc.so.6'] }) };

  test.each(['required', 'recommended'])('%s is followed, with all that it needs', (priority) => {
    const found = resolve(made(priority, ['libopt.so.1'], library), ['/app']);
    expect(item(found, `/${DIR}/libopt.so.1`)?.reasons).toEqual([
      { by: '/app', via: `.note.dlopen libopt.so.1 (${priority})` },
    ]);
    expect(paths(found)).toContain(`/${DIR}/libc.so.6`);
  });

  test('suggested is followed only if asked for', () => {
    const suggested = made('suggested', ['libopt.so.1'], library);
    expect(paths(resolve(suggested, ['/app']))).not.toContain(`/${DIR}/libopt.so.1`);
    expect(paths(resolve(suggested, ['/app'], { dlopen: 'suggested' }))).toContain(`/${DIR}/libopt.so.1`);
    expect(
      paths(resolve(made('recommended', ['libopt.so.1'], library), ['/app'], { dlopen: 'required' })),
    ).not.toContain(`/${DIR}/libopt.so.1`);
  });

  test('missing: required is an error, recommended is not', () => {
    expect(thrown(() => resolve(made('required', ['libgone.so']), ['/app'])).code).toBe('LIBRARY_MISSING');
    expect(() => resolve(made('recommended', ['libgone.so']), ['/app'])).not.toThrow();
  });

  test('of several names the first that is there is taken', () => {
    const both = { ...library, [`${DIR}/libopt.so.0`]: amd64() };
    const found = paths(resolve(made('required', ['libopt.so.2', 'libopt.so.1', 'libopt.so.0'], both), ['/app']));
    expect(found).toContain(`/${DIR}/libopt.so.1`);
    expect(found).not.toContain(`/${DIR}/libopt.so.0`);
  });
});

describe('starts that are no programs', () => {
  test('data, a link to data, a directory with all that is in it', () => {
    const found = resolve(
      {
        ...base,
        'etc/mime.types': 'text',
        'etc/link': { link: 'mime.types' },
        'share/a/one': '1',
        'share/a/two': { link: '../b' },
        'share/b/three': '3',
        'share/b/back': { link: '/share/a' },
        'share/a/dangling': { link: '/run/later' },
        'share/c': 'not asked for',
      },
      ['/etc/link', '/share/a'],
    );
    expect(paths(found)).toEqual([
      '/etc/link',
      '/etc/mime.types',
      '/share/a/dangling',
      '/share/a/one',
      '/share/a/two',
      '/share/b/back',
      '/share/b/three',
    ]);
    expect(item(found, '/etc/mime.types')?.reasons).toEqual([{ by: '/etc/link', via: 'symlink' }]);
    expect(item(found, '/share/a/dangling')).toMatchObject({ target: '/run/later' });
  });

  test('an ELF module in a directory brings what it needs, a foreign one or an object file is data', () => {
    const found = resolve(
      {
        ...base,
        'lua/c.so': amd64({ needed: ['libc.so.6'] }),
        'lua/x.so': i386(),
        'lua/y.o': amd64({ type: 1, needed: ['libnone.so'] }),
      },
      ['/lua'],
    );
    expect(paths(found)).toContain(`/${DIR}/libc.so.6`);
    expect(paths(found)).toContain('/lua/x.so');
  });

  test('a script brings its interpreter, if it may be executed', () => {
    const scripts: tree.Tree = {
      ...base,
      'usr/bin/lua': program({ needed: ['libc.so.6'] }),
      'usr/bin/env': program(),
      'bin/direct': { program: '#! /usr/bin/lua -v\n' },
      'bin/env': { program: '#!/usr/bin/env -S lua -v\n' },
      'bin/module': '#!/usr/bin/none\n',
      'bin/self': { program: '#!/bin/self\n' },
      'bin/lost': { program: '#!/usr/bin/none\n' },
    };
    expect(item(resolve(scripts, ['/bin/direct']), '/usr/bin/lua')?.reasons).toEqual([
      { by: '/bin/direct', via: '#! /usr/bin/lua -v' },
    ]);
    expect(paths(resolve(scripts, ['/bin/env']))).toEqual(expect.arrayContaining(['/usr/bin/env', '/usr/bin/lua']));
    expect(paths(resolve(scripts, ['/bin/module']))).toEqual(['/bin/module']);
    expect(paths(resolve(scripts, ['/bin/self']))).toEqual(['/bin/self']);
    expect(thrown(() => resolve(scripts, ['/bin/lost']))).toMatchObject({
      code: 'INTERPRETER_MISSING',
      expected: '/usr/bin/none',
    });
  });

  test('who asks can be named', () => {
    const roots = [tree.make({ ...base, [`${DIR}/libnss_dns.so.2`]: amd64() })];
    const start = [{ path: `/${DIR}/libnss_dns.so.2`, via: 'nsswitch.conf: dns', by: `/${DIR}/libc.so.6` }];
    const found = closure.resolve({ roots, platform, start });
    expect(found[0]?.reasons).toEqual([{ by: `/${DIR}/libc.so.6`, via: 'nsswitch.conf: dns' }]);
  });
});

test('a staging folder over a root: its files win, its /lib goes where the root’s link leads', () => {
  const found = resolve(
    [
      { 'usr/sbin/app': program({ needed: ['libown.so', 'libc.so.6'] }), 'lib/libown.so': amd64() },
      { ...base, 'usr/sbin/app': 'an older one' },
    ],
    ['/usr/sbin/app'],
  );
  const own = item(found, '/usr/lib/libown.so');
  expect(own?.type === 'file' && own.source.endsWith(join('lib', 'libown.so'))).toBe(true);
  expect(item(found, '/lib')).toMatchObject({ type: 'symlink', target: 'usr/lib' });
});

test('includes of ld.so.conf that run in a circle', () => {
  const made = { ...base, 'etc/ld.so.conf': 'include /etc/ld.so.conf\n', app: program() };
  expect(thrown(() => resolve(made, ['/app'])).code).toBe('LD_CONF_INVALID');
});
