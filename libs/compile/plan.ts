import type { Command } from '../core/command.ts';
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
} as const;

/** The whole environment of every command: nothing in it depends on the machine. */
const environment = (recipe: Recipe): Record<string, string> => ({
  HOME: '/build',
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/sbin:/usr/bin',
  SOURCE_DATE_EPOCH: String(recipe.epoch),
  TZ: 'UTC',
});

/**
 * The commands that compile a recipe, as data; the same recipe always gives the same ones. LuaJIT and nginx are
 * independent unless a module's configure script links a test program with LuaJIT, as lua-nginx-module's does.
 * How many jobs `make` runs is left to `MAKEFLAGS` of whoever runs them, because it does not change the result.
 */
export function plan(recipe: Recipe): Step[] {
  const env = environment(recipe);
  const luajit = recipe.nginx.modules.some(({ needsLuajit }) => needsLuajit === true) ? planLuajit(recipe, env) : [];
  return [...luajit, ...planNginx(recipe, env, luajit), planStrip(env, luajit)];
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

function planNginx(recipe: Recipe, env: Record<string, string>, luajit: readonly Step[]): Step[] {
  const cwd = paths.source('nginx');
  const after = luajit.at(-1)?.name;
  const luajitEnv = {
    LUAJIT_INC: `${paths.stage}${recipe.luajit.PREFIX}/include/luajit-2.1`,
    LUAJIT_LIB: `${paths.stage}${recipe.luajit.PREFIX}/${recipe.luajit.MULTILIB}`,
  };
  return [
    {
      name: 'nginx-configure',
      needs: after === undefined ? [] : [after],
      argv: [
        './configure',
        ...recipe.nginx.configure,
        ...recipe.nginx.modules.map(({ source }) => `--add-module=${paths.source(source)}`),
        `--with-cc-opt=${[...recipe.cflags, '-fPIE'].join(' ')}`,
        `--with-ld-opt=${[...recipe.ldflags, '-pie'].join(' ')}`,
      ],
      env: after === undefined ? env : { ...env, ...luajitEnv },
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
const planStrip = (env: Record<string, string>, luajit: readonly Step[]): Step => ({
  name: 'strip',
  needs: ['nginx-install', ...luajit.slice(-1).map(({ name }) => name)],
  argv: ['sh', '-c', 'find . -type f \\( -perm -u+x -o -name "*.so*" \\) -exec strip --strip-unneeded {} +'],
  env,
  cwd: paths.stage,
});
