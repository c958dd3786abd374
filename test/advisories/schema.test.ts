import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as releases from '../../libs/advisories/releases.ts';
import { parse } from '../../libs/advisories/schema.ts';
import * as version from '../../libs/debian/version.ts';
import { thrown } from '../support/thrown.ts';

const repository = join(import.meta.dirname, '../..');
const valid = {
  schema: 1,
  checked: '2026-11-21',
  advisories: [
    {
      id: 'CVE-2026-1234',
      title: 'Something',
      affected: [{ to: '1.31.8' }],
      fixed: ['1.31.9'],
      links: ['https://nginx.org/'],
    },
  ],
};
const changed = (change: object): string =>
  JSON.stringify({ ...valid, advisories: valid.advisories.map((entry) => ({ ...entry, ...change })) });

test('what may be left out has a neutral value', () => {
  expect(parse(JSON.stringify(valid), 'x.json')).toEqual([
    { ...valid.advisories[0], component: 'nginx', debian: {}, patches: [], condition: [] },
  ]);
});

test('patches and conditions are lists of alternatives', () => {
  const [advisory] = parse(
    changed({
      patches: ['a.patch', ['b.1.patch', 'b.2.patch']],
      condition: [{ module: 'http_v3' }, { any: [{ quic: 'compat' }, { module: 'mail' }] }],
    }),
    'x.json',
  );
  expect(advisory?.patches).toEqual([['a.patch'], ['b.1.patch', 'b.2.patch']]);
  expect(advisory?.condition).toEqual([[{ module: 'http_v3' }], [{ quic: 'compat' }, { module: 'mail' }]]);
});

test.each<[string, string, string]>([
  ['no JSON', '{', 'is not JSON'],
  ['another schema', JSON.stringify({ ...valid, schema: 2 }), 'schema'],
  ['no day of checking', JSON.stringify({ ...valid, checked: 'today' }), 'checked'],
  ['an id that is none', changed({ id: 'CVE-26-1' }), 'advisories.0.id'],
  ["a severity that is not nginx's", changed({ severity: 'critical' }), 'advisories.0.severity'],
  ['a range that is not of releases', changed({ affected: [{ to: 'all' }] }), 'advisories.0.affected.0.to'],
  ['no fix', changed({ fixed: [] }), 'advisories.0.fixed'],
  ["a revision that is not Debian's", changed({ debian: { trixie: 'x' } }), 'advisories.0.debian.trixie'],
  ['a part of nginx that is not known', changed({ condition: [{ module: 'http_mp3' }] }), 'advisories.0.condition.0'],
  ['no source', changed({ links: [] }), 'advisories.0.links'],
  ['a source without TLS', changed({ links: ['http://nginx.org/'] }), 'advisories.0.links.0'],
  ['a field that is not known', changed({ note: 'x' }), 'note'],
  [
    'the same twice',
    JSON.stringify({ ...valid, advisories: [...valid.advisories, ...valid.advisories] }),
    'CVE-2026-1234',
  ],
])('%s is an error that says where', (_name, text, where) => {
  const error = thrown(() => parse(text, 'x.json'));
  expect(error.code).toBe('ADVISORIES_INVALID');
  expect(error.message).toContain('x.json');
  expect(error.message).toContain(where);
});

describe('the advisories of the repository', () => {
  const advisories = parse(readFileSync(join(repository, 'nginx-quic/advisories.json'), 'utf8'), 'advisories.json');

  test('reach from 1.26.0 to the newest release', () => {
    expect(advisories.length).toBeGreaterThan(40);
    const newest = advisories.filter(({ fixed }) => fixed.includes('1.30.7')).map(({ id }) => id);
    expect(newest).toHaveLength(9);
    expect(newest).toContain('CVE-2026-123633');
    expect(advisories.find(({ id }) => id === 'CVE-2024-31079')?.fixed).toEqual(['1.27.0', '1.26.1']);
  });

  test('agree with themselves: a range begins before it ends, and what fixes it ends it', () => {
    for (const { id, affected, fixed } of advisories) {
      for (const { from, to } of affected) {
        expect(from === undefined || releases.compare(from, to) <= 0, id).toBe(true);
        expect(releases.fixedBy(to, fixed), id).toBeUndefined();
      }
      for (const fix of fixed) expect(releases.fixedBy(fix, fixed), id).toBe(fix);
    }
  });

  test("Debian's revisions are of the release of their suite", () => {
    const upstream = { trixie: /^1\.26\.3$/, bookworm: /^1\.22\.1$/, forky: /^1\.(28|30)\.\d+$/ };
    for (const { id, debian } of advisories) {
      for (const [suite, revision] of Object.entries(debian)) {
        expect(version.parse(revision).upstream, id).toMatch(upstream[suite as keyof typeof upstream]);
      }
    }
  });

  test('name every patch of a vulnerability that the lock names', () => {
    const lock = JSON.parse(readFileSync(join(repository, 'nginx-quic/locks/debian.json'), 'utf8'));
    const series: string[] = lock.sources.nginx.patches;
    const known = new Set(advisories.flatMap(({ patches }) => patches.flat()));
    const fixes = series.filter((name) => name.startsWith('CVE-'));
    expect(fixes.length).toBeGreaterThan(10);
    expect(fixes.filter((name) => !known.has(name))).toEqual([]);
  });
});
