import { ForgeError } from '../core/errors.ts';
import type { Link } from '../core/module.ts';
import type { ModuleChoice } from '../core/recipe.ts';

const MODULE_FORMS =
  'NAME of the catalogue, ./FOLDER, ./OBJECT.so, /ABSOLUTE/FOLDER or git+https://HOST/REPOSITORY.git#COMMIT, each with =dynamic or =static or without';

const LUA_FORMS = 'NAME of the catalogue (nginx.redis), ./FOLDER or /ABSOLUTE/FOLDER';

const LINK = /=(dynamic|static)$/;
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const LIBRARY = /^[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*$/;
/** `=` belongs to the link, so that a word misspelt there is not a folder. */
const PATH = /^\.{0,2}\/[^\p{Cc}=]+$/u;
const GIT = /^git\+(https|ssh|file):\/\/[^\s#]+#(.*)$/;
const COMMIT = /^[0-9a-f]{40}$/;

const isPath = (name: string): boolean => /^\.{0,2}\//.test(name);

/** Where a path of a choice lies, absolute: what is relative is so to the recipe, or to where somebody types. */
export type Locate = (path: string) => string;

const asGiven: Locate = (path) => path;

/**
 * Reads a module as `--module` and recipes have it. Its path, if it is one, is what `locate` makes of it; as it was given
 * unless told. Throws `MODULE_INVALID`.
 */
export function parseModule(text: string, locate: Locate = asGiven): ModuleChoice {
  const [ending, link] = LINK.exec(text) ?? [];
  const name = ending === undefined ? text : text.slice(0, -ending.length);
  const [git, , commit = ''] = GIT.exec(name) ?? [];
  if (git !== undefined && !COMMIT.test(commit)) throw noPin(text, commit);
  if (git === undefined && !NAME.test(name) && !PATH.test(name)) {
    throw new ForgeError('MODULE_INVALID', `${JSON.stringify(text)} is no module`, {
      expected: MODULE_FORMS,
      found: text,
      hint: hintFor(name),
    });
  }
  const place = isPath(name) ? locate(name) : name;
  return link === undefined ? { name: place } : { name: place, link: link as Link };
}

const noPin = (text: string, commit: string): ForgeError =>
  new ForgeError('MODULE_INVALID', `${text} names no commit`, {
    expected: 'all 40 lower-case hexadecimal digits of a commit after #',
    found: commit === '' ? 'nothing after #' : commit,
    hint: 'a branch or a tag can be moved, so it is no pin; git ls-remote URL prints the commit of each',
  });

function hintFor(name: string): string {
  if (/^(git\+)?(https?|ssh|git):\/\//.test(name)) return 'git+https://HOST/REPOSITORY.git#COMMIT';
  if (name.endsWith('.so') || name.includes('/')) return 'a path begins with ./ or /, and has no =';
  if (name.includes('='))
    return `${name.slice(0, name.indexOf('='))}=dynamic or ${name.slice(0, name.indexOf('='))}=static`;
  return 'npm run modules';
}

/** Reads a Lua library or folder as `--lua` and recipes have it, a path as {@link parseModule}. Throws `LUA_INVALID`. */
export function parseLua(text: string, locate: Locate = asGiven): string {
  if (PATH.test(text)) return locate(text);
  if (LIBRARY.test(text)) return text;
  throw new ForgeError('LUA_INVALID', `${JSON.stringify(text)} is no Lua library and no folder`, {
    expected: LUA_FORMS,
    found: text,
    hint: 'npm run modules',
  });
}
