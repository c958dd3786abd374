import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import type { Lock, PinnedPackage, PinnedSource } from '../core/lock.ts';
import * as lock from '../core/lock.ts';
import { names, type Parts } from './parts.ts';

/** The lock of the roots that are no part of an image. */
export const TOOLS = 'tools';

/** Where the lock of that name lies, for messages and for `npm run lock`. */
export const path = (repository: string, name: string): string =>
  join(repository, 'nginx-quic', 'locks', `${name}.json`);

/** Reads a lock. Throws `LOCK_MISSING` or `LOCK_INVALID`. */
export async function read(file: string): Promise<Lock> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT')) throw cause;
    throw new ForgeError('LOCK_MISSING', `there is no lock ${basename(file)}`, {
      expected: file,
      hint: 'git checkout nginx-quic/locks, or make it anew: npm run lock',
      cause,
    });
  });
  return lock.parse(text, file);
}

/** What a root of a lock was resolved from, as a digest that the lock carries. Throws what has no such root. */
export function definitionOfRoot(parts: Parts, name: string): Digest {
  const part = parts.roots[name];
  if (part === undefined) throw new Error(`nothing is known of a root ${name}`);
  const { suites, packages, prefer, without } = part.definition;
  const base = part.base === undefined ? undefined : definitionOfRoot(parts, part.base);
  return digest.ofJson({ suites, packages, prefer, without, base });
}

/** What a source of a lock was looked up by; undefined where nothing is known of a source of that name. */
export function definitionOfSource({ sources, sourceSuites }: Parts, name: string): Digest | undefined {
  const definition = sources[name];
  if (definition === undefined) return undefined;
  if ('url' in definition) {
    const { url, version, size, sha256 } = definition;
    return digest.ofJson({ url, version, size, sha256 });
  }
  return digest.ofJson({ ...definition, suites: definition.suites ?? sourceSuites });
}

/** The name under which a lock has the definition of a source. */
export const sourceKey = (name: string): string => `source-${name}`;

/**
 * The packages of a root; of one with a base, those that the base has not. Throws `LOCK_STALE` when the lock was made for
 * another definition of this root or of its base, and `PACKAGE_UNAVAILABLE` when there was nothing to lock.
 */
export function packages(pinned: Lock, name: string, parts: Parts): readonly PinnedPackage[] {
  const part = parts.roots[name];
  if (part === undefined) throw stale(parts, `the root ${name} is needed`);
  const wanted = part.definition.packages;
  const list = pinned.roots[name];
  if (pinned.definitions[name] === definitionOfRoot(parts, name)) {
    if (list !== undefined) return list;
    throw new ForgeError('PACKAGE_UNAVAILABLE', `Debian had no ${wanted.join(', ')} that fits when the lock was made`, {
      expected: `a root ${name} in the lock`,
      found: part.definition.suites.map(({ suite }) => suite).join(', '),
      hint: 'take another --channel, or see whether there is one now: npm run lock',
    });
  }
  const there = new Set([...(list ?? []), ...(pinned.roots[part.base ?? ''] ?? [])].map((entry) => entry.name));
  const missing = wanted.filter((one) => !there.has(one));
  throw stale(
    parts,
    `the root ${name} ${missing.length > 0 ? `needs ${missing.join(', ')}` : 'has other packages or suites'}`,
  );
}

/** A source of the lock. Throws `LOCK_STALE` when the lock was made for another definition of it. */
export function source(pinned: Lock, name: string, parts: Parts): PinnedSource {
  const found = pinned.sources[name];
  if (found === undefined) throw stale(parts, `the source ${name} is needed`);
  if (pinned.definitions[sourceKey(name)] !== definitionOfSource(parts, name))
    throw stale(parts, `the source ${name} is wanted from elsewhere`);
  return found;
}

/** A recipe that names packages has a lock of its own. */
const stale = ({ roots }: Parts, what: string): ForgeError =>
  new ForgeError('LOCK_STALE', `${what}; the lock was made for something else`, {
    hint: roots[names.recipe] === undefined ? 'npm run lock' : 'npm run lock -- --recipe DIR',
  });
