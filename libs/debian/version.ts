import { ForgeError } from '../core/errors.ts';

/** A Debian version number, taken apart: `[epoch:]upstream[-revision]` (Debian Policy 5.6.12). */
export interface Version {
  readonly epoch: number;
  readonly upstream: string;
  /** Empty where there is none, which is the same as `0`. */
  readonly revision: string;
}

/** The operators of a version relation (Debian Policy 7.1). */
export type Operator = '<<' | '<=' | '=' | '>=' | '>>';

const PATTERN = /^(?:(\d+):)?(\d(?:[A-Za-z0-9.+~-]*?))(?:-([A-Za-z0-9.+~]+))?$/;

/** Takes a version apart. Throws `VERSION_INVALID`. */
export function parse(text: string): Version {
  const [, epoch = '0', upstream, revision = ''] = PATTERN.exec(text) ?? [];
  if (upstream === undefined) {
    throw new ForgeError('VERSION_INVALID', `not a Debian version: ${text}`, {
      expected: '[epoch:]upstream[-revision]',
      found: text,
    });
  }
  return { epoch: Number(epoch), upstream, revision };
}

/** Negative where `a` is the older, positive where it is the newer, 0 where they count as the same (`1.0` and `1.0-0`). */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [parse(a), parse(b)];
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

/** Whether a version is in the relation, as `dpkg --compare-versions version operator than` says. */
export function satisfies(version: string, operator: Operator, than: string): boolean {
  const order = compare(version, than);
  switch (operator) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}

/**
 * Compares two upstream versions or revisions: in turns the longest prefix without digits, letters before all else and
 * `~` before even the end, and the longest prefix of digits, as a number.
 */
function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while (!isDigit(a, i) || !isDigit(b, j)) {
      const order = weight(a, i) - weight(b, j);
      if (order !== 0) return order;
      // Equal weights are two equal characters, or two ends of a part: then both are at a digit or at the end.
      if (weight(a, i) === 0) break;
      i++;
      j++;
    }
    const [left, right] = [digits(a, i), digits(b, j)];
    i += left.length;
    j += right.length;
    const order = compareNumbers(left.replace(/^0+/, ''), right.replace(/^0+/, ''));
    if (order !== 0) return order;
  }
  return 0;
}

const isDigit = (text: string, index: number): boolean => {
  const code = text.charCodeAt(index);
  return code >= 0x30 && code <= 0x39;
};

/** The order of a character outside a number; 0 for a digit and for the end of the text. */
function weight(text: string, index: number): number {
  if (index >= text.length || isDigit(text, index)) return 0;
  const char = text[index] ?? '';
  if (char === '~') return -1;
  const code = text.charCodeAt(index);
  return /[A-Za-z]/.test(char) ? code : code + 256;
}

const digits = (text: string, from: number): string => {
  let end = from;
  while (isDigit(text, end)) end++;
  return text.slice(from, end);
};

/** Numbers of any length, without leading zeros. */
const compareNumbers = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
