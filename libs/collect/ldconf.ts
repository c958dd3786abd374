import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { ForgeError } from '../core/errors.ts';
import type { Roots } from './roots.ts';

/** Includes nest no deeper in earnest. */
const DEEPEST = 8;

/**
 * The directories that an `ld.so.conf` of a root names, in order, those of its includes in their place. A missing
 * file names none. Throws `LD_CONF_INVALID` where includes run in a circle.
 */
export function directories(roots: Roots, file: string, depth = 0): string[] {
  const found = roots.lookup(file);
  if (found?.type !== 'file') {
    return [];
  }
  if (depth > DEEPEST) {
    throw new ForgeError('LD_CONF_INVALID', `${file} is included by itself, or too deep`);
  }
  const text = readFileSync(found.source, 'utf8');
  return parse(text).flatMap((line) =>
    line.kind === 'directory'
      ? [posix.normalize(line.path)]
      : glob(roots, posix.resolve(posix.dirname(file), line.pattern)).flatMap((path) =>
          directories(roots, path, depth + 1),
        ),
  );
}

/** One line of an `ld.so.conf` that says something. */
export type Line =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'include'; readonly pattern: string };

/** Reads the text of an `ld.so.conf`: comments, `hwcap` lines and `directory=type` suffixes are passed over. */
export const parse = (text: string): Line[] =>
  text.split('\n').flatMap((raw): Line[] => {
    const line = raw.replace(/#.*$/, '').trim();
    const [word = '', ...rest] = line.split(/\s+/);
    if (word === 'include') {
      return rest.map((pattern) => ({ kind: 'include', pattern }));
    }
    const path = line.replace(/=.*$/, '').trim();
    return word === 'hwcap' || !path.startsWith('/') ? [] : [{ kind: 'directory', path }];
  });

/** The paths of a root that match a pattern of `glob(7)`, sorted. */
function glob(roots: Roots, pattern: string): string[] {
  let found = ['/'];
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    const matches = /[*?]/.test(part) ? matcher(part) : undefined;
    found = found.flatMap((path) => {
      if (matches === undefined) {
        return [posix.join(path, part)];
      }
      const directory = roots.lookup(path);
      return directory?.type !== 'directory'
        ? []
        : roots.list(directory.path).flatMap((name) => (matches(name) ? [posix.join(path, name)] : []));
    });
  }
  return found.filter((path) => roots.lookup(path) !== undefined);
}

/** A test for one component of a pattern, of which `*` and `?` are understood. A leading dot must be written out. */
function matcher(part: string): (name: string) => boolean {
  const source = part.replace(/\*+|[\\^$.+?(){}|[\]]/g, (token) =>
    token.startsWith('*') ? '.*' : token === '?' ? '.' : `\\${token}`,
  );
  const pattern = new RegExp(`^${source}$`, 'u');
  return (name) => pattern.test(name) && (!name.startsWith('.') || part.startsWith('.'));
}
