import type {
  ArchiveDefinition,
  Channel,
  Preference,
  RootDefinition,
  SourceDefinition,
  Suite,
} from '../core/channel.ts';
import type { LuaLibrary, NginxModule } from '../core/module.ts';

/** Everything that can be chosen beside the channel. */
export interface Catalogue {
  readonly modules: readonly NginxModule[];
  readonly lua: readonly LuaLibrary[];
}

/** A root that a channel's lock has. One with `base` is locked as what it needs beside the packages of that other root. */
export interface RootPart {
  readonly definition: RootDefinition;
  readonly base?: string;
}

/** All that a channel's lock pins, by the names that it uses. */
export interface Parts {
  readonly roots: Readonly<Record<string, RootPart>>;
  readonly sources: Readonly<Record<string, SourceDefinition | ArchiveDefinition>>;
  /** Where source packages are looked for that do not say it themselves. */
  readonly sourceSuites: readonly Suite[];
}

/** The names of roots in a lock. */
export const names = {
  base: (channel: Channel): string => (channel.kind === 'compiled' ? 'builder' : 'packages'),
  openssl: (choice: string): string => `builder-openssl-${choice}`,
  /** What compiling a module needs. */
  module: (name: string): string => `module-${name}`,
  /** Debian's own compiled module. */
  package: (name: string): string => `package-${name}`,
  lua: (name: string): string => `lua-${name}`,
  /** The packages of a recipe of the user's. */
  recipe: 'recipe',
} as const;

/** Roots that have nothing to do with each other. */
export const ofRoots = (roots: Readonly<Record<string, RootDefinition>>): Parts => ({
  roots: Object.fromEntries(Object.entries(roots).map(([name, definition]) => [name, { definition }])),
  sources: {},
  sourceSuites: [],
});

/** Two preferences for packages of the same suites. */
function both(first: Preference | undefined, second: Preference): Preference {
  if (first === undefined) return second;
  if (JSON.stringify(first.suites) !== JSON.stringify(second.suites))
    throw new Error('a root cannot prefer packages of two different lists of suites');
  return { suites: first.suites, packages: [...new Set([...first.packages, ...second.packages])] };
}

/** What of a channel and the catalogue is locked, and the packages of a recipe of the user's; pure. */
export function of(channel: Channel, catalogue: Catalogue, recipe: readonly string[] = []): Parts {
  const base = names.base(channel);
  const extra = (packages: readonly string[] | undefined): RootPart[] =>
    packages === undefined || packages.length === 0 ? [] : [{ base, definition: { ...channel.base, packages } }];
  const roots: [string, RootPart][] = [[base, { definition: channel.base }]];
  for (const module of catalogue.modules) {
    if (channel.kind === 'compiled')
      roots.push(...extra(module.builder).map((part): [string, RootPart] => [names.module(module.name), part]));
    if (channel.kind === 'packaged' || channel.acceptsPackagedModules)
      roots.push(...extra(module.packages).map((part): [string, RootPart] => [names.package(module.name), part]));
  }
  for (const library of catalogue.lua)
    roots.push(...extra([library.package]).map((part): [string, RootPart] => [names.lua(library.name), part]));
  roots.push(...extra(recipe).map((part): [string, RootPart] => [names.recipe, part]));
  if (channel.kind === 'packaged') return { roots: Object.fromEntries(roots), sources: {}, sourceSuites: [] };

  for (const [choice, prefer] of Object.entries(channel.openssl))
    roots.push([names.openssl(choice), { definition: { ...channel.base, prefer: both(channel.base.prefer, prefer) } }]);
  const sources = catalogue.modules.flatMap(({ name, source }): [string, SourceDefinition][] =>
    typeof source === 'object' && 'debian' in source
      ? [
          [
            name,
            {
              package: source.debian,
              patches: false,
              ...(source.upstream === undefined ? {} : { upstream: source.upstream }),
            },
          ],
        ]
      : [],
  );
  return {
    roots: Object.fromEntries(roots),
    sources: { ...Object.fromEntries(sources), ...channel.sources },
    sourceSuites: channel.sourceSuites,
  };
}
