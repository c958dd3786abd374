import { existsSync, readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { resolve } from '../collect/closure.ts';
import * as elf from '../collect/elf.ts';
import * as hardening from '../collect/hardening.ts';
import * as nginxOf from '../collect/nginx.ts';
import { paths } from '../compile/plan.ts';
import type { Closure } from '../core/closure.ts';
import { ForgeError } from '../core/errors.ts';
import type { ChosenModule } from '../core/module.ts';
import * as platform from '../core/platform.ts';
import type { Recipe } from '../core/recipe.ts';

/** Folders that an image is collected from. */
export interface Places {
  /** What was compiled: nginx, and its modules by name. Nothing on a packaged channel. */
  readonly nginx: string | undefined;
  /** Where the objects of each dynamic module lie, by name. */
  readonly modules: ReadonlyMap<string, string>;
  /** Debian's Lua libraries, by name. */
  readonly lua: ReadonlyMap<string, string>;
  /** The recipe's packages by themselves, and what they need. */
  readonly packages: string | undefined;
  readonly dependencies: string | undefined;
  /** Builders to which a module's libraries were added. */
  readonly extended: readonly string[];
  readonly base: string;
}

/** What was collected. */
export interface Collected {
  readonly closure: Closure;
  readonly facts: nginxOf.NginxFacts;
  /** Per dynamic module, in the order to load them: the absolute paths of its objects in the image. */
  readonly objects: readonly { readonly module: string; readonly paths: readonly string[] }[];
}

const NGINX = '/usr/sbin/nginx';
/** Where Debian's packages have Lua libraries. */
const LUA = ['/usr/share/lua/5.1', '/usr/lib/x86_64-linux-gnu/lua/5.1'];

/**
 * Finds what the programs and modules of a recipe need at run time. Throws what the closure throws, `NOT_HARDENED` for what
 * was compiled here without protection, `MODULE_ABI` and `MODULE_EMPTY` for an object that this nginx cannot load.
 */
export function collect(recipe: Recipe, modules: readonly ChosenModule[], places: Places): Collected {
  const objects = modules
    .filter(({ link }) => link === 'dynamic')
    .map(({ module }) => {
      const names = objectsOf(module, places.modules.get(module.name) ?? '');
      return { module: module.name, paths: names.map((name) => `${paths.modules}/${name}`) };
    });
  const own = modules.filter(({ origin }) => origin === 'source' || origin === 'nginx');
  const some = (dir: string | undefined): string[] => (dir === undefined ? [] : [dir]);
  const closure = resolve({
    roots: [
      ...new Set([
        ...some(places.nginx),
        ...places.modules.values(),
        ...places.lua.values(),
        ...some(places.packages),
        ...some(places.dependencies),
        ...places.extended,
        places.base,
      ]),
    ],
    platform: platform.parse(recipe.platform),
    start: [
      ...recipe.programs.map((path) => ({ path, via: 'the recipe runs it' })),
      ...Object.entries({ ...recipe.channel.data, ...recipe.data }).map(([path, via]) => ({ path, via })),
      ...objects.flatMap(({ module, paths: all }) => all.map((path) => ({ path, via: `the module ${module}` }))),
      ...modules.flatMap(({ module }) => Object.entries(module.data ?? {}).map(([path, via]) => ({ path, via }))),
      ...[...places.lua].flatMap(([name, dir]) =>
        LUA.flatMap((folder) => filesOf(dir, folder)).map((path) => ({ path, via: `the Lua library ${name}` })),
      ),
      ...some(places.packages).flatMap((dir) =>
        filesOf(dir, '/').map((path) => ({ path, via: 'a package of the recipe' })),
      ),
    ],
  });
  checkHardened(closure, [
    ...some(places.nginx),
    ...own.flatMap(({ module }) => some(places.modules.get(module.name))),
  ]);
  const nginx = closure.find((item) => item.type === 'file' && item.path === NGINX);
  if (nginx?.type !== 'file') throw new ForgeError('NGINX_MISSING', `${NGINX} is not among what was collected`);
  const facts = nginxOf.read(nginx.source);
  for (const { module, paths: all } of objects) {
    for (const path of all) {
      const item = closure.find((one) => one.path === path);
      if (item?.type === 'file') nginxOf.checkModule(item.source, `${module} (${basename(path)})`, facts);
    }
  }
  return { closure, facts, objects };
}

/** The objects of a module in the order to load them: those that it names, or all that are there. */
function objectsOf(module: ChosenModule['module'], dir: string): string[] {
  const place = join(dir, paths.modules);
  const there = existsSync(place) ? readdirSync(place).filter((name) => name.endsWith('.so')) : [];
  const found = module.objects.length > 0 ? module.objects.filter((name) => there.includes(name)) : there.sort();
  if (found.length > 0) return found;
  throw new ForgeError('MODULE_EMPTY', `there is no object of the module ${module.name} to load`, {
    expected: module.objects.join(', ') || `an object in ${paths.modules}`,
    found: there.join(', ') || 'none',
    hint: `if it can only be linked statically: --module ${module.name}=static`,
  });
}

/** The files and links below a folder of one root, by their paths in the image; the links of the merged /usr are none. */
function filesOf(dir: string, folder: string): string[] {
  const place = join(dir, folder);
  if (!existsSync(place)) return [];
  return readdirSync(place, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory() && !(entry.isSymbolicLink() && relative(dir, entry.parentPath) === ''))
    .map((entry) => join('/', relative(dir, join(entry.parentPath, entry.name))))
    .sort();
}

/** What was compiled here must be as the recipe's flags mean it; what Debian compiled is Debian's decision. */
function checkHardened(closure: Closure, compiled: readonly string[]): void {
  for (const item of closure) {
    if (item.type !== 'file' || !compiled.some((dir) => item.source.startsWith(`${dir}/`))) continue;
    if (!/\.so(\.|$)|\/s?bin\//.test(item.path)) continue;
    const { pie, relro, nx } = hardening.of(elf.read(item.source));
    if (pie && relro === 'full' && nx) continue;
    throw new ForgeError('NOT_HARDENED', `${item.path} was compiled without protection`, {
      expected: 'position-independent, full RELRO, a stack that is not executable',
      found: `position-independent: ${pie}, RELRO: ${relro}, stack not executable: ${nx}`,
      hint: 'look at cflags and ldflags in the recipe',
    });
  }
}
