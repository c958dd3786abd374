import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { decompress } from '../archive/decompress.ts';
import { extractTar } from '../archive/extract.ts';
import * as digest from '../core/digest.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import type { ForeignModule } from '../core/module.ts';
import type { ModuleChoice } from '../core/recipe.ts';
import * as git from '../source/git.ts';
import type { Context, SourceTree } from './context.ts';
import * as keys from './keys.ts';

/** A source of the user's: its name, and the folder, archive or commit that it is. */
export interface GivenSource {
  /** `nginx`, `luajit`, or a module's name. */
  readonly name: string;
  /** An absolute path, or `URL@COMMIT`. */
  readonly place: string;
  /** As it was typed, for labels. */
  readonly given: string;
}

/** Reads `NAME=DIR|ARCHIVE|URL@COMMIT`; `resolve` makes a path absolute. Throws `SOURCE_INVALID`. */
export function parse(text: string, resolve: (path: string) => string): GivenSource {
  const [, name, place] = /^([a-z][a-z0-9-]*)=(.+)$/.exec(text) ?? [];
  if (
    name === undefined ||
    place === undefined ||
    (/^(git\+)?[a-z]+:\/\//.test(place) && git.parse(place) === undefined)
  ) {
    throw new ForgeError('SOURCE_INVALID', `not a source: ${git.shown(text)}`, {
      expected: 'NAME=DIR, NAME=ARCHIVE.tar.gz or NAME=URL@COMMIT, with all 40 digits of the commit',
      found: git.shown(text),
      hint: '--source nginx=./nginx, --source nginx=https://github.com/nginx/nginx.git@<commit>',
    });
  }
  return { name, place: git.parse(place) === undefined ? resolve(place) : place, given: git.shown(place) };
}

/**
 * The trees of the given sources: a folder as it lies, an archive or a commit unpacked into the store. Throws
 * `SOURCE_MISSING`, and what unpacking or git throws.
 */
export async function take(
  context: Pick<Context, 'store' | 'signal' | 'repository'>,
  sources: readonly GivenSource[],
): Promise<Record<string, SourceTree>> {
  const trees = await Promise.all(sources.map(async (source) => [source.name, await tree(context, source)] as const));
  return Object.fromEntries(trees);
}

async function tree(
  { store, signal, repository }: Pick<Context, 'store' | 'signal' | 'repository'>,
  { name, place, given }: GivenSource,
): Promise<SourceTree> {
  const pin = git.parse(place);
  if (pin !== undefined) {
    const code = await keys.codeOf(repository);
    const key = keys.git(code, pin);
    const { path } = await store.directory('source', key, async (dir) => {
      await using scratch = await store.temporary();
      await git.fetch(pin, dir, scratch.path, signal);
    });
    return { path, sha256: key, given, ...(await versionOf(name, path)) };
  }
  const stats = await stat(place).catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new ForgeError('SOURCE_MISSING', `there is no ${place}`, { expected: 'a folder or an archive', cause });
  });
  if (stats.isDirectory()) {
    const path = await realpath(place);
    return { path, sha256: await keys.tree(path), given, ...(await versionOf(name, path)) };
  }
  const bytes = digest.of(await readFile(place));
  const code = await keys.codeOf(repository);
  const { path } = await store.directory(
    'source',
    digest.ofJson({ archive: bytes, code: code('libs/archive') }),
    (dir) =>
      // An archive of sources has one folder at its top.
      decompress(createReadStream(place)).then((tar) => extractTar(tar, dir, { stripComponents: 1, signal })),
  );
  return { path, sha256: bytes, given: `${basename(place)} ${bytes}`, ...(await versionOf(name, path)) };
}

/** What a tree of nginx, or of one of its relatives, says of its version. Throws `SOURCE_INVALID` where it is none. */
async function versionOf(name: string, path: string): Promise<{ version?: string }> {
  if (name !== 'nginx') return {};
  const header = join(path, 'src/core/nginx.h');
  const text = await readFile(header, 'utf8').catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new ForgeError('SOURCE_INVALID', `${path} is not nginx's source`, { expected: header, cause });
  });
  const version = /#define\s+NGINX_VERSION\s+"([^"]+)"/.exec(text)?.[1];
  return version === undefined ? {} : { version };
}

/** The modules among those choices that are not of the catalogue: folders, objects and commits. Throws `MODULE_MISSING`. */
export async function foreign(choices: readonly ModuleChoice[]): Promise<Map<string, ForeignModule>> {
  const found = await Promise.all(
    choices
      .filter(({ name }) => name.startsWith('/') || name.startsWith('git+'))
      .map(async ({ name }) => [name, await foreignModule(name)] as const),
  );
  return new Map(found);
}

async function foreignModule(choice: string): Promise<ForeignModule> {
  const common = (name: string): Omit<ForeignModule, 'source'> => ({
    // A file and a folder of the image are called so.
    name:
      name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-|-$/g, '') || 'module',
    summary: 'a module of your own',
    homepage: git.shown(choice),
    link: { default: 'dynamic' },
    objects: [],
  });
  const pin = git.parse(choice);
  if (pin !== undefined) return { ...common(basename(pin.git, '.git')), source: pin };
  const stats = await stat(choice).catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw missing(choice, 'nothing there', cause);
  });
  if (!stats.isDirectory()) {
    if (!/^[\w.+-]+\.so$/.test(basename(choice))) throw missing(choice, 'a file of another name');
    const object = { path: choice, sha256: digest.of(await readFile(choice)) };
    return { ...common(basename(choice, '.so')), source: object, objects: [basename(choice)] };
  }
  if (!(await stat(join(choice, 'config')).catch(() => undefined))?.isFile())
    throw missing(choice, 'no file config in it');
  const path = await realpath(choice);
  return { ...common(basename(choice)), source: { path, sha256: await keys.tree(path) } };
}

const missing = (path: string, found: string, cause?: unknown): ForgeError =>
  new ForgeError('MODULE_MISSING', `${path} is not a module`, {
    expected: 'a folder with a config script for nginx, or an object (.so)',
    found,
    cause,
  });
