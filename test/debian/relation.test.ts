import { describe, expect, test } from 'vitest';
import { format, parse } from '../../libs/debian/relation.ts';
import { thrown } from '../support/thrown.ts';

const amd64 = { architecture: 'amd64' };

test('alternatives, versions and qualifiers', () => {
  expect(parse('libc6 (>= 2.34), perl:any | perl5 (<<5.8~), gcc-14-base (= 14.2.0-19)', amd64)).toEqual([
    [{ name: 'libc6', operator: '>=', version: '2.34' }],
    [
      { name: 'perl', qualifier: 'any' },
      { name: 'perl5', operator: '<<', version: '5.8~' },
    ],
    [{ name: 'gcc-14-base', operator: '=', version: '14.2.0-19' }],
  ]);
  expect(parse('', amd64)).toEqual([]);
  expect(parse('a (< 1), b (> 2),', amd64).flat().map(format)).toEqual(['a (<= 1)', 'b (>= 2)']);
});

describe('restrictions', () => {
  const names = (field: string, profiles: string[] = []): string[] =>
    parse(field, { architecture: 'amd64', profiles })
      .flat()
      .map(({ name }) => name);

  test('architectures', () => {
    expect(names('a [amd64], b [arm64 i386], c [!amd64], d [!i386], e [linux-any], f [any-amd64]')).toEqual([
      'a',
      'd',
      'e',
      'f',
    ]);
    expect(names('a [arm64] | b')).toEqual(['b']);
  });

  test('build profiles', () => {
    const field = 'a <!nocheck>, b <stage1>, c <!stage1 !cross>, d <cross> <stage1>, e (>= 1) [amd64] <!nodoc>';
    expect(names(field)).toEqual(['a', 'c', 'e']);
    expect(names(field, ['stage1'])).toEqual(['a', 'b', 'd', 'e']);
    expect(names(field, ['nocheck', 'nodoc'])).toEqual(['c']);
  });
});

test.each(['A', 'a (1)', 'a (>= 1', 'a b', 'a (>= )', '|'])('%j is RELATION_INVALID', (field) => {
  expect(thrown(() => parse(field, amd64)).code).toBe('RELATION_INVALID');
});
