import { holds } from './choices.ts';
import type { PackageRecord } from './packages.ts';
import type { Alternatives, Relation } from './relation.ts';
import * as relation from './relation.ts';

/** Why a package cannot be chosen: what it and a chosen one say of each other. */
export interface Conflict {
  /** The package that says so. */
  readonly by: PackageRecord;
  /** Its words: `Conflicts: foo (<< 2)`. */
  readonly field: string;
  /** The chosen one of the two. */
  readonly chosen: PackageRecord;
}

/** The packages chosen so far, each with the chain of relations that led to it. What was chosen last can be undone. */
export interface Selection {
  readonly size: number;
  records(): PackageRecord[];
  has(record: PackageRecord): boolean;
  chain(record: PackageRecord): readonly string[];
  /** Whether a chosen package already satisfies the dependency. */
  satisfies(alternatives: Alternatives): boolean;
  conflict(record: PackageRecord): Conflict | undefined;
  add(record: PackageRecord, chain: readonly string[]): void;
  /** Undoes the choices after the first `size`. */
  truncate(size: number): void;
}

/** What a package refuses to be installed with. */
interface Refusal {
  readonly by: PackageRecord;
  readonly relation: Relation;
  readonly field: string;
}

interface Offer {
  readonly record: PackageRecord;
  readonly version: string | undefined;
}

/** An empty selection for an architecture. */
export function create(architecture: string): Selection {
  const chosen: PackageRecord[] = [];
  const chains = new Map<PackageRecord, readonly string[]>();
  const offers = new Map<string, Offer[]>();
  const refusals = new Map<string, Refusal[]>();

  const offersOf = (record: PackageRecord): [name: string, offer: Offer][] => [
    [record.name, { record, version: record.version }],
    ...relation
      .parse(record.provides, { architecture })
      .flat()
      .map(({ name, version }): [string, Offer] => [name, { record, version }]),
  ];
  const refusalsOf = (record: PackageRecord): Refusal[] =>
    (['Conflicts', 'Breaks'] as const).flatMap((field) =>
      relation
        .parse(field === 'Conflicts' ? record.conflicts : record.breaks, { architecture })
        .flat()
        .map((it) => ({ by: record, relation: it, field: `${field}: ${relation.format(it)}` })),
    );

  return {
    get size() {
      return chosen.length;
    },
    records: () => [...chosen],
    has: (record) => chains.has(record),
    chain: (record) => chains.get(record) ?? [],
    satisfies: (alternatives) =>
      alternatives.some((wanted) => (offers.get(wanted.name) ?? []).some(({ version }) => holds(wanted, version))),
    conflict(record) {
      for (const { by, relation: refused, field } of refusalsOf(record)) {
        const other = offers
          .get(refused.name)
          ?.find((offer) => offer.record !== record && holds(refused, offer.version));
        if (other !== undefined) return { by, field, chosen: other.record };
      }
      for (const [name, offer] of offersOf(record)) {
        const other = refusals.get(name)?.find(({ relation: refused }) => holds(refused, offer.version));
        if (other !== undefined) return { by: other.by, field: other.field, chosen: other.by };
      }
      return undefined;
    },
    add(record, chain) {
      chosen.push(record);
      chains.set(record, chain);
      for (const [name, offer] of offersOf(record)) append(offers, name, offer);
      for (const refusal of refusalsOf(record)) append(refusals, refusal.relation.name, refusal);
    },
    truncate(size) {
      for (const record of chosen.splice(size).reverse()) {
        chains.delete(record);
        for (const [name] of offersOf(record).reverse()) offers.get(name)?.pop();
        for (const refusal of refusalsOf(record).reverse()) refusals.get(refusal.relation.name)?.pop();
      }
    },
  };
}

function append<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}
