import type { Finding } from './evaluate.ts';
import { type Severity, severities } from './severity.ts';

/** Of what nobody rated, nothing mild is assumed: it comes first and reaches every level. */
const rank = (severity: Finding['severity']): number =>
  severity === 'unrated' ? severities.length : severities.indexOf(severity);

/** The findings that affect the build, the worst first, in their order where they are alike. */
export const touching = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ state }) => state === 'affected').sort((a, b) => rank(b.severity) - rank(a.severity));

/** Whether the build is affected by something that is at least that severe; what is not rated counts as the worst. */
export const exceeds = (findings: readonly Finding[], level: Severity): boolean =>
  touching(findings).some(({ severity }) => rank(severity) >= rank(level));
