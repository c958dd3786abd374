import type { Channel } from '../core/channel.ts';
import { ForgeError } from '../core/errors.ts';
import type { Lock } from '../core/lock.ts';
import type { ChosenModule, Link, NginxModule } from '../core/module.ts';
import type { Recipe } from '../core/recipe.ts';
import * as modules from './modules.ts';
import { type Catalogue, names } from './parts.ts';
import * as versions from './versions.ts';

/** What a channel has of a module. */
export interface Availability {
  readonly channel: string;
  readonly version: string;
  readonly link: Link;
  readonly origin: ChosenModule['origin'];
  /**
   * `proven` by this project's tests; `untested` where its source could not be had when the lock was made, so that nobody
   * has built it from this lock.
   */
  readonly state: 'proven' | 'untested';
}

/** A module of the catalogue with what each channel has of it; a channel that has nothing is not named. */
export interface Survey {
  readonly name: string;
  readonly summary: string;
  readonly homepage: string;
  readonly requires: readonly string[];
  readonly channels: readonly Availability[];
}

/** A Lua library with the version that each channel has. */
export interface LuaSurvey {
  readonly name: string;
  readonly summary: string;
  readonly channels: readonly { readonly channel: string; readonly version: string }[];
}

/** A channel with its lock. */
export interface Locked {
  readonly channel: Channel;
  readonly lock: Lock;
}

/** What there is of every module, by what the locks say; pure. */
export const ofModules = (recipe: Recipe, { modules: all }: Catalogue, locked: readonly Locked[]): Survey[] =>
  all.map((module) => ({
    name: module.name,
    summary: module.summary,
    homepage: module.homepage,
    requires: module.requires ?? [],
    channels: locked.flatMap((one) => availability(recipe, all, module, one)),
  }));

function availability(
  recipe: Recipe,
  catalogue: readonly NginxModule[],
  module: NginxModule,
  { channel, lock }: Locked,
): Availability[] {
  const offer = { catalogue, foreign: new Map() };
  let chosen: ChosenModule | undefined;
  try {
    chosen = modules
      .choose({ ...recipe, channel, modules: [{ name: module.name }] }, offer, lock)
      .find((one) => one.module === module);
  } catch (error) {
    if (!(error instanceof ForgeError) || error.code !== 'MODULE_UNAVAILABLE') throw error;
  }
  if (chosen === undefined) return [];
  const { link, origin, version } = chosen;
  // A part of nginx is as good as nginx itself; a commit is fetched from elsewhere than Debian's mirrors.
  const source = lock.sources[origin === 'nginx' ? 'nginx' : module.name];
  const isCommit = origin === 'source' && typeof module.source === 'object' && 'commit' in module.source;
  const compiled = origin === 'source' || origin === 'nginx';
  const served = lock.sources.nginx?.unserved !== true && source?.unserved !== true && !isCommit;
  return [{ channel: channel.name, version, link, origin, state: compiled && !served ? 'untested' : 'proven' }];
}

/** What there is of every Lua library; pure. */
export const ofLua = ({ lua }: Catalogue, locked: readonly Locked[]): LuaSurvey[] =>
  lua.map((library) => ({
    name: library.name,
    summary: library.summary,
    channels: locked.flatMap(({ channel, lock }) => {
      const all = [names.lua(library.name), names.base(channel)].flatMap((name) => lock.roots[name] ?? []);
      const found = all.find(({ name }) => name === library.package);
      return found === undefined ? [] : [{ channel: channel.name, version: versions.upstream(found.version) }];
    }),
  }));
