import { holds } from './choices.ts';
import type { PackageRecord } from './packages.ts';
import * as relation from './relation.ts';

/**
 * Why each of these packages is there: the packages that lead to it, from a requested one to the one that depends on it, by
 * the shortest way; none for a requested one. Packages that nothing leads to have no entry.
 */
export function chains(
  records: readonly PackageRecord[],
  requests: readonly string[],
  architecture: string,
): Map<string, readonly string[]> {
  const offers = offersOf(records, architecture);
  const satisfying = (field: string): PackageRecord[] =>
    relation
      .parse(field, { architecture })
      .flatMap((alternatives) =>
        alternatives.flatMap((wanted) =>
          (offers.get(wanted.name) ?? []).filter(({ version }) => holds(wanted, version)).map(({ record }) => record),
        ),
      );
  const found = new Map<string, readonly string[]>();
  const queue = requests.flatMap(satisfying);
  for (const { name } of queue) found.set(name, []);
  // A list that grows is walked to its new end.
  for (const { name, preDepends, depends } of queue) {
    const chain = [...(found.get(name) ?? []), name];
    for (const record of [preDepends, depends].flatMap(satisfying)) {
      if (found.has(record.name)) continue;
      found.set(record.name, chain);
      queue.push(record);
    }
  }
  return found;
}

interface Offer {
  readonly record: PackageRecord;
  readonly version: string | undefined;
}

/** By name, what these packages are or provide. */
function offersOf(records: readonly PackageRecord[], architecture: string): Map<string, Offer[]> {
  const offers = new Map<string, Offer[]>();
  for (const record of records) {
    const provided = relation.parse(record.provides, { architecture }).flat();
    for (const { name, version } of [record, ...provided]) {
      offers.set(name, [...(offers.get(name) ?? []), { record, version }]);
    }
  }
  return offers;
}
