import type { Command } from '../core/command.ts';
import type { ChosenModule } from '../core/module.ts';
import type { Recipe } from '../core/recipe.ts';

/** A command with the names of those that must have succeeded before it. */
export interface Step extends Command {
  readonly needs: readonly string[];
}

/** Where sources and results lie, as the commands see them. The paths are fixed: nginx writes them into its binary. */
export const paths = {
  source: (name: string): string => `/build/src/${name}`,
  /** `DESTDIR` of every `make install`. */
  stage: '/build/stage',
  /** What nginx itself was installed as, when a module is compiled for it. */
  base: '/build/base',
  modules: '/usr/lib/nginx/modules',
} as const;

/** nginx with what is linked into it. */
export interface Plan {
  readonly steps: readonly Step[];
  /** The source trees that the steps work in. */
  readonly sources: readonly string[];
}

/** One dynamic module; compiled by itself, so that another choice of modules compiles none of it again. */
export interface ModulePlan extends Plan {
  readonly name: string;
  /** True where the steps look into {@link paths.base}. */
  readonly needsBase: boolean;
}

/** The whole environment of every command: nothing in it depends on the machine. */
const environment = (epoch: number): Record<string, string> => ({
  HOME: '/build',
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/sbin:/usr/bin',
  SOURCE_DATE_EPOCH: String(epoch),
  TZ: 'UTC',
});

const isStatic = ({ link }: ChosenModule): boolean => link === 'static';
const needsLuajit = (modules: readonly ChosenModule[]): boolean =>
  modules.some(({ module, origin }) => module.needsLuajit === true && origin === 'source');

/** The seconds since 1970 that a recipe's files have. */
export const epochOf = (recipe: Recipe): number => recipe.epoch ?? recipe.channel.epoch;

/**
 * The commands that compile nginx with its static modules, as data; the same recipe always gives the same ones. LuaJIT and
 * nginx are independent unless a module's configure script links a test program with LuaJIT, as lua-nginx-module's does.
 * How many jobs `make` runs is left to `MAKEFLAGS` of whoever runs them, because it does not change the result.
 */
export function plan(recipe: Recipe, modules: readonly ChosenModule[]): Plan {
  const env = environment(epochOf(recipe));
  const linked = modules.filter(isStatic);
  const luajit = needsLuajit(modules) ? planLuajit(recipe, env) : [];
  return {
    steps: [...luajit, ...planNginx(recipe, linked, env, luajit), planStrip(env, ['nginx-install', ...last(luajit)])],
    sources: [
      'nginx',
      ...(luajit.length > 0 ? ['luajit'] : []),
      ...linked.filter(({ origin }) => origin === 'source').map(({ module }) => module.name),
    ],
  };
}

/** The commands that compile one dynamic module for the nginx that {@link plan} makes of the same recipe and modules. */
export function planModule(recipe: Recipe, modules: readonly ChosenModule[], chosen: ChosenModule): ModulePlan {
  const { module } = chosen;
  const env = environment(epochOf(recipe));
  const required = modules.filter((other) => module.requires?.includes(other.module.name) && other.origin === 'source');
  // Whether nginx has stream decides whether a module compiles an object for it; other parts are nothing to it.
  const named = [...(module.requires ?? []), ...(module.after ?? [])];
  const parts = modules.filter((other) => other.origin === 'nginx' && named.includes(other.module.name));
  const needsBase = module.needsLuajit === true;
  const cwd = paths.source('nginx');
  const place = `${paths.stage}${paths.modules}`;
  // Not all that a module may have is always there: one for stream only with stream.
  const objects = module.objects.length > 0 ? module.objects.map((name) => `objs/${name}`).join(' ') : 'objs/*.so';
  const install = `mkdir -p ${place}; for file in ${objects}; do test ! -f "$file" || cp "$file" ${place} || exit; done`;
  return {
    name: module.name,
    needsBase,
    sources: ['nginx', ...[...required, ...(chosen.origin === 'source' ? [chosen] : [])].map((one) => one.module.name)],
    steps: [
      {
        name: 'configure',
        needs: [],
        argv: configure([
          ...recipe.nginx.configure,
          ...parts.flatMap(words),
          ...required.flatMap((one) => words({ ...one, link: 'static' })),
          ...words(chosen),
          `--with-cc-opt=${cflags(recipe, [...required, chosen]).join(' ')}`,
          `--with-ld-opt=${recipe.ldflags.join(' ')}`,
        ]),
        env: needsBase ? { ...env, ...luajitOf(recipe, paths.base) } : env,
        cwd,
      },
      { name: 'make', needs: ['configure'], argv: ['make', 'modules'], env, cwd },
      {
        name: 'install',
        needs: ['make'],
        argv: ['sh', '-c', install],
        env,
        cwd,
      },
      planStrip(env, ['install']),
    ],
  };
}

const cflags = (recipe: Recipe, modules: readonly ChosenModule[]): string[] => [
  ...recipe.cflags,
  ...new Set(modules.flatMap(({ module }) => module.cflags ?? [])),
];

/** nginx's own script: that of a release, which a checkout of its repository has elsewhere (see `pipeline/compile.ts`). */
const configure = (words: readonly string[]): Command['argv'] => ['./configure', ...words];

/** What nginx's configure is told of a module. */
function words({ module, link, origin }: ChosenModule): string[] {
  const [first, ...others] = module.configure ?? [];
  // A part of nginx is made dynamic by the word that turns it on; the words after it only add to it.
  if (origin === 'nginx') {
    if (first === undefined) return [];
    return [link === 'dynamic' ? `${first}=dynamic` : first, ...others];
  }
  const folder = [paths.source(module.name), ...(module.folder === undefined ? [] : [module.folder])].join('/');
  return [...(module.configure ?? []), `--add-${link === 'dynamic' ? 'dynamic-' : ''}module=${folder}`];
}

function planLuajit(recipe: Recipe, env: Record<string, string>): Step[] {
  const cwd = paths.source('luajit');
  // Its makefile has a variable for each kind of flag; position-independent code is its own business.
  const variables = [
    ...Object.entries(recipe.luajit).map(([name, value]) => `${name}=${value}`),
    `CCOPT=${recipe.cflags.join(' ')} -fomit-frame-pointer`,
    'CCDEBUG=',
    // Of the program, and of the shared library.
    `TARGET_LDFLAGS=${recipe.ldflags.join(' ')}`,
    `TARGET_SHLDFLAGS=${recipe.ldflags.join(' ')}`,
    'TARGET_STRIP=@:',
  ];
  return [
    { name: 'luajit-make', needs: [], argv: ['make', ...variables], env, cwd },
    {
      name: 'luajit-install',
      needs: ['luajit-make'],
      argv: ['make', 'install', `DESTDIR=${paths.stage}`, ...variables],
      env,
      cwd,
    },
  ];
}

/** Where lua-nginx-module's configure script finds LuaJIT. */
const luajitOf = (recipe: Recipe, root: string): Record<string, string> => ({
  LUAJIT_INC: `${root}${recipe.luajit.PREFIX}/include/luajit-2.1`,
  LUAJIT_LIB: `${root}${recipe.luajit.PREFIX}/${recipe.luajit.MULTILIB}`,
});

function planNginx(
  recipe: Recipe,
  modules: readonly ChosenModule[],
  env: Record<string, string>,
  luajit: readonly Step[],
): Step[] {
  const cwd = paths.source('nginx');
  const waits = needsLuajit(modules);
  return [
    {
      name: 'nginx-configure',
      needs: waits ? last(luajit) : [],
      argv: configure([
        ...recipe.nginx.configure,
        ...modules.flatMap(words),
        `--with-cc-opt=${[...cflags(recipe, modules), '-fPIE'].join(' ')}`,
        `--with-ld-opt=${[...recipe.ldflags, '-pie'].join(' ')}`,
      ]),
      env: waits ? { ...env, ...luajitOf(recipe, paths.stage) } : env,
      cwd,
    },
    { name: 'nginx-make', needs: ['nginx-configure'], argv: ['make'], env, cwd },
    {
      name: 'nginx-install',
      needs: ['nginx-make'],
      argv: ['make', 'install', `DESTDIR=${paths.stage}`],
      env,
      cwd,
    },
  ];
}

/** Removes what no loader needs; build ids stay, so a core dump can still be matched. */
const planStrip = (env: Record<string, string>, needs: readonly string[]): Step => ({
  name: 'strip',
  needs,
  argv: ['sh', '-c', 'find . -type f \\( -perm -u+x -o -name "*.so*" \\) -exec strip --strip-unneeded {} +'],
  env,
  cwd: paths.stage,
});

const last = (steps: readonly Step[]): string[] => steps.slice(-1).map(({ name }) => name);
