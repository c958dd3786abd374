import { posix } from 'node:path';
import { ForgeError } from '../core/errors.ts';

/** As many as Linux follows in one path. */
const MOST_LINKS = 40;

/** Gives the real path of a path whose last component is kept as it is, or followed as well. */
export type Resolver = (path: string, last: 'keep' | 'follow') => string;

/**
 * How paths are resolved in an image that has these symbolic links (path -> target). Links below links are allowed
 * (`/lib/ld.so -> x` beside `/lib -> usr/lib`). Throws `ROOTFS_LINK_LOOP`.
 */
export function resolver(links: ReadonlyMap<string, string>): Resolver {
  let real = new Map(links);
  // Each round places the links with what the round before knew of them; two rounds are enough but for odd nestings.
  for (let round = 0; round < MOST_LINKS; round += 1) {
    const next = new Map([...links].map(([path, target]) => [follow(path, 'keep', real), target]));
    const stable = next.size === real.size && [...next.keys()].every((path) => real.has(path));
    real = next;
    if (stable) {
      return (path, last) => follow(path, last, real);
    }
  }
  throw new ForgeError('ROOTFS_LINK_LOOP', 'the symbolic links of the image lead through each other without end');
}

function follow(path: string, last: 'keep' | 'follow', links: ReadonlyMap<string, string>): string {
  const pending = components(path);
  let current = '/';
  let followed = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const next = posix.join(current, name);
    // Kept, the last component never brings others, so nothing pending means that this is it.
    const target = pending.length === 0 && last === 'keep' ? undefined : links.get(next);
    if (target === undefined) {
      current = next;
      continue;
    }
    followed += 1;
    if (followed > MOST_LINKS) {
      throw new ForgeError('ROOTFS_LINK_LOOP', `too many symbolic links on the way to ${path}`, {
        found: `${next} -> ${target}`,
      });
    }
    pending.push(...components(target));
    current = target.startsWith('/') ? '/' : current;
  }
  return current;
}

const components = (path: string): string[] =>
  path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reverse();
