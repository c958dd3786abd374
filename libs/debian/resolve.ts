import { ForgeError } from '../core/errors.ts';
import * as choices from './choices.ts';
import type { PackageIndex, PackageRecord } from './packages.ts';
import type { Alternatives } from './relation.ts';
import * as relation from './relation.ts';
import { create, type Selection } from './selection.ts';

/** Why a request cannot be met. */
interface Failure {
  readonly code: 'DEPENDENCY_UNSATISFIABLE' | 'DEPENDENCY_CONFLICT';
  /** From the request to where it ends, in the words of the fields. */
  readonly chain: readonly string[];
  readonly reason: string;
  /** The chosen package that is in the way. */
  readonly blocker?: PackageRecord;
}

/** How often the whole is begun anew without a package that was in the way. */
const RETRIES = 20;

/**
 * The packages that must be there for the requested ones (names, or relations like `gcc (>= 4:14)`): they and all that
 * they depend on, without recommendations, sorted by name. The choice is apt's: what is chosen already counts first,
 * then the first alternative that can be had, virtual packages by {@link choices.solutions}; the same index and requests
 * always give the same packages. Throws `DEPENDENCY_UNSATISFIABLE` or `DEPENDENCY_CONFLICT` with the chain that led there.
 */
export function resolve(index: PackageIndex, requests: readonly string[]): PackageRecord[] {
  const wanted = requests.flatMap((request) => relation.parse(request, { architecture: index.architecture }));
  const banned = new Set<PackageRecord>();
  let first: Failure | undefined;
  for (let attempt = 0; attempt <= RETRIES; attempt++) {
    const result = attemptAll(index, wanted, banned);
    if (Array.isArray(result)) return result.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    first ??= result;
    // Something else may do instead of what is in the way.
    if (result.blocker === undefined || banned.has(result.blocker)) break;
    banned.add(result.blocker);
  }
  throw explain(first);
}

function attemptAll(
  index: PackageIndex,
  wanted: readonly Alternatives[],
  banned: ReadonlySet<PackageRecord>,
): PackageRecord[] | Failure {
  const selection = create(index.architecture);
  const requested: PackageRecord[] = [];
  // As for apt, everything asked for is there before the first dependency is looked at.
  for (const alternatives of wanted) {
    const [record] = choices.solutions(index, alternatives);
    if (record === undefined) return unsatisfiable(index, alternatives, []);
    const failure = choose(selection, record, [record.name]);
    if (failure !== undefined) return failure;
    requested.push(record);
  }
  for (const record of requested) {
    const failure = complete(index, selection, record, banned);
    if (failure !== undefined) return failure;
  }
  return selection.records();
}

/** Chooses one package, without what it depends on. */
function choose(selection: Selection, record: PackageRecord, chain: readonly string[]): Failure | undefined {
  if (selection.has(record)) return undefined;
  const conflict = selection.conflict(record);
  if (conflict === undefined) {
    selection.add(record, chain);
    return undefined;
  }
  const { by, field, chosen } = conflict;
  return {
    code: 'DEPENDENCY_CONFLICT',
    chain,
    reason: `${by.name} ${by.version} has "${field}", and ${chosen.name} ${chosen.version} is there because of ${selection.chain(chosen).join(' -> ')}`,
    blocker: chosen,
  };
}

/** Chooses what a chosen package depends on, and so on; undefined when all of it could be had. */
function complete(
  index: PackageIndex,
  selection: Selection,
  record: PackageRecord,
  banned: ReadonlySet<PackageRecord>,
): Failure | undefined {
  const { architecture } = index;
  const groups = [record.preDepends, record.depends].flatMap((field) => relation.parse(field, { architecture }));
  for (const alternatives of groups) {
    if (selection.satisfies(alternatives)) continue;
    const candidates = choices.solutions(index, alternatives);
    const usable = candidates.filter((candidate) => !banned.has(candidate));
    const chain = selection.chain(record);
    let failure: Failure | undefined;
    let done = false;
    for (const candidate of usable.length > 0 ? usable : candidates) {
      const size = selection.size;
      const step = [...chain, describe(alternatives, candidate)];
      const problem = choose(selection, candidate, step) ?? complete(index, selection, candidate, banned);
      done = problem === undefined;
      if (done) break;
      selection.truncate(size);
      failure ??= problem;
    }
    if (!done) return failure ?? unsatisfiable(index, alternatives, chain);
  }
  return undefined;
}

/** The step of a chain at which a package was chosen: `libssl3t64 (>= 3.0.0)`, or `mawk for awk`. */
function describe(alternatives: Alternatives, record: PackageRecord): string {
  const own = alternatives.find(({ name }) => name === record.name);
  return own === undefined
    ? `${record.name} for ${alternatives.map(relation.format).join(' | ')}`
    : relation.format(own);
}

function unsatisfiable(index: PackageIndex, alternatives: Alternatives, chain: readonly string[]): Failure {
  const reasons = alternatives.map((wanted) => {
    const versions = index.versions(wanted.name).map(({ version }) => version);
    const providers = index.providers(wanted.name).map(({ record }) => record.name);
    if (versions.length > 0)
      return `no version of ${wanted.name} satisfies ${relation.format(wanted)}: there is ${versions.join(', ')}`;
    if (providers.length > 0)
      return `nothing that provides ${wanted.name} satisfies ${relation.format(wanted)}: there is ${providers.join(', ')}`;
    return `there is no package ${wanted.name}`;
  });
  return {
    code: 'DEPENDENCY_UNSATISFIABLE',
    chain: [...chain, alternatives.map(relation.format).join(' | ')],
    reason: reasons.join('; '),
  };
}

function explain(failure: Failure | undefined): ForgeError {
  if (failure === undefined) return new ForgeError('DEPENDENCY_UNSATISFIABLE', 'nothing can be chosen');
  return new ForgeError(failure.code, `${failure.chain.join(' -> ')}: ${failure.reason}`, {
    hint: 'npm run lock, with other packages or suites',
  });
}
