import { expect, test } from 'vitest';
import { evaluate } from '../../libs/advisories/evaluate.ts';
import { exceeds, touching } from '../../libs/advisories/report.ts';
import { made, plain } from './support.ts';

const all = evaluate(
  [
    made({ id: 'CVE-2026-0001', severity: 'low' }),
    made({ id: 'CVE-2026-0002', severity: 'major', fixed: ['1.30.0'] }),
    made({ id: 'CVE-2026-0003', severity: 'medium' }),
    made({ id: 'CVE-2026-0004', severity: 'low' }),
  ],
  plain,
);

test('has what affects the build, the worst first', () => {
  expect(touching(all).map(({ id }) => id)).toEqual(['CVE-2026-0003', 'CVE-2026-0001', 'CVE-2026-0004']);
});

test('a level is reached by what is at least that severe and affects the build', () => {
  expect((['low', 'medium', 'major'] as const).map((level) => exceeds(all, level))).toEqual([true, true, false]);
  expect(exceeds([], 'low')).toBe(false);
});

test('what nobody rated reaches every level', () => {
  const { severity: _, ...unrated } = made({ id: 'CVE-2026-0005' });
  const findings = [...all, ...evaluate([unrated], plain)];
  expect(touching(findings)[0]).toMatchObject({ id: 'CVE-2026-0005', severity: 'unrated' });
  expect(exceeds(findings, 'major')).toBe(true);
});
