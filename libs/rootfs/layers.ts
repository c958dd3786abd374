import { posix } from 'node:path';
import type { Entry } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';

/** A layer to be: which entries belong in it. An entry goes to the first group that wants it. */
export interface Group {
  readonly name: string;
  readonly matches: (entry: Entry) => boolean;
}

/** One layer's entries, sorted as they were. */
export interface Layer {
  readonly name: string;
  readonly entries: readonly Entry[];
}

/**
 * Splits the sorted entries of a root file system into layers, in the order of the groups, lowest first; those that
 * would be empty are left out. What seldom changes goes first: a layer depends on nothing that only later layers
 * hold, so a changed configuration leaves the layers below it, and their digests, as they were.
 *
 * Therefore a directory is not grouped like a file. One with things in it is in the first layer that needs it as a
 * parent, and not repeated after that; the predicates are only asked about empty directories and those with an owner or
 * mode of their own. Throws `LAYER_UNMATCHED` for an entry that no group wants.
 */
export function split(entries: readonly Entry[], groups: readonly Group[]): Layer[] {
  const directories = new Map(
    entries.flatMap((entry) => (entry.type === 'directory' ? [[entry.path, entry] as const] : [])),
  );
  const parents = new Set(entries.map(({ path }) => posix.dirname(path)));
  const layerOf = new Map<string, number>();
  const lower = (path: string, layer: number): void => {
    layerOf.set(path, Math.min(layer, layerOf.get(path) ?? layer));
  };
  for (const entry of entries) {
    if (entry.type === 'directory' && parents.has(entry.path) && isPlain(entry)) {
      continue;
    }
    const layer = groups.findIndex(({ matches }) => matches(entry));
    if (layer < 0) {
      throw new ForgeError('LAYER_UNMATCHED', `no layer is meant for ${entry.path}`, {
        expected: groups.map(({ name }) => name).join(', '),
      });
    }
    lower(entry.path, layer);
    for (let parent = posix.dirname(entry.path); parent !== '/'; parent = posix.dirname(parent)) {
      if (directories.has(parent)) {
        lower(parent, layer);
      }
    }
  }
  return groups
    .map(({ name }, index) => ({ name, entries: entries.filter(({ path }) => layerOf.get(path) === index) }))
    .filter((layer) => layer.entries.length > 0);
}

/** A directory as it is made where only a file below it is named. */
const isPlain = (entry: Entry): boolean =>
  entry.type === 'directory' && entry.mode === 0o755 && entry.uid === 0 && entry.gid === 0;
