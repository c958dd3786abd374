import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import type { ChosenModule } from '../core/module.ts';
import { format } from '../core/output.ts';
import type { Platform } from '../core/platform.ts';
import * as platform from '../core/platform.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Context, Request } from './context.ts';
import * as keysOf from './keys.ts';
import * as locks from './locks.ts';
import type { Book, RootMaterial } from './materials.ts';
import * as materials from './materials.ts';
import * as modulesOf from './modules.ts';
import * as parts from './parts.ts';
import type { BuildResult } from './result.ts';
import * as unitsOf from './units.ts';
import * as versions from './versions.ts';

/** Everything that decides what a build makes, read once and before anything is done. */
export interface Needs {
  readonly sandbox: RootMaterial;
  readonly client: RootMaterial;
  /** What unpacks all other roots. */
  readonly xz: RootMaterial;
  /** The root that the image is collected from; on a compiled channel the compiler's too. */
  readonly base: RootMaterial;
  readonly modules: readonly ChosenModule[];
  /** What is compiled; nothing on a packaged channel. */
  readonly units: unitsOf.Units | undefined;
  /** Debian's own modules, by name. */
  readonly packaged: ReadonlyMap<string, RootMaterial>;
  /** Lua libraries from Debian, by name. */
  readonly lua: ReadonlyMap<string, RootMaterial>;
  /** The recipe's packages, whose files all go into the image, by themselves. */
  readonly packages: RootMaterial | undefined;
  /** What those packages' programs are linked with, beside the base. */
  readonly dependencies: RootMaterial | undefined;
  readonly versions: versions.Versions;
  readonly heldBack: BuildResult['heldBack'];
  /** The locks that name the materials' files: of the image, and of the tools. */
  readonly book: Book;
  readonly toolsBook: Book;
  /** When none of these changed, the stage's result is the one in the store. */
  readonly keys: {
    readonly image: Digest;
    readonly build: Digest;
    /** Of the proofs of modules, which have a configuration of their own: no file of the recipe is part of it. */
    readonly proofs: Digest;
  };
}

/** What of a recipe's files no proof of a module meets: its own configuration, and what it serves. */
const CONTENT = /^(etc\/nginx\/(nginx\.conf|conf\.d\/.*)|usr\/share\/nginx\/.*)$/;

/** Reads the locks, the recipe's files and the code, and computes every key. Throws what reading a lock throws. */
export async function of(
  request: Request,
  context: Pick<Context, 'repository' | 'machine' | 'root' | 'tools' | 'catalogue'>,
): Promise<Needs> {
  const { recipe } = request;
  const { repository, tools, catalogue } = context;
  const { channel } = recipe;
  const [lock, toolsLock, code, files, beside, ...luaFolders] = await Promise.all([
    locks.read(request.lock),
    locks.read(locks.path(repository, locks.TOOLS)),
    keysOf.codeOf(repository),
    keysOf.folder(join(request.recipeDir, recipe.files)),
    keysOf.folder(join(request.recipeDir, recipe.files), CONTENT),
    ...recipe.lua.filter(isFolder).map(luaFolder),
  ]);
  checkPlatform(recipe, context.machine);
  const book: Book = { code, lock, parts: parts.of(channel, catalogue, recipe.packages) };
  const toolsBook: Book = { code, lock: toolsLock, parts: parts.ofRoots(tools) };
  const baseName = baseOf(recipe);
  const base = materials.root(book, baseName);
  const sandbox = materials.root(toolsBook, 'sandbox');
  const client = materials.root(toolsBook, 'client');
  const xz = materials.root(toolsBook, 'xz');

  const offer = { catalogue: catalogue.modules, foreign: request.foreign };
  const modules = modulesOf.choose(recipe, offer, lock, new Set(Object.keys(request.sources)));
  const units = channel.kind === 'compiled' ? unitsOf.of(book, base, recipe, modules, request.sources) : undefined;
  checkSources(request, units);
  const packaged = new Map(
    modules
      .filter(({ origin }) => origin === 'package')
      .map(({ module }) => [module.name, materials.root(book, parts.names.package(module.name))]),
  );
  const lua = luaOf(recipe, book, catalogue);
  const dependencies = recipe.packages.length === 0 ? undefined : materials.root(book, parts.names.recipe);
  const packages = dependencies === undefined ? undefined : materials.only(book, recipe.packages, base, dependencies);
  const all = versions.of(lock, channel, baseName, modules, request.sources);

  const { channel: _, require: required, probes, ...rest } = recipe;
  const contents = digest.ofJson({
    code: code('libs/collect', 'libs/rootfs', 'libs/image', 'libs/core', 'libs/pipeline', 'package-lock.json'),
    units: units === undefined ? undefined : unitsOf.keyOf(units),
    base: base.key,
    roots: [...packaged.values(), ...lua.values(), packages, dependencies].map((one) => one?.key),
    modules,
    channel: { ...channel, base: undefined },
  });
  const image = digest.ofJson({
    contents,
    // Its compressed bytes depend on it.
    zlib: process.versions.zlib,
    files,
    luaFolders,
    recipe: rest,
    sources: Object.fromEntries(Object.entries(request.sources).map(([name, { given }]) => [name, given])),
    versions: all,
  });
  const prover = {
    code: code('libs/engine', 'libs/sandbox', 'libs/verify', 'libs/pipeline.ts', 'dockerfiles'),
    sandbox: sandbox.key,
    client: client.key,
    root: context.root,
    machine: context.machine.architecture,
  };
  const build = digest.ofJson({
    prover,
    image,
    required,
    probes,
    // Two clones that share a store, or two working folders, say the same and mean other places.
    outputs: request.outputs.map((output) => [format(output), resolve(output.path)]),
  });
  const { user, writable, programs, image: run } = recipe;
  const proofs = digest.ofJson({ prover, contents, user, writable, programs, env: run.env, beside, luaFolders });
  return {
    sandbox,
    client,
    xz,
    base,
    modules,
    units,
    packaged,
    lua,
    packages,
    dependencies,
    versions: all,
    heldBack: heldBack(book, units, request),
    book,
    toolsBook,
    keys: { image, build, proofs },
  };
}

/** Throws `SOURCE_INVALID` for a source of the user's that nothing would be compiled from. */
function checkSources({ sources, recipe }: Request, units: unitsOf.Units | undefined): void {
  const used = units === undefined ? [] : [units.nginx, ...units.modules.values()].flatMap((unit) => unit.sources);
  const names = [...new Set(used.map(({ name }) => name))];
  const unused = Object.keys(sources).find((name) => !names.includes(name));
  if (unused === undefined) return;
  throw new ForgeError('SOURCE_INVALID', `nothing is compiled from a source ${unused}`, {
    expected: names.join(', ') || `none: the channel ${recipe.channel.name} compiles nothing`,
    found: unused,
    hint: names.length === 0 ? '--channel stable' : `--module ${unused}, if it is one`,
  });
}

/** The name of the root that an image of the recipe is collected from. Throws `OPENSSL_UNKNOWN`. */
function baseOf({ channel, openssl }: Recipe): string {
  const choices = channel.kind === 'compiled' ? channel.openssl : {};
  if (openssl === 'suite') return parts.names.base(channel);
  if (choices[openssl] !== undefined) return parts.names.openssl(openssl);
  throw new ForgeError('OPENSSL_UNKNOWN', `the channel ${channel.name} has no OpenSSL ${openssl}`, {
    expected: ['suite', ...Object.keys(choices)].join(', '),
    found: openssl,
  });
}

const isFolder = (name: string): boolean => name.startsWith('/');

/** The digest of a folder of Lua files. Throws `LUA_INVALID`. */
async function luaFolder(dir: string): Promise<Digest> {
  const stats = await stat(dir).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (stats?.isDirectory() === true) return await keysOf.folder(dir);
  throw new ForgeError('LUA_INVALID', `${dir} is not a folder of Lua files`, {
    expected: 'a folder whose files `require` finds: ./lua with shop/cart.lua in it is shop.cart',
    found: stats === undefined ? 'nothing' : 'a file',
  });
}

/** The roots of Lua libraries and of those that they need. Throws `LUA_UNKNOWN`. */
function luaOf(recipe: Recipe, book: Book, { lua }: parts.Catalogue): ReadonlyMap<string, RootMaterial> {
  const wanted = new Set(recipe.lua.filter((name) => !isFolder(name)));
  // A set that grows is walked to its new end.
  for (const name of wanted) {
    const library = lua.find((one) => one.name === name);
    if (library === undefined) {
      throw new ForgeError('LUA_UNKNOWN', `there is no Lua library ${name}`, {
        expected: `${lua.map((one) => one.name).join(', ')}; or ./FOLDER`,
        found: name,
        hint: 'npm run modules',
      });
    }
    for (const needed of library.requires ?? []) wanted.add(needed);
  }
  return new Map([...wanted].map((name) => [name, materials.root(book, parts.names.lua(name))]));
}

/** The sources that are compiled although the signed index has newer ones. */
function heldBack({ lock }: Book, units: unitsOf.Units | undefined, { sources }: Request): BuildResult['heldBack'] {
  const used = units === undefined ? [] : [units.nginx, ...units.modules.values()].flatMap((unit) => unit.sources);
  const names = new Set(used.map(({ name }) => name).filter((name) => sources[name] === undefined));
  return Object.entries(lock.sources).flatMap(([name, { package: what, version, heldBack: newest }]) =>
    newest === undefined || !names.has(name) ? [] : [{ package: what, locked: version, newest }],
  );
}

/** The names of the sources that are compiled although no mirror had them when the lock was made; nginx first. */
export function unserved({ units, book }: Needs): string[] {
  const used = units === undefined ? [] : [units.nginx, ...units.modules.values()].flatMap((unit) => unit.sources);
  const pinned = used.filter(({ origin }) => origin.type === 'pinned').map(({ name }) => name);
  return [...new Set(pinned)].filter((name) => book.lock.sources[name]?.unserved === true);
}

/** Nothing is emulated: what is compiled is also run. */
function checkPlatform(recipe: Recipe, machine: Platform): void {
  if (recipe.platform === platform.format(machine)) return;
  throw new ForgeError('PLATFORM_FOREIGN', `${recipe.name} cannot be built on this machine`, {
    expected: recipe.platform,
    found: platform.format(machine),
    hint: 'build it on a machine of that platform',
  });
}

/** An earlier result as that of a run that did nothing; what the lock says of newer versions is what it says now. */
export const asUnchanged = (result: BuildResult, { heldBack }: Needs): BuildResult => ({
  ...result,
  heldBack,
  stages: result.stages.map(({ name }) => ({ name, ms: 0, cached: true })),
});
