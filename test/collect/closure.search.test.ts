import { describe, expect, test } from 'vitest';
import type * as closure from '../../libs/collect/closure.ts';
import type { Closure } from '../../libs/core/closure.ts';
import { amd64, base, DIR, i386, item, type Made, paths, program, resolve } from '../support/closures.ts';
import { thrown } from '../support/thrown.ts';
import type * as tree from '../support/tree.ts';

/** A token as the loader also takes it, with braces. */
const braced = (name: string): string => `$\{${name}}`;

describe('search order', () => {
  const library = (mark: string): Uint8Array => amd64({ soname: 'libx.so.1', needed: [], imports: [mark] });
  const everywhere = (made: Made, more: tree.Tree = {}): tree.Tree => ({
    ...base,
    'opt/app/bin/app': program({ needed: ['libx.so.1'], ...made }),
    'opt/app/lib/libx.so.1': library('origin'),
    'rpath/libx.so.1': library('rpath'),
    'environment/libx.so.1': library('environment'),
    'conf/libx.so.1': library('conf'),
    'etc/ld.so.conf': 'include ld.so.conf.d/*.conf\n',
    'etc/ld.so.conf.d/a.conf': '# first\n/conf\n',
    'etc/ld.so.conf.d/not-this': '/rpath\n',
    [`${DIR}/libx.so.1`]: library('default'),
    ...more,
  });
  const where = (made: Made, more: tree.Tree = {}, options: Partial<closure.Request> = {}): string | undefined =>
    paths(resolve(everywhere(made, more), ['/opt/app/bin/app'], options)).find((path) => path.endsWith('/libx.so.1'));

  test('RPATH, then LD_LIBRARY_PATH, then RUNPATH, then ld.so.conf, then the defaults', () => {
    const search = ['/environment'];
    expect(where({ rpath: '/rpath' }, {}, { search })).toBe('/rpath/libx.so.1');
    expect(where({ runpath: '/rpath' }, {}, { search })).toBe('/environment/libx.so.1');
    expect(where({ runpath: '/rpath' })).toBe('/rpath/libx.so.1');
    expect(where({})).toBe('/conf/libx.so.1');
    expect(where({}, { 'etc/ld.so.conf': '' })).toBe(`/${DIR}/libx.so.1`);
  });

  test('a RUNPATH makes the RPATH be ignored', () => {
    expect(where({ rpath: '/rpath', runpath: '/nowhere' })).toBe('/conf/libx.so.1');
  });

  test.each(['$ORIGIN/../lib', `${braced('ORIGIN')}/../lib`, '/none:$ORIGIN/../lib/', 'relative::$ORIGIN/../lib'])(
    '%s',
    (runpath) => {
      expect(where({ runpath })).toBe('/opt/app/lib/libx.so.1');
    },
  );

  test('$LIB and $PLATFORM, but no longer names that begin like them', () => {
    const more = { 'p/lib/x86_64-linux-gnu/x86_64/libx.so.1': library('tokens') };
    expect(where({ runpath: `/p/$LIB/${braced('PLATFORM')}` }, more)).toBe('/p/lib/x86_64-linux-gnu/x86_64/libx.so.1');
    expect(where({ runpath: '/p/$LIBS:$ORIGINAL' }, { 'p/$LIBS/libx.so.1': library('literal') })).toBe(
      '/p/$LIBS/libx.so.1',
    );
  });

  test('files of another class or machine are passed over', () => {
    expect(
      where(
        { runpath: '/32:/arm:/rpath' },
        {
          '32/libx.so.1': i386(),
          'arm/libx.so.1': amd64({ machine: 183 }),
        },
      ),
    ).toBe('/rpath/libx.so.1');
  });

  test('a file that is no ELF file ends the search, as in ld.so', () => {
    const error = thrown(() => where({ runpath: '/text:/rpath' }, { 'text/libx.so.1': 'INPUT(libx.so)' }));
    expect(error).toMatchObject({ code: 'ELF_INVALID', message: expect.stringContaining('/text/libx.so.1') });
    expect(thrown(() => where({ runpath: '/d' }, { 'd/libx.so.1/in': '' })).code).toBe('ELF_INVALID');
    expect(thrown(() => where({ runpath: '/d' }, { 'd/libx.so.1': program({ type: 2 }) })).code).toBe('ELF_INVALID');
  });

  test('the RPATH of a program serves its libraries, its RUNPATH does not', () => {
    const chain =
      (made: Made, library: Made = {}): (() => Closure) =>
      () =>
        resolve(
          {
            ...base,
            'bin/app': program({ needed: ['liba.so'], ...made }),
            'p/liba.so': amd64({ soname: 'liba.so', needed: ['libb.so'], ...library }),
            'p/libb.so': amd64({ soname: 'libb.so' }),
          },
          ['/bin/app'],
        );
    expect(paths(chain({ rpath: '/p' })())).toContain('/p/libb.so');
    expect(thrown(chain({ runpath: '/p' })).code).toBe('LIBRARY_MISSING');
    expect(thrown(chain({ rpath: '/p', runpath: '/p' })).code).toBe('LIBRARY_MISSING');
    expect(thrown(chain({ rpath: '/p' }, { runpath: '/none' })).code).toBe('LIBRARY_MISSING');
  });

  test('-z nodefaultlib', () => {
    const only: tree.Tree = { ...base, app: program({ needed: ['libc.so.6'], flags1: 0x800 }) };
    expect(thrown(() => resolve(only, ['/app'])).code).toBe('LIBRARY_MISSING');
  });

  test('a name with a slash is a path', () => {
    const made = { ...base, app: program({ needed: ['$ORIGIN/plugin/libp.so'] }), 'plugin/libp.so': amd64() };
    expect(paths(resolve(made, ['/app']))).toContain('/plugin/libp.so');
    const relative = { ...made, app: program({ needed: ['plugin/libp.so'] }) };
    expect(thrown(() => resolve(relative, ['/app'])).code).toBe('LIBRARY_MISSING');
  });

  test('a library that is loaded already is taken by its name or soname, wherever it lies', () => {
    const found = resolve(
      {
        ...base,
        'bin/app': program({ needed: ['libfile.so', 'libuser.so'], runpath: '/p' }),
        'p/libfile.so': amd64({ soname: 'libsoname.so.1' }),
        'p/libuser.so': amd64({ needed: ['libsoname.so.1', 'libfile.so'] }),
      },
      ['/bin/app'],
    );
    expect(item(found, '/p/libfile.so')?.reasons).toEqual([
      { by: '/bin/app', via: 'DT_NEEDED libfile.so' },
      { by: '/p/libuser.so', via: 'DT_NEEDED libsoname.so.1' },
      { by: '/p/libuser.so', via: 'DT_NEEDED libfile.so' },
    ]);
  });

  test('$ORIGIN of a library is where it was found, of a program where it really lies', () => {
    const found = resolve(
      {
        ...base,
        'bin/app': { link: '../opt/real/app' },
        'opt/real/app': program({ needed: ['liba.so'], runpath: '$ORIGIN/lib' }),
        'opt/real/lib/liba.so': { link: '/store/liba.so' },
        'store/liba.so': amd64({ needed: ['libb.so'], runpath: '$ORIGIN' }),
        'opt/real/lib/libb.so': amd64({ imports: ['beside the link'] }),
        'store/libb.so': amd64({ imports: ['beside the file'] }),
      },
      ['/bin/app'],
    );
    expect(paths(found)).toContain('/opt/real/lib/libb.so');
    expect(paths(found)).not.toContain('/store/libb.so');
  });
});
