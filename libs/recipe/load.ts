import { realpath, stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ForgeError, hasCode } from '../core/errors.ts';
import { explain } from './explain.ts';
import type { RecipeInput } from './input.ts';
import { read } from './read.ts';

/** The names that a recipe's file may have; the first that is there is taken. */
export const FILES: readonly string[] = ['ts', 'mts', 'js', 'mjs'].map((ending) => `h3forge.config.${ending}`);

/** Where a recipe's files lie unless it says so. */
const ROOTFS = 'rootfs';

const MINIMAL = "import { defineRecipe } from 'h3forge'; export default defineRecipe({ modules: ['brotli'] });";

/** What a recipe's folder holds. */
export interface Loaded {
  /** As its author wrote it; `files` is filled in where it was not given and there is a folder `rootfs`. */
  readonly input: RecipeInput;
  /** Absolute. */
  readonly file: string;
}

/**
 * Runs the `h3forge.config.ts` of a folder and checks what it exports. `forge` is the absolute path of the file that it
 * gets as `h3forge`, wherever the folder lies. Throws `RECIPE_MISSING`, `RECIPE_FAILED` where the file cannot be run, and
 * `RECIPE_INVALID` where what it exports is no recipe.
 */
export async function load(dir: string, forge: string): Promise<Loaded> {
  const file = await find(dir);
  const exported = await evaluate(file, forge);
  if (!('default' in exported)) {
    throw new ForgeError('RECIPE_INVALID', `${file} exports no recipe`, {
      expected: 'export default defineRecipe({ ... })',
      found: Object.keys(exported).length === 0 ? 'no export' : `exports of ${Object.keys(exported).join(', ')}`,
    });
  }
  const input = read(exported.default, file);
  const top = dirname(file);
  if (input.files !== undefined) {
    await checkFiles(top, input.files, file);
    return { input, file };
  }
  return { input: (await isFolder(join(top, ROOTFS))) ? { ...input, files: ROOTFS } : input, file };
}

async function find(dir: string): Promise<string> {
  // Node names a module by where it really is, and so do its errors.
  const top = await realpath(dir).catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new ForgeError('RECIPE_MISSING', `there is no folder ${dir}`, {
      expected: `a folder with ${FILES[0]}`,
      cause,
    });
  });
  if (!(await isFolder(top))) {
    throw new ForgeError('RECIPE_MISSING', `${dir} is not a folder`, {
      expected: `a folder with ${FILES[0]}`,
      found: 'a file',
      hint: `--recipe ${dirname(dir)}`,
    });
  }
  const there = await Promise.all(FILES.map((name) => isFile(join(top, name))));
  const name = FILES[there.indexOf(true)];
  if (name !== undefined) return join(top, name);
  throw new ForgeError('RECIPE_MISSING', `there is no recipe in ${dir}`, {
    expected: FILES.join(', '),
    hint: `write ${join(dir, 'h3forge.config.ts')}: ${MINIMAL}`,
  });
}

async function evaluate(file: string, forge: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(file).href;
  const top = new URL('.', url).href;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'h3forge') return { url: pathToFileURL(forge).href, shortCircuit: true };
      const found = next(specifier, context);
      const isOwn = found.url.startsWith(top) && !found.url.slice(top.length).includes('node_modules/');
      // What a package.json near the recipe says of its own files is about something else.
      if (isOwn && found.url.endsWith('.ts')) return { ...found, format: 'module-typescript' };
      return found.url === url && url.endsWith('.js') ? { ...found, format: 'module' } : found;
    },
  });
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    throw await explain(error, file);
  } finally {
    hooks.deregister();
  }
}

/** Its folder must be one, and stay below the recipe although links may lead anywhere. */
async function checkFiles(top: string, files: string, file: string): Promise<void> {
  const place = join(top, files);
  const real = await realpath(place).catch(() => undefined);
  const way = real === undefined ? '' : relative(top, real);
  if (real !== undefined && (await isFolder(real)) && way !== '' && !way.startsWith('..')) return;
  throw new ForgeError('RECIPE_INVALID', `${file}: files is not a folder of the recipe`, {
    expected: place,
    found: real === undefined ? 'nothing there' : real === place ? 'a file' : `a link to ${real}`,
    hint: `mkdir -p ${join(place, 'etc/nginx')}`,
  });
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true;
const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;
