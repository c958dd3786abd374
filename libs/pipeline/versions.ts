import type { Channel } from '../core/channel.ts';
import type { Lock } from '../core/lock.ts';
import type { ChosenModule } from '../core/module.ts';
import type { SourceTree } from './context.ts';
import { names } from './parts.ts';

/** The versions that a person asks for first; `nginx` is always there. */
export interface Versions {
  readonly nginx: string;
  readonly [name: string]: string;
}

/** Libraries of the base that are named in the summary, by package. */
const LIBRARIES: Readonly<Record<string, string>> = { openssl: 'libssl3t64', pcre2: 'libpcre2-8-0', glibc: 'libc6' };
const LUAJIT = 'libluajit-5.1-2';

/** Reads the versions from a lock: nginx, its modules, and the libraries that matter. `base` is the name of the base's root. */
export function of(
  lock: Lock,
  channel: Channel,
  base: string,
  modules: readonly ChosenModule[],
  trees: Readonly<Record<string, SourceTree>>,
): Versions {
  const packaged = (wanted: string): string | undefined =>
    Object.entries(lock.roots)
      .filter(([name]) => name === base || modules.some(({ module }) => name === names.package(module.name)))
      .flatMap(([, packages]) => packages)
      .find(({ name }) => name === wanted)?.version;
  const source = (name: string): string | undefined => {
    const pinned = lock.sources[name];
    if (trees[name] !== undefined) return trees[name].version ?? 'local';
    // Debian's revision says something only where Debian's patches are applied.
    return pinned === undefined || pinned.debian !== undefined ? pinned?.version : upstream(pinned.version);
  };
  const nginx = (channel.kind === 'packaged' ? packaged('nginx') : source('nginx')) ?? 'none';
  const luajit = modules.some(({ module }) => module.needsLuajit === true)
    ? channel.kind === 'packaged'
      ? packaged(LUAJIT)
      : source('luajit')
    : undefined;
  return {
    nginx,
    ...(luajit === undefined ? {} : { luajit }),
    ...Object.fromEntries(
      modules
        .filter(({ origin }) => origin !== 'nginx')
        .map(({ module, version }) => [
          module.name,
          trees[module.name] === undefined ? version : (trees[module.name]?.version ?? 'local'),
        ]),
    ),
    ...Object.fromEntries(Object.entries(LIBRARIES).map(([name, wanted]) => [name, packaged(wanted) ?? 'none'])),
  };
}

/** The upstream part of a Debian version: no epoch, no revision (Debian policy 5.6.12). */
export const upstream = (version: string): string => version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
