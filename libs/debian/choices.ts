import type { PackageIndex, PackageRecord } from './packages.ts';
import type { Alternatives, Relation } from './relation.ts';
import * as version from './version.ts';

/** The order of the Priority field (Debian Policy 2.5). */
const PRIORITIES: readonly string[] = ['required', 'important', 'standard', 'optional', 'extra'];

/** Whether a package of that name and version is in the relation; without a version (a virtual package) only if none is asked for. */
export const holds = ({ operator, version: than }: Relation, offered: string | undefined): boolean =>
  operator === undefined || than === undefined || (offered !== undefined && version.satisfies(offered, operator, than));

/** Whether the relation can be about packages of that architecture. */
export const sameArchitecture = ({ qualifier }: Relation, architecture: string): boolean =>
  qualifier === undefined || qualifier === 'any' || qualifier === 'native' || qualifier === architecture;

/**
 * The packages that would satisfy a dependency, the best first, by apt's rules: alternatives in the order of the field; for
 * each, the package of that name, then those that provide it: essential ones first, then by priority, and then what apt's
 * cache came to know last.
 */
export function solutions(index: PackageIndex, alternatives: Alternatives): PackageRecord[] {
  const found = new Set<PackageRecord>();
  for (const wanted of alternatives) {
    if (!sameArchitecture(wanted, index.architecture)) continue;
    const candidate = index.candidate(wanted.name);
    if (candidate !== undefined && holds(wanted, candidate.version)) found.add(candidate);
    const providers = index
      .providers(wanted.name)
      .filter((provider) => holds(wanted, provider.version))
      .map(({ record }) => record);
    for (const record of providers.sort(preferred)) found.add(record);
  }
  return [...found];
}

const preferred = (a: PackageRecord, b: PackageRecord): number =>
  Number(b.essential) - Number(a.essential) ||
  PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) ||
  b.order - a.order;
