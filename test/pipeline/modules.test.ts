import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import type { Lock, PinnedSource } from '../../libs/core/lock.ts';
import type { ForeignModule, NginxModule } from '../../libs/core/module.ts';
import type { ModuleChoice, Recipe } from '../../libs/core/recipe.ts';
import { choose } from '../../libs/pipeline/modules.ts';
import * as parts from '../../libs/pipeline/parts.ts';
import { debian } from '../../nginx-quic/channels/debian.ts';
import { packaged } from '../../nginx-quic/channels/packaged.ts';
import { stable } from '../../nginx-quic/channels/stable.ts';
import recipe from '../../nginx-quic/recipe.ts';
import { thrown } from '../support/thrown.ts';

const module = (name: string, more: Partial<NginxModule> = {}): NginxModule => ({
  name,
  summary: '',
  homepage: `https://${name}.test`,
  source: { debian: `src-${name}` },
  link: { default: 'dynamic' },
  objects: [`${name}.so`],
  packages: [`libnginx-mod-${name}`],
  smoke: { server: '', request: { path: '/' }, expect: { status: 200 } },
  ...more,
});
const catalogue = [
  module('echo'),
  module('late', { after: ['echo', 'lua'] }),
  module('lua', { link: { default: 'static' }, requires: ['ndk'], needsLuajit: true }),
  module('misc', { requires: ['ndk'] }),
  module('ndk', { link: { default: 'static' } }),
  module('profiler', { source: 'nginx', link: { default: 'static', only: true }, packages: [] }),
  module('pinned', { source: { git: 'https://git.test/x', commit: 'a'.repeat(40), version: 'v1' }, packages: [] }),
];
const file = { archive: 'debian', path: 'pool/x', size: 1, sha256: digest.of('x') };
const source = (more: Partial<PinnedSource> = {}): PinnedSource => ({
  package: 'x',
  version: '1:2.0-3',
  orig: file,
  ...more,
});
const lock = (sources: Record<string, PinnedSource> = {}): Lock => ({
  schema: 1,
  archives: {},
  definitions: {},
  roots: Object.fromEntries(
    ['echo', 'late', 'lua', 'misc', 'ndk'].map((name) => [
      parts.names.package(name),
      [{ ...file, name: `libnginx-mod-${name}`, version: '1:1.9-1', architecture: 'amd64' }],
    ]),
  ),
  sources: { ...Object.fromEntries(catalogue.map(({ name }) => [name, source()])), ...sources },
});
const of = (
  modules: readonly ModuleChoice[],
  more: Partial<Recipe> = {},
  locked: Lock = lock(),
  foreign: ReadonlyMap<string, ForeignModule> = new Map(),
  all: readonly NginxModule[] = catalogue,
): ReturnType<typeof choose> =>
  choose({ ...recipe, channel: debian, ...more, modules }, { catalogue: all, foreign }, locked);
const short = (chosen: ReturnType<typeof choose>): string[] =>
  chosen.map(({ module: { name }, link, origin }) => `${name} ${link} ${origin}`);

describe('choosing modules', () => {
  test('what a module needs is added and comes before it', () => {
    expect(short(of([{ name: 'misc' }]))).toEqual(['ndk static source', 'misc dynamic source']);
    expect(short(of([{ name: 'misc' }, { name: 'ndk', link: 'dynamic' }]))).toEqual([
      'ndk dynamic source',
      'misc dynamic source',
    ]);
  });

  test('one that wants to come after others does so where they are there, and adds none', () => {
    expect(short(of([{ name: 'late' }]))).toEqual(['late dynamic source']);
    const names = of([{ name: 'late' }, { name: 'lua' }, { name: 'echo' }]).map((one) => one.module.name);
    expect(names).toEqual(['ndk', 'lua', 'echo', 'late']);
  });

  test('which dynamic modules there are changes nothing of the static ones', () => {
    const linked = (names: readonly string[]): string[] =>
      short(of(names.map((name) => ({ name })))).filter((text) => text.includes('static'));
    const order = [
      ...catalogue,
      module('a-first', { requires: ['zz'] }),
      module('zz', { link: { default: 'static' } }),
    ];
    const withFirst = of(
      ['a-first', 'lua', 'zz'].map((name) => ({ name })),
      {},
      lock({ zz: source(), 'a-first': source() }),
      new Map(),
      order,
    );
    const without = of(
      ['lua', 'zz'].map((name) => ({ name })),
      {},
      lock({ zz: source() }),
      new Map(),
      order,
    );
    expect(short(withFirst).filter((text) => text.includes('static'))).toEqual(short(without));
    expect(linked(['lua', 'echo', 'misc'])).toEqual(linked(['lua']));
  });

  test('the last choice of a name counts', () => {
    expect(short(of([{ name: 'echo' }, { name: 'echo', link: 'static' }]))).toEqual(['echo static source']);
  });

  test('versions: of the source, of Debian’s object, of the commit, of nothing', () => {
    const found = of([{ name: 'echo' }, { name: 'pinned' }, { name: 'profiler' }]);
    expect(found.map(({ module: { name }, version }) => [name, version])).toEqual([
      ['profiler', 'nginx'],
      ['echo', '2.0'],
      ['pinned', 'v1'],
    ]);
    expect(of([{ name: 'echo' }], { channel: packaged }).map(({ version }) => version)).toEqual(['1.9']);
  });

  test('on the packaged channel all are Debian’s objects', () => {
    expect(short(of([{ name: 'lua' }, { name: 'echo' }], { channel: packaged }))).toEqual([
      'echo dynamic package',
      'ndk dynamic package',
      'lua dynamic package',
    ]);
    expect(of([{ name: 'echo' }, { name: 'lua' }])).toEqual(of([{ name: 'lua' }, { name: 'echo' }]));
  });

  test('a source that nobody serves: Debian’s object where it fits, else the source', () => {
    const unserved = lock({ echo: source({ unserved: true }) });
    expect(short(of([{ name: 'echo' }], {}, unserved))).toEqual(['echo dynamic package']);
    expect(short(of([{ name: 'echo', link: 'static' }], {}, unserved))).toEqual(['echo static source']);
    const without = { ...unserved, roots: {} };
    expect(short(of([{ name: 'echo' }], { channel: stable }, without))).toEqual(['echo dynamic source']);
  });

  test('a module of the user’s own', () => {
    const own = (path: string): ForeignModule => ({
      name: 'own',
      summary: '',
      homepage: path,
      link: { default: 'dynamic' },
      objects: [],
      source: { path, sha256: digest.of(path) },
    });
    const foreign = new Map([
      ['/x/folder', own('/x/folder')],
      ['/x/own.so', own('/x/own.so')],
    ]);
    expect(short(of([{ name: '/x/folder' }], {}, lock(), foreign))).toEqual(['own dynamic source']);
    expect(short(of([{ name: '/x/own.so' }], {}, lock(), foreign))).toEqual(['own dynamic object']);
    const linked = thrown(() => of([{ name: '/x/own.so', link: 'static' }], {}, lock(), foreign));
    expect(linked.code).toBe('MODULE_LINK');
  });
});

test('a source of the user’s own is compiled, also where Debian has an object', () => {
  const unserved = lock({ echo: source({ unserved: true }) });
  const offer = { catalogue, foreign: new Map() };
  const chosen = choose(
    { ...recipe, channel: debian, modules: [{ name: 'echo' }] },
    offer,
    unserved,
    new Set(['echo']),
  );
  expect(short(chosen)).toEqual(['echo dynamic source']);
});

test.each(['nginx', 'luajit', 'echo'])('a module of the user’s own cannot be called %s beside it', (name) => {
  const own: ForeignModule = {
    name,
    summary: '',
    homepage: '/x',
    link: { default: 'dynamic' },
    objects: [],
    source: { path: '/x', sha256: digest.of('x') },
  };
  const both = [{ name: '/x' }, { name: 'echo' }];
  expect(thrown(() => of(both, {}, lock(), new Map([['/x', own]]))).code).toBe('MODULE_INVALID');
});

describe('what cannot be chosen', () => {
  const cyclic = [module('a', { after: ['b'] }), module('b', { requires: ['c'] }), module('c', { after: ['a'] })];

  test.each<[string, () => unknown, string, string]>([
    ['a name that is not known', () => of([{ name: 'nonsense' }]), 'MODULE_UNKNOWN', 'echo, late, lua'],
    [
      'an order that goes round',
      () =>
        of(
          ['a', 'b', 'c'].map((name) => ({ name })),
          {},
          lock(),
          new Map(),
          cyclic,
        ),
      'MODULE_CYCLE',
      'a after b after c after a',
    ],
    [
      'a static one that needs a dynamic one',
      () => of([{ name: 'lua' }, { name: 'ndk', link: 'dynamic' }]),
      'MODULE_LINK',
      'lua=dynamic',
    ],
    [
      'a link that it does not have',
      () => of([{ name: 'profiler', link: 'dynamic' }]),
      'MODULE_LINK',
      'profiler=static',
    ],
    [
      'static where nothing is compiled',
      () => of([{ name: 'echo', link: 'static' }], { channel: packaged }),
      'MODULE_LINK',
      'echo=dynamic',
    ],
    [
      'one that Debian does not package',
      () => of([{ name: 'pinned' }], { channel: packaged }),
      'MODULE_UNAVAILABLE',
      '--channel debian --module pinned',
    ],
  ])('%s', (_name, work, code, words) => {
    const error = thrown(work);
    expect(error.code).toBe(code);
    expect([error.expected, error.found, error.hint].join(' ')).toContain(words);
  });
});
