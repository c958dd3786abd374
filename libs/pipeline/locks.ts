import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Channel, RootDefinition } from '../core/channel.ts';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import type { Lock, PinnedPackage, PinnedSource } from '../core/lock.ts';
import * as lock from '../core/lock.ts';

/** The lock of the roots that are no part of an image. */
export const TOOLS = 'tools';

/** Where the lock of that name lies, for messages and for `npm run lock`. */
export const path = (repository: string, name: string): string =>
  join(repository, 'nginx-quic', 'locks', `${name}.json`);

/** Reads a lock. Throws `LOCK_MISSING` or `LOCK_INVALID`. */
export async function read(repository: string, name: string): Promise<Lock> {
  const file = path(repository, name);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT')) throw cause;
    throw new ForgeError('LOCK_MISSING', `there is no lock for ${name}`, {
      expected: file,
      hint: 'git checkout nginx-quic/locks, or make it anew: npm run lock',
      cause,
    });
  });
  return lock.parse(text, file);
}

/** What of a channel the lock was made for, as a digest that the lock carries. */
export const definitionOf = (part: RootDefinition | Pick<Channel, 'sources' | 'sourceSuites'>): Digest =>
  digest.ofJson(
    'packages' in part
      ? { suites: part.suites, packages: part.packages }
      : { sources: part.sources, suites: part.sourceSuites },
  );

/** Throws `LOCK_STALE` when the lock was made for other sources than the channel names. */
export function check(pinned: Lock, channel: Channel): void {
  if (pinned.definitions.sources !== definitionOf(channel))
    throw stale(`the channel ${channel.name} has other sources or suites`);
}

/** The packages of a root. Throws `LOCK_STALE` when the lock was made for another list of packages. */
export function packages(pinned: Lock, name: string, definition: RootDefinition): readonly PinnedPackage[] {
  const list = pinned.roots[name] ?? [];
  if (pinned.definitions[name] !== definitionOf(definition)) {
    const missing = definition.packages.filter((wanted) => !list.some((entry) => entry.name === wanted));
    throw stale(
      `the root ${name} ${missing.length > 0 ? `needs ${missing.join(', ')}` : 'has other packages or suites'}`,
    );
  }
  return list;
}

/** A source of the lock. Throws `LOCK_STALE`. */
export function source(pinned: Lock, name: string): PinnedSource {
  const found = pinned.sources[name];
  if (found === undefined) throw stale(`the source ${name} is needed`);
  return found;
}

const stale = (what: string): ForgeError =>
  new ForgeError('LOCK_STALE', `${what}; the lock was made for something else`, { hint: 'npm run lock' });
