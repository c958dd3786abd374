import type { Lock } from '../core/lock.ts';

/** The versions that a person asks for first; `nginx` is always there. */
export interface Versions {
  readonly nginx: string;
  readonly [name: string]: string;
}

/** Libraries of the builder root that are named in the summary, by package. */
const LIBRARIES: Readonly<Record<string, string>> = { openssl: 'libssl3t64', pcre2: 'libpcre2-8-0', glibc: 'libc6' };

/** Reads the versions from a channel's lock. */
export function of(lock: Lock): Versions {
  // Debian's revision says something only where Debian's patches are applied.
  const sources = Object.entries(lock.sources).map(([name, { version, debian }]) => [
    name,
    debian === undefined ? upstream(version) : version,
  ]);
  const libraries = Object.entries(LIBRARIES).map(([name, wanted]) => [
    name,
    lock.roots.builder?.find((entry) => entry.name === wanted)?.version ?? 'none',
  ]);
  return { nginx: 'none', ...Object.fromEntries(sources), ...Object.fromEntries(libraries) };
}

/** The upstream part of a Debian version: no epoch, no revision (Debian policy 5.6.12). */
export const upstream = (version: string): string => version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
