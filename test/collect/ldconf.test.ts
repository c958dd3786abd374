import { expect, test } from 'vitest';
import * as ldconf from '../../libs/collect/ldconf.ts';
import * as roots from '../../libs/collect/roots.ts';
import * as script from '../../libs/collect/script.ts';
import * as tree from '../support/tree.ts';

test('lines of ld.so.conf', () => {
  expect(
    ldconf.parse('# c\n /usr/local/lib # d\n\n/opt/lib=libc6\nhwcap 1 nosegneg\ninclude a.conf  b/*.conf\nrelative\n'),
  ).toEqual([
    { kind: 'directory', path: '/usr/local/lib' },
    { kind: 'directory', path: '/opt/lib' },
    { kind: 'include', pattern: 'a.conf' },
    { kind: 'include', pattern: 'b/*.conf' },
  ]);
});

test('includes are read in their place, sorted, inside the root', () => {
  const root = roots.open([
    tree.make({
      'etc/ld.so.conf': '/first\ninclude ld.so.conf.d/*.conf\ninclude /none/*.conf one.con?\n/last\n',
      'etc/ld.so.conf.d/b.conf': '/b\n',
      'etc/ld.so.conf.d/a.conf': { link: '/srv/a' },
      'srv/a': '/a/\ninclude nested\n',
      'etc/ld.so.conf.d/nested': '/nested\n',
      'etc/ld.so.conf.d/.hidden.conf': '/hidden\n',
      'etc/ld.so.conf.d/aXconf': '/dot\n',
      'etc/one.conf': '/one\n',
    }),
  ]);
  expect(ldconf.directories(root, '/etc/ld.so.conf')).toEqual(['/first', '/a/', '/nested', '/b', '/one', '/last']);
  expect(ldconf.directories(root, '/etc/none')).toEqual([]);
});

test('#! lines', () => {
  const parse = (text: string): script.Line | undefined => script.parse(Buffer.from(text));
  expect(parse('#!/bin/sh\nexit')).toEqual({ interpreter: '/bin/sh', argument: undefined });
  expect(parse('#! \t/bin/sh -e  x \r\n')).toEqual({ interpreter: '/bin/sh', argument: '-e  x' });
  expect(parse('#!sh\n')).toBeUndefined();
  expect(parse('# /bin/sh\n')).toBeUndefined();
  expect(parse('')).toBeUndefined();
  expect(script.needs({ interpreter: '/usr/bin/env', argument: '-S A=1 perl -w' })[1]?.candidates).toContain(
    '/usr/bin/perl',
  );
});
