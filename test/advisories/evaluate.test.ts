import { describe, expect, test } from 'vitest';
import { type BuildFacts, evaluate } from '../../libs/advisories/evaluate.ts';
import { touching } from '../../libs/advisories/report.ts';
import type { Advisory } from '../../libs/advisories/schema.ts';
import { thrown } from '../support/thrown.ts';
import { advisories, made, plain, trixie } from './support.ts';

const one = (advisory: Advisory, build: BuildFacts) => {
  const [finding] = evaluate([advisory], build);
  if (finding === undefined) return expect.fail('no finding');
  return finding;
};
const state = (advisory: Advisory, build: Partial<BuildFacts>) => one(advisory, { ...plain, ...build }).state;
const real = (id: string, build: BuildFacts) =>
  evaluate(advisories, build).find((finding) => finding.id === id) ?? expect.fail(id);

describe('releases', () => {
  test.each([
    ['1.24.0', 'not-applicable'],
    ['1.25.0', 'affected'],
    ['1.26.3', 'affected'],
    ['1.30.4', 'affected'],
    ['1.30.5', 'fixed'],
    ['1.30.10', 'fixed'],
    // A mainline branch that ended before the fix never got it; one that is older than the fix waits for it.
    ['1.29.8', 'affected'],
    ['1.31.0', 'affected'],
    ['1.31.5', 'affected'],
    ['1.31.6', 'fixed'],
    ['1.32.0', 'fixed'],
  ])('%s: %s', (nginx, expected) => {
    expect(state(made(), { nginx })).toBe(expected);
  });

  test('a gap between two ranges is not affected', () => {
    const affected = [
      { from: '1.30.0', to: '1.30.4' },
      { from: '1.31.2', to: '1.31.5' },
    ];
    expect(state(made({ affected }), { nginx: '1.31.1' })).toBe('not-applicable');
    expect(state(made({ affected }), { nginx: '1.31.2' })).toBe('affected');
  });

  test('a range without a beginning has every older release', () => {
    expect(state(made({ affected: [{ to: '1.31.5' }] }), { nginx: '0.7.0' })).toBe('affected');
  });

  test('it is said why', () => {
    expect(one(made(), { ...plain, nginx: '1.24.0' }).why).toBe('nginx 1.24.0 is none of 1.25.0-1.31.5');
    expect(one(made(), { ...plain, nginx: '1.30.6' }).why).toBe('fixed in nginx 1.30.5');
    expect(one(made({ configuration: 'mp4' }), plain)).toEqual({
      id: 'CVE-2026-1234',
      severity: 'medium',
      title: 'Something',
      state: 'affected',
      why: 'fixed in nginx 1.31.6 and 1.30.5; only with: mp4',
      configuration: 'mp4',
      link: 'https://nginx.org/',
    });
  });
});

describe("Debian's package", () => {
  const advisory = made({
    debian: { trixie: '1.26.3-3+deb13u10' },
    patches: [['CVE-2026-1234.patch'], ['a.1.patch', 'a.2.patch']],
  });

  test('is fixed from its revision on, compared as Debian compares', () => {
    expect(one(advisory, trixie(9)).why).toBe("fixed in Debian's 1.26.3-3+deb13u10");
    expect([9, 10, 11].map((revision) => state(advisory, trixie(revision)))).toEqual(['affected', 'fixed', 'fixed']);
  });

  test('the updates of a suite are that suite', () => {
    const debian = { suite: 'trixie-security', version: '1.26.3-3+deb13u11', patches: [] };
    expect(state(advisory, { ...trixie(0), debian })).toBe('fixed');
  });

  test('is fixed by a patch of its series, or by all of several', () => {
    expect(one(advisory, trixie(9, 'x.patch', 'CVE-2026-1234.patch -p1')).why).toBe(
      "fixed by Debian's patch CVE-2026-1234.patch",
    );
    expect(state(advisory, trixie(9, 'a.2.patch'))).toBe('affected');
    expect(state(advisory, trixie(9, 'a.2.patch', 'a.1.patch'))).toBe('fixed');
  });

  test('an older revision has it, although its release is not told to', () => {
    const untold = { ...advisory, affected: [{ from: '1.30.0', to: '1.30.4' }] };
    expect(state(untold, trixie(9))).toBe('affected');
    expect(state(untold, { nginx: '1.26.3' })).toBe('not-applicable');
  });

  test('a revision says nothing of another release', () => {
    const debian = { suite: 'trixie', version: '1.30.4-7~bpo13+1', patches: [] };
    expect(state(advisory, { nginx: '1.30.4', debian })).toBe('affected');
    expect(state(advisory, { nginx: '1.30.5', debian: { ...debian, version: '1.30.5-1~bpo13+1' } })).toBe('fixed');
  });

  test('of a suite that is not told of is judged by its release', () => {
    expect(state(advisory, { nginx: '1.26.3', debian: { suite: 'duke', version: '1.26.3-9', patches: [] } })).toBe(
      'affected',
    );
  });

  test('a version that is none is an error', () => {
    const debian = { suite: 'trixie', version: 'new', patches: [] };
    expect(thrown(() => evaluate([advisory], { ...plain, debian })).code).toBe('VERSION_INVALID');
  });
});

describe('conditions', () => {
  test('all of them are needed, each by one of its alternatives', () => {
    const condition: Advisory['condition'] = [
      [{ module: 'http_ssi' }],
      [{ module: 'threads' }, { module: 'file_aio' }],
    ];
    const judged = (...words: string[]) => one(made({ condition }), { ...plain, features: words });
    expect(judged('--with-threads').state).toBe('affected');
    expect(judged('--with-file-aio').state).toBe('affected');
    expect(judged()).toMatchObject({
      state: 'not-applicable',
      why: 'needs threads or file_aio; this build was compiled without',
    });
    expect(judged('--with-threads', '--without-http_ssi_module').state).toBe('not-applicable');
  });

  test('HTTP/3 over an old OpenSSL is not HTTP/3 over a new one', () => {
    const id = 'CVE-2026-90439';
    expect(real(id, { ...plain, quic: 'compat', openssl: '3.5.0' }).state).toBe('affected');
    expect(real(id, plain)).toMatchObject({
      state: 'not-applicable',
      why: "needs QUIC over OpenSSL < 3.5.1; this build has OpenSSL's own QUIC, OpenSSL 3.5.7-1~deb13u3",
    });
    expect(real(id, { ...plain, quic: 'none', features: [] }).why).toBe(
      'needs http_v3; this build was compiled without',
    );
    expect(real(id, { ...plain, nginx: '1.30.5', quic: 'compat' }).state).toBe('fixed');
    expect(real(id, trixie(7)).state).toBe('not-applicable');
  });
});

describe('other components', () => {
  const advisory = made({ component: 'njs', affected: [{ from: '0.9.9', to: '1.0.0' }], fixed: ['1.0.1'] });
  test.each<[Record<string, string>, string, string]>([
    [{}, 'not-applicable', 'this build has no njs'],
    [{ lua: '0.10.28' }, 'not-applicable', 'this build has no njs'],
    [{ njs: '0.8.9-1' }, 'not-applicable', 'njs 0.8.9 is none of 0.9.9-1.0.0'],
    [{ njs: '1:1.0.0-4' }, 'affected', 'fixed in njs 1.0.1'],
    [{ njs: 'v1.0.2' }, 'fixed', 'fixed in njs 1.0.1'],
    // A commit: nobody can say.
    [{ njs: '3e02ae0f' }, 'affected', 'njs 3e02ae0f is no release; fixed in 1.0.1'],
  ])('%j: %s', (modules, expected, why) => {
    expect(one(advisory, { ...plain, modules })).toMatchObject({ state: expected, why });
  });
});

test('the facts: trixie and the releases of 1.30', () => {
  const ids = (build: BuildFacts) => touching(evaluate(advisories, build)).map(({ id }) => id);
  const before = ids(trixie(7));
  expect(before).toEqual(expect.arrayContaining(['CVE-2026-42533', 'CVE-2026-15176', 'CVE-2026-123633']));
  expect(before).not.toContain('CVE-2026-42945');
  expect(ids(trixie(11))).toEqual([]);
  expect(ids({ ...plain, nginx: '1.30.6' }).sort()).toEqual([
    'CVE-2026-118899',
    'CVE-2026-121810',
    'CVE-2026-123007',
    'CVE-2026-123633',
    'CVE-2026-123634',
    'CVE-2026-125283',
  ]);
  expect(ids({ ...plain, nginx: '1.30.7' })).toEqual([]);
  expect(ids({ ...plain, nginx: '1.31.9' })).toEqual([]);
});
