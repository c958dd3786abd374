import { ForgeError } from '../core/errors.ts';
import type { Lock } from '../core/lock.ts';
import type { ChosenModule, ForeignModule, Link, NginxModule } from '../core/module.ts';
import type { ModuleChoice, Recipe } from '../core/recipe.ts';
import { names } from './parts.ts';
import * as versions from './versions.ts';

type AnyModule = NginxModule | ForeignModule;

/** What can be chosen: the catalogue, and what the user brings, by the name that was chosen. */
export interface Offer {
  readonly catalogue: readonly NginxModule[];
  readonly foreign: ReadonlyMap<string, ForeignModule>;
}

/**
 * The modules of a build in the order to configure and load them: those that the recipe chooses and those that they need.
 * `given` names those whose source is the user's. Pure. Throws `MODULE_UNKNOWN`, `MODULE_CYCLE`, `MODULE_LINK` where it cannot be linked so, and `MODULE_UNAVAILABLE`
 * where the channel has no way to get it.
 */
export function choose(
  recipe: Recipe,
  offer: Offer,
  lock: Lock,
  given: ReadonlySet<string> = new Set(),
): ChosenModule[] {
  const find = (name: string): AnyModule => {
    const found = offer.foreign.get(name) ?? offer.catalogue.find((module) => module.name === name);
    if (found !== undefined) return found;
    throw new ForgeError('MODULE_UNKNOWN', `there is no module ${name}`, {
      expected: `${offer.catalogue.map((module) => module.name).join(', ')}; or ./FOLDER, ./OBJECT.so, git+URL#COMMIT`,
      found: name,
      hint: 'npm run modules',
    });
  };
  const choices = withRequired(recipe.modules, find);
  const isForeign = (module: AnyModule): boolean => [...offer.foreign.values()].includes(module as ForeignModule);
  // The order of the words does not matter, but for modules of the user's own, of which nothing else is known.
  const all = [...choices.keys()].map(find);
  const known = all.filter((module) => !isForeign(module)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const byName = [...known, ...all.filter(isForeign)];
  checkNames(byName);
  // An order must be there for all of them.
  inOrder(byName);
  const links = new Map(
    byName.map((module) => {
      const asked = [...choices].find(([name]) => find(name) === module)?.[1];
      return [module, linkOf(module, asked?.link, recipe)] as const;
    }),
  );
  // Static ones first, in an order of their own: which dynamic ones there are must change nothing of nginx itself.
  const linked = (link: Link): AnyModule[] => inOrder(byName.filter((module) => links.get(module) === link));
  const chosen = [...linked('static'), ...linked('dynamic')].map((module): ChosenModule => {
    const link = links.get(module) as Link;
    const origin = originOf(module, link, recipe, lock, given.has(module.name));
    return { module, link, origin, version: versionOf(module, origin, lock) };
  });
  for (const { module, link } of chosen) {
    const dynamic = chosen.find((other) => other.link === 'dynamic' && module.requires?.includes(other.module.name));
    if (link === 'dynamic' || dynamic === undefined) continue;
    throw new ForgeError('MODULE_LINK', `${module.name} cannot be static while ${dynamic.module.name} is dynamic`, {
      expected: `${dynamic.module.name}=static, or ${module.name}=dynamic`,
      found: `${module.name} is linked with symbols of ${dynamic.module.name}`,
    });
  }
  return chosen;
}

/** Sources and files of the image are called by these names. */
const RESERVED = ['nginx', 'luajit'];

/** Throws `MODULE_INVALID` where two modules, or a module and a part of what is compiled, would be called the same. */
function checkNames(modules: readonly AnyModule[]): void {
  const names = modules.map(({ name }) => name);
  const twice = names.find((name, index) => RESERVED.includes(name) || names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new ForgeError('MODULE_INVALID', `a module of your own cannot be called ${twice} here`, {
    expected: 'a folder with another name: what is compiled already has one of that name',
    found: modules
      .filter(({ name }) => name === twice)
      .map(({ homepage }) => homepage)
      .join(', '),
    hint: `rename the folder; to replace the source of one of the catalogue: --source ${twice}=DIR`,
  });
}

/** The choices, each name once (the last one counts), and what they need. */
function withRequired(
  asked: readonly ModuleChoice[],
  find: (name: string) => AnyModule,
): ReadonlyMap<string, ModuleChoice> {
  const choices = new Map<string, ModuleChoice>(asked.map((choice) => [choice.name, choice]));
  // A map that grows is walked to its new end.
  for (const { name } of choices.values()) {
    for (const needed of find(name).requires ?? []) if (!choices.has(needed)) choices.set(needed, { name: needed });
  }
  return choices;
}

/** Those that must come first, first; otherwise by name, and those of the user's own last, as they were given. */
function inOrder(modules: readonly AnyModule[]): AnyModule[] {
  const done: AnyModule[] = [];
  const visit = (module: AnyModule, path: readonly string[]): void => {
    if (done.includes(module)) return;
    if (path.includes(module.name)) {
      throw new ForgeError('MODULE_CYCLE', 'modules ask to come before each other', {
        expected: 'an order in which each comes after those that it names in requires and after',
        found: [...path.slice(path.indexOf(module.name)), module.name].join(' after '),
      });
    }
    const before = [...(module.requires ?? []), ...(module.after ?? [])];
    for (const other of modules) if (before.includes(other.name)) visit(other, [...path, module.name]);
    done.push(module);
  };
  for (const module of modules) visit(module, []);
  return done;
}

function linkOf(module: AnyModule, asked: Link | undefined, { channel }: Recipe): Link {
  const only = channel.kind === 'packaged' ? 'dynamic' : module.link.only === true ? module.link.default : undefined;
  const link = asked ?? only ?? module.link.default;
  if (only === undefined || link === only) return link;
  throw new ForgeError('MODULE_LINK', `${module.name} cannot be ${link} on the channel ${channel.name}`, {
    expected: `${module.name}=${only}`,
    found: `${module.name}=${link}`,
    ...(channel.kind === 'packaged' ? { hint: 'a channel that compiles: --channel debian' } : {}),
  });
}

function originOf(
  module: AnyModule,
  link: Link,
  { channel }: Recipe,
  lock: Lock,
  isGiven: boolean,
): ChosenModule['origin'] {
  const { source } = module;
  const isPackaged = lock.roots[names.package(module.name)] !== undefined;
  if (typeof source === 'object' && 'path' in source && source.path.endsWith('.so')) {
    if (link === 'static') {
      throw new ForgeError('MODULE_LINK', `${module.name} is an object that is already linked`, {
        expected: `${source.path}, or its source to link it statically`,
        found: `${source.path}=static`,
      });
    }
    return 'object';
  }
  if (channel.kind === 'packaged') {
    if (isPackaged && isOfCatalogue(module)) return 'package';
    throw new ForgeError('MODULE_UNAVAILABLE', `the channel ${channel.name} has no module ${module.name}`, {
      expected: 'a module that Debian packages',
      found: module.homepage,
      hint: `--channel debian --module ${module.name} compiles it`,
    });
  }
  if (source === 'nginx') return 'nginx';
  if (isGiven) return 'source';
  // Where Debian's mirrors do not serve its source, Debian's own object of this nginx's version does.
  const isCommit = typeof source === 'object' && 'commit' in source;
  const unserved = isCommit || lock.sources[module.name]?.unserved === true;
  const fits = channel.acceptsPackagedModules && isPackaged && isOfCatalogue(module);
  return unserved && fits && link === 'dynamic' ? 'package' : 'source';
}

/** A module that the user brought is compiled as it is, whatever it is called. */
const isOfCatalogue = (module: AnyModule): module is NginxModule => module.smoke !== undefined;

function versionOf(module: AnyModule, origin: ChosenModule['origin'], lock: Lock): string {
  const { source } = module;
  if (origin === 'package') {
    const [name] = module.packages ?? [];
    const pinned = lock.roots[names.package(module.name)]?.find((entry) => entry.name === name);
    return pinned === undefined ? 'none' : versions.upstream(pinned.version);
  }
  if (typeof source === 'object' && 'commit' in source) return source.version;
  if (typeof source === 'object' && 'path' in source) return 'local';
  if (origin === 'nginx') return 'nginx';
  return versions.upstream(lock.sources[module.name]?.version ?? 'none');
}
