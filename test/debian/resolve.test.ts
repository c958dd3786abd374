import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import * as packages from '../../libs/debian/packages.ts';
import { resolve } from '../../libs/debian/resolve.ts';
import { thrown } from '../support/thrown.ts';

type Short = Partial<Omit<packages.PackageRecord, 'name' | 'version'>>;

/** A record from `name version` and what matters. */
function record(title: string, more: Short = {}): packages.PackageRecord {
  const [name = '', version = '1'] = title.split(' ');
  return {
    name,
    version,
    architecture: 'amd64',
    archive: 'debian',
    filename: `pool/${name}_${version}.deb`,
    size: 1,
    sha256: digest.of(title),
    preDepends: '',
    depends: '',
    conflicts: '',
    breaks: '',
    provides: '',
    multiArch: '',
    essential: false,
    priority: 'optional',
    source: name,
    order: 0,
    ...more,
  };
}

const solve = (records: packages.PackageRecord[], ...requests: string[]): string[] =>
  resolve(packages.index(records, 'amd64'), requests).map(({ name, version }) => `${name} ${version}`);
const failure = (records: packages.PackageRecord[], ...requests: string[]) => thrown(() => solve(records, ...requests));

describe('the index', () => {
  test('the highest version is the candidate, wherever it is from', () => {
    const index = packages.index(
      [
        record('a 1.0', { archive: 'debian' }),
        record('a 1.0+deb13u1', { archive: 'debian-security' }),
        record('a 1.0~rc1', { archive: 'debian' }),
        record('a 1.0', { archive: 'debian-security' }),
        record('a 9', { architecture: 'arm64' }),
        record('b 2', { architecture: 'all' }),
      ],
      'amd64',
    );
    expect(index.versions('a').map(({ version, archive }) => [version, archive])).toEqual([
      ['1.0+deb13u1', 'debian-security'],
      ['1.0', 'debian'],
      ['1.0~rc1', 'debian'],
    ]);
    expect(index.candidate('b')?.version).toBe('2');
    expect(index.candidate('c')).toBeUndefined();
  });

  test('only candidates provide', () => {
    const index = packages.index([record('a 1', { provides: 'v' }), record('a 2', { provides: 'w (= 3)' })], 'amd64');
    expect(index.providers('v')).toEqual([]);
    expect(index.providers('w')).toMatchObject([{ version: '3', record: { version: '2' } }]);
  });
});

describe('what is chosen', () => {
  test('dependencies of both kinds, to the end, once, also in a circle; recommendations are not known at all', () => {
    const records = [
      record('a', { depends: 'b, c (>= 1)', preDepends: 'd' }),
      record('b', { depends: 'c' }),
      record('c', { depends: 'a' }),
      record('d'),
      record('e'),
    ];
    expect(solve(records, 'a')).toEqual(['a 1', 'b 1', 'c 1', 'd 1']);
    expect(solve(records, 'a', 'e', 'a')).toEqual(['a 1', 'b 1', 'c 1', 'd 1', 'e 1']);
    expect(solve(records)).toEqual([]);
  });

  test('the first alternative, unless another is there already or asked for', () => {
    const records = [record('a', { depends: 'x | y' }), record('b', { depends: 'y' }), record('x'), record('y')];
    expect(solve(records, 'a')).toEqual(['a 1', 'x 1']);
    expect(solve(records, 'b', 'a')).toEqual(['a 1', 'b 1', 'y 1']);
    expect(solve(records, 'a', 'y')).toEqual(['a 1', 'y 1']);
  });

  test('the next alternative where the first cannot be had, deep down too', () => {
    const records = [
      record('a', { depends: 'x | y' }),
      record('x', { depends: 'deep' }),
      record('deep', { depends: 'missing' }),
      record('y'),
    ];
    expect(solve(records, 'a')).toEqual(['a 1', 'y 1']);
    expect(solve([record('a', { depends: 'b (>= 2) | c' }), record('b'), record('c')], 'a')).toEqual(['a 1', 'c 1']);
  });

  test('virtual packages: a real one of that name, then essential, then by priority', () => {
    const awk = [
      record('a', { depends: 'awk' }),
      record('gawk', { provides: 'awk' }),
      record('mawk', { provides: 'awk', priority: 'required' }),
      record('original-awk', { provides: 'awk' }),
    ];
    expect(solve(awk, 'a')).toEqual(['a 1', 'mawk 1']);
    expect(solve([...awk, record('busybox', { provides: 'awk', essential: true })], 'a')).toContain('busybox 1');
    expect(solve([...awk, record('awk')], 'a')).toEqual(['a 1', 'awk 1']);
    expect(solve(awk, 'awk')).toEqual(['mawk 1']);
  });

  test('a version is asked of a virtual package only if it provides one', () => {
    const records = [
      record('a', { depends: 'v (>= 2)' }),
      record('plain 9', { provides: 'v', priority: 'required' }),
      record('old', { provides: 'v (= 1)' }),
      record('good', { provides: 'v (= 2.1)' }),
    ];
    expect(solve(records, 'a')).toEqual(['a 1', 'good 1']);
  });

  test('another alternative where the first is in conflict with what is there', () => {
    const records = [
      record('a', { depends: 'x | y' }),
      record('x', { conflicts: 'b' }),
      record('y'),
      record('b', { breaks: 'z (<< 2)' }),
    ];
    expect(solve(records, 'a', 'b')).toEqual(['a 1', 'b 1', 'y 1']);
  });

  test('another alternative where what was chosen earlier is in the way later', () => {
    const records = [record('a', { depends: 'x | y, b' }), record('x'), record('y'), record('b', { conflicts: 'x' })];
    expect(solve(records, 'a')).toEqual(['a 1', 'b 1', 'y 1']);
  });

  test('a package may conflict with what it provides itself', () => {
    const mta = record('mta', { provides: 'mail', conflicts: 'mail', breaks: 'mta (<< 1)' });
    expect(solve([mta], 'mta')).toEqual(['mta 1']);
  });

  test('qualifiers: any, native and the own architecture', () => {
    const records = [record('a', { depends: 'b:any, c:native, d:amd64' }), record('b'), record('c'), record('d')];
    expect(solve(records, 'a').length).toBe(4);
    expect(failure([record('a', { depends: 'b:i386' }), record('b')], 'a').code).toBe('DEPENDENCY_UNSATISFIABLE');
  });

  test('a request may be a relation', () => {
    expect(solve([record('a 2')], 'a (>= 2)')).toEqual(['a 2']);
    expect(failure([record('a 2')], 'a (>= 3)').message).toBe(
      'a (>= 3): no version of a satisfies a (>= 3): there is 2',
    );
  });
});

describe('what cannot be had is explained', () => {
  test('as the chain that led to it', () => {
    const records = [
      record('gcc', { depends: 'gcc-14 (>= 14)' }),
      record('gcc-14 14.2', { depends: 'libx (>= 3) | liby' }),
      record('libx 2'),
      record('libx 2.5'),
    ];
    const error = failure(records, 'gcc');
    expect(error.code).toBe('DEPENDENCY_UNSATISFIABLE');
    expect(error.message).toBe(
      'gcc -> gcc-14 (>= 14) -> libx (>= 3) | liby: no version of libx satisfies libx (>= 3): there is 2.5, 2; there is no package liby',
    );
  });

  test('a conflict with both sides', () => {
    const records = [
      record('a', { depends: 'b' }),
      record('b', { depends: 'c' }),
      record('c 1', { conflicts: 'd (<< 2)' }),
      record('e', { depends: 'd' }),
      record('d 1.5'),
    ];
    const error = failure(records, 'e', 'a');
    expect(error.code).toBe('DEPENDENCY_CONFLICT');
    expect(error.message).toContain('a -> b -> c: c 1 has "Conflicts: d (<< 2)"');
    expect(error.message).toContain('d 1.5 is there because of e -> d');
    expect(failure([record('a', { breaks: 'v' }), record('b', { provides: 'v' })], 'a', 'b').code).toBe(
      'DEPENDENCY_CONFLICT',
    );
  });

  test('an unknown request', () => {
    expect(failure([], 'nothing').message).toBe('nothing: there is no package nothing');
  });
});

test('every answer is closed and without conflict, and the same again', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'v');
  const relation = fc.oneof(
    name,
    fc.tuple(name, fc.constantFrom('>=', '<<', '='), fc.nat(3)).map(([it, op, of]) => `${it} (${op} ${of})`),
  );
  const group = fc.array(relation, { minLength: 1, maxLength: 3 }).map((it) => it.join(' | '));
  const field = fc.array(group, { maxLength: 3 }).map((it) => it.join(', '));
  const any = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      version: fc.nat(3),
      depends: field,
      preDepends: field,
      conflicts: fc.array(relation, { maxLength: 1 }).map((it) => it.join(', ')),
      provides: fc.constantFrom('', '', 'v', 'v (= 2)', 'a (= 1)'),
    })
    .map(({ name: it, version, ...more }) => record(`${it} ${version}`, more));
  fc.assert(
    fc.property(
      fc.array(any, { maxLength: 10 }),
      fc.array(name, { minLength: 1, maxLength: 2 }),
      (records, requests) => {
        let chosen: string[];
        try {
          chosen = solve(records, ...requests);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^DEPENDENCY_/) });
          return;
        }
        // With nothing else to choose from, all of it is still wanted and possible: so it was whole.
        const only = records.filter(({ name: it, version }) => chosen.includes(`${it} ${version}`));
        expect(solve(only, ...chosen.map((it) => it.replace(/ .*/, '')))).toEqual(chosen);
        expect(solve(records, ...requests)).toEqual(chosen);
      },
    ),
    { numRuns: 500 },
  );
});
