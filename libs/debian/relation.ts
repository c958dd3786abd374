import { ForgeError } from '../core/errors.ts';
import type { Operator } from './version.ts';

/** One package that may satisfy a dependency. */
export interface Relation {
  readonly name: string;
  /** `any`, `native` or an architecture: what stands after the colon (`python3:any`). */
  readonly qualifier?: string;
  readonly operator?: Operator;
  readonly version?: string;
}

/** A dependency: one of these, the first being preferred. Never empty. */
export type Alternatives = readonly Relation[];

/** What decides which parts of a field of a source package count. */
export interface Restrictions {
  /** Debian's architecture. */
  readonly architecture: string;
  /** The active build profiles. */
  readonly profiles?: readonly string[];
}

const RELATION =
  /^(?<name>[a-z0-9][a-z0-9+.-]*)(?::(?<qualifier>[a-z0-9-]+))?\s*(?:\(\s*(?<operator><<|<=|=|>=|>>|<|>)\s*(?<version>\d[^\s()]*)\s*\))?\s*(?:\[(?<architectures>[^\]]*)\])?\s*(?<profiles>(?:<[^>]*>\s*)*)$/;

/** The deprecated operators: what they mean (Debian Policy 7.1). */
const OLD: Readonly<Record<string, Operator>> = { '<': '<=', '>': '>=' };

/**
 * Reads a relationship field such as Depends (Debian Policy 7.1). What is restricted to other architectures or build
 * profiles is left out. Throws `RELATION_INVALID`.
 */
export function parse(field: string, restrictions: Restrictions): Alternatives[] {
  return field
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => part.split('|').flatMap((text) => parseOne(text.trim(), restrictions)))
    .filter((alternatives) => alternatives.length > 0);
}

/** The relation, or none where its restrictions exclude it. */
function parseOne(text: string, restrictions: Restrictions): Relation[] {
  const groups = RELATION.exec(text)?.groups;
  if (groups?.name === undefined) {
    throw new ForgeError('RELATION_INVALID', `not a package relation: ${text}`, {
      expected: 'name[:arch] [(operator version)] [[architectures]] [<profiles>]',
      found: text,
    });
  }
  const { name, qualifier, operator, version, architectures, profiles } = groups;
  if (architectures !== undefined && !forArchitecture(architectures, restrictions.architecture)) return [];
  if (profiles !== undefined && profiles !== '' && !forProfiles(profiles, restrictions.profiles ?? [])) return [];
  return [
    {
      name,
      ...(qualifier === undefined ? {} : { qualifier }),
      ...(operator === undefined || version === undefined
        ? {}
        : { operator: OLD[operator] ?? (operator as Operator), version }),
    },
  ];
}

/** `amd64 arm64`, or `!i386 !armhf`; wildcards as in Debian Policy 11.1.1, of which Linux has `linux-any` and `any-<cpu>`. */
function forArchitecture(list: string, architecture: string): boolean {
  const words = list.split(/\s+/).filter((word) => word !== '');
  const matches = (word: string): boolean =>
    word === architecture || word === 'any' || word === 'linux-any' || word === `any-${architecture}`;
  return words.every((word) => word.startsWith('!'))
    ? !words.some((word) => matches(word.slice(1)))
    : words.some(matches);
}

/** `<!nocheck !cross> <stage1>`: any of the lists, of which all terms must hold. */
const forProfiles = (lists: string, active: readonly string[]): boolean =>
  [...lists.matchAll(/<([^>]*)>/g)].some(([, list = '']) =>
    list
      .split(/\s+/)
      .filter((term) => term !== '')
      .every((term) => (term.startsWith('!') ? !active.includes(term.slice(1)) : active.includes(term))),
  );

/** As a field has it: `libc6 (>= 2.34)`. */
export const format = ({ name, qualifier, operator, version }: Relation): string =>
  `${name}${qualifier === undefined ? '' : `:${qualifier}`}${operator === undefined ? '' : ` (${operator} ${version})`}`;
