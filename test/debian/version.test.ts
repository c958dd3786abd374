import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare, type Operator, parse, satisfies } from '../../libs/debian/version.ts';
import { thrown } from '../support/thrown.ts';

/** Versions as they occur and as they hurt: long runs of digits, `~`, `+`, letters beside signs, epochs, no revision. */
const piece = fc.constantFrom(
  '0',
  '1',
  '9',
  '10',
  '00',
  '01',
  'a',
  'Z',
  'b',
  '~',
  '~~',
  '.',
  '+',
  'deb',
  'rc',
  '99999999999999999999',
);
const part = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
const version = fc
  .tuple(
    fc.option(fc.nat(3)),
    fc.nat(12),
    part,
    fc.option(fc.array(piece, { minLength: 1, maxLength: 4 }).map((it) => it.join(''))),
  )
  .map(
    ([epoch, first, rest, revision]) =>
      `${epoch === null ? '' : `${epoch}:`}${first}${rest}${revision === null ? '' : `-${revision}`}`,
  );
/** Many pairs that differ in little. */
const pair = fc.oneof(
  fc.tuple(version, version),
  fc.tuple(version, part).map(([base, tail]): [string, string] => [base, `${base}${tail}`]),
);

const dpkg = spawnSync('dpkg', ['--version']).error === undefined;

/** What dpkg says of each pair, all in one shell: thousands of processes, but no pipe to each of them. */
function ask(pairs: readonly (readonly [string, string, Operator])[]): boolean[] {
  const words: Record<Operator, string> = { '<<': 'lt', '<=': 'le', '=': 'eq', '>=': 'ge', '>>': 'gt' };
  const script =
    'while read -r a op b; do if dpkg --compare-versions "$a" "$op" "$b"; then echo 1; else echo 0; fi; done';
  const { stdout } = spawnSync('sh', ['-c', script], {
    input: `${pairs.map(([a, b, operator]) => `${a} ${words[operator]} ${b}`).join('\n')}\n`,
    encoding: 'utf8',
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line === '1');
}

test.skipIf(!dpkg)('agrees with dpkg --compare-versions', { timeout: 60_000 }, () => {
  const operators: Operator[] = ['<<', '=', '>>', '<=', '>='];
  const cases = fc
    .sample(pair, { numRuns: 2500, seed: 7 })
    .map(([a, b], index) => [a, b, operators[index % operators.length] ?? '='] as const);
  const theirs = ask(cases);
  expect(theirs.length).toBe(cases.length);
  const wrong = cases.filter(([a, b, operator], index) => satisfies(a, operator, b) !== theirs[index]);
  expect(wrong).toEqual([]);
  // The pairs are such that both answers are frequent.
  expect(theirs.filter((answer) => answer).length).toBeGreaterThan(500);
});

describe('the order', () => {
  test('is that of the policy', () => {
    const sorted = [
      '1.0~~',
      '1.0~~a',
      '1.0~',
      '1.0',
      '1.0-0.1',
      '1.0-1',
      '1.0a',
      '1.0+b',
      '1.0.1',
      '1.2',
      '1.10',
      '1:0.1',
    ];
    for (const [index, older] of sorted.entries()) {
      for (const newer of sorted.slice(index + 1)) expect(compare(older, newer), `${older} ${newer}`).toBeLessThan(0);
    }
    expect(compare('1.0', '1.0-0')).toBe(0);
    expect(compare('0:1.00', '1.0')).toBe(0);
  });

  test('is total', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)) + 0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

test('a version is taken apart at the first colon and the last hyphen', () => {
  expect(parse('2:1.2-rc1-3')).toEqual({ epoch: 2, upstream: '1.2-rc1', revision: '3' });
  expect(parse('1.2')).toEqual({ epoch: 0, upstream: '1.2', revision: '' });
});

test.each(['', 'a', '-1', '1 0', 'x:1', '1_0', '1:'])('%j is VERSION_INVALID', (text) => {
  expect(thrown(() => parse(text)).code).toBe('VERSION_INVALID');
});
