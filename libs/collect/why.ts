import { posix } from 'node:path';
import type { Closure } from '../core/closure.ts';
import { ForgeError } from '../core/errors.ts';

/** One step of a chain: how it was asked for, and the file or link that this gave. */
export interface Step {
  readonly via: string;
  readonly path: string;
  /** Where a symbolic link points. */
  readonly target?: string;
}

/** From a start of the recipe to a file: each step asked for by the one before. Never empty. */
export type Chain = readonly Step[];

type Item = Closure[number];

/**
 * Why a file is in a closure. The query is a path, a base name, or a name in a reason (the soname in
 * `DT_NEEDED libssl.so.3`). For every file or link that it means there is one chain for each who asked for it, and of
 * the ways from a start to that one the shortest; shortest chains first.
 * Throws `FILE_NOT_IN_IMAGE`, with names that are nearly the same.
 */
export function why(closure: Closure, query: string): Chain[] {
  const meant = matches(closure, query);
  if (meant.length === 0) {
    const near = nearest(closure, query);
    throw new ForgeError('FILE_NOT_IN_IMAGE', `no file of the image is called ${query}`, {
      found: query,
      ...(near.length === 0 ? {} : { hint: `did you mean ${near.join(', ')}?` }),
    });
  }
  const shortest = fromStarts(closure);
  return meant
    .flatMap((item) =>
      item.reasons.flatMap(({ by, via }): Chain[] => {
        const before = by === undefined ? [] : shortest.get(by);
        // A chain through the file itself (two libraries that need each other) explains nothing.
        return before === undefined || before.some(({ path }) => path === item.path)
          ? []
          : [[...before, step(item, via)]];
      }),
    )
    .sort((a, b) => a.length - b.length);
}

/** The chains as lines of text, one empty line between two chains. */
export const format = (chains: readonly Chain[]): string[] =>
  chains.flatMap((chain, index) => [
    ...(index === 0 ? [] : ['']),
    ...chain.map(({ via, path, target }, depth) => {
      const end = target === undefined ? path : `${path} (a link to ${target})`;
      return depth === 0 ? `${end} (${via})` : `${'   '.repeat(depth - 1)}└─ ${via} → ${end}`;
    }),
  ]);

const step = (item: Item, via: string): Step =>
  item.type === 'symlink' ? { via, path: item.path, target: item.target } : { via, path: item.path };

/** An exact path or base name; failing that, a name by which a file was asked for. */
function matches(closure: Closure, query: string): Item[] {
  const exact = closure.filter(({ path }) => (query.startsWith('/') ? path === query : posix.basename(path) === query));
  return exact.length > 0
    ? exact
    : closure.filter(({ reasons }) => reasons.some(({ via }) => via.split(' ').includes(query)));
}

/** For every path the shortest chain from a start, by breadth-first search along the reasons. */
function fromStarts(closure: Closure): Map<string, Chain> {
  const askedBy = new Map<string, { item: Item; via: string }[]>();
  const chains = new Map<string, Chain>();
  const paths = new Set(closure.map(({ path }) => path));
  for (const item of closure) {
    for (const { by, via } of item.reasons) {
      if (by !== undefined && !paths.has(by)) {
        // The recipe may name one who asks that is no file of the closure itself.
        chains.set(by, [{ via: 'the recipe', path: by }]);
      }
      if (by === undefined) {
        if (!chains.has(item.path)) {
          chains.set(item.path, [step(item, via)]);
        }
      } else {
        askedBy.set(by, [...(askedBy.get(by) ?? []), { item, via }]);
      }
    }
  }
  // A Map goes on to entries that are added while it is walked: it is the queue.
  for (const [path, chain] of chains) {
    for (const { item, via } of askedBy.get(path) ?? []) {
      if (!chains.has(item.path)) {
        chains.set(item.path, [...chain, step(item, via)]);
      }
    }
  }
  return chains;
}

const MOST_NEAR = 5;

function nearest(closure: Closure, query: string): string[] {
  const wanted = posix.basename(query);
  const names = [...new Set(closure.map(({ path }) => posix.basename(path)))];
  const stem = wanted.replace(/\.so.*$/, '');
  const allowed = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((name) => ({
      name,
      distance: stem !== '' && (name.includes(stem) || wanted.includes(name)) ? 0 : distance(wanted, name),
    }))
    .filter((candidate) => candidate.distance <= allowed)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, MOST_NEAR)
    .map(({ name }) => name);
}

/** Levenshtein's distance: single characters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
