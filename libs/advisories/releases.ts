import type { Range } from './schema.ts';

/** The numbers of a release, whatever is around them: `1:0.10.28-2` and `v0.10.28` are 0.10.28; undefined where there are none. */
export function release(text: string): string | undefined {
  return /\d+(?:\.\d+)+/.exec(text.replace(/^\d+:/, ''))?.[0];
}

/** Negative where `a` is the older, positive where it is the newer; a number that is left out is a 0. */
export function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = (left[index] ?? 0) - (right[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether a release is one of those; a range without a beginning has every older one. */
export const within = (version: string, ranges: readonly Range[]): boolean =>
  ranges.some(({ from, to }) => (from === undefined || compare(version, from) >= 0) && compare(version, to) <= 0);

/**
 * The release that fixed it for this one: the fix of the same branch (1.30.x), if it is not newer, or the newest of all
 * fixes. A branch that ended without a fix of its own therefore stays without one until the newest.
 */
export function fixedBy(version: string, fixed: readonly string[]): string | undefined {
  const newest = [...fixed].sort(compare).at(-1);
  const own = fixed.find((fix) => branch(fix) === branch(version));
  return [own, newest].find((fix) => fix !== undefined && compare(version, fix) >= 0);
}

const branch = (version: string): string => version.split('.').slice(0, 2).join('.');

/** For people: `1.25.0-1.25.5, 1.26.0`. */
export const show = (ranges: readonly Range[]): string =>
  ranges.map(({ from, to }) => (from === undefined ? `up to ${to}` : from === to ? to : `${from}-${to}`)).join(', ');
