import { join, resolve } from 'node:path';
import { plan, type Step } from '../compile/plan.ts';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import type { Lock } from '../core/lock.ts';
import { format } from '../core/output.ts';
import type { Platform } from '../core/platform.ts';
import * as platform from '../core/platform.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Context, Request } from './context.ts';
import * as keysOf from './keys.ts';
import * as locks from './locks.ts';
import * as materials from './materials.ts';
import type { BuildResult } from './result.ts';
import * as versions from './versions.ts';

/** Everything that decides what a build makes, read once and before anything is done. */
export interface Needs {
  readonly sandbox: materials.RootMaterial;
  readonly client: materials.RootMaterial;
  readonly builder: materials.RootMaterial;
  readonly sources: readonly materials.SourceMaterial[];
  readonly steps: readonly Step[];
  readonly versions: versions.Versions;
  readonly heldBack: BuildResult['heldBack'];
  /** When none of these changed, the stage's result is the one in the store. */
  readonly keys: { readonly compile: Digest; readonly image: Digest; readonly build: Digest };
  /** What must be downloaded, given what is in the store already. */
  materials(haveImage: boolean, haveInstalled: boolean): { material: materials.Material; lock: Lock }[];
}

/** Reads the locks, the recipe's files and the code, and computes every key. Throws what reading a lock throws. */
export async function of(
  request: Request,
  context: Pick<Context, 'repository' | 'machine' | 'root' | 'tools'>,
): Promise<Needs> {
  const { recipe } = request;
  const { repository, tools } = context;
  const [lock, toolsLock, code, files] = await Promise.all([
    locks.read(repository, recipe.channel.name),
    locks.read(repository, locks.TOOLS),
    keysOf.codeOf(repository),
    keysOf.folder(join(request.recipeDir, recipe.files)),
  ]);
  const builder = materials.root(code, lock, 'builder', recipe.channel.builder);
  const sandbox = materials.root(code, toolsLock, 'sandbox', tools.sandbox);
  const client = materials.root(code, toolsLock, 'client', tools.client);
  checkPlatform(recipe, context.machine);
  const names = sourcesOf(recipe);
  locks.check(lock, recipe.channel);
  const sources = names.map((name) => materials.sourceTree(code, lock, name, builder));
  const steps = plan(recipe);
  const compile = keysOf.compile(
    code,
    steps,
    builder.key,
    Object.fromEntries(sources.map(({ name, key }) => [name, key])),
  );
  const { channel, ...rest } = recipe;
  const image = digest.ofJson({
    code: code('libs/collect', 'libs/rootfs', 'libs/image', 'libs/core', 'libs/pipeline', 'package-lock.json'),
    // Its compressed bytes depend on it.
    zlib: process.versions.zlib,
    compile,
    builder: builder.key,
    files,
    recipe: rest,
    channel: channel.name,
    versions: versions.of(lock),
  });
  const build = digest.ofJson({
    code: code('libs/engine', 'libs/sandbox', 'libs/verify', 'libs/pipeline.ts', 'dockerfiles'),
    image,
    sandbox: sandbox.key,
    client: client.key,
    // Two clones that share a store, or two working folders, say the same and mean other places.
    outputs: request.outputs.map((output) => [format(output), resolve(output.path)]),
    root: context.root,
    machine: context.machine.architecture,
  });
  return {
    sandbox,
    client,
    builder,
    sources,
    steps,
    versions: versions.of(lock),
    heldBack: Object.values(lock.sources).flatMap(({ package: name, version, heldBack }) =>
      heldBack === undefined ? [] : [{ package: name, locked: version, newest: heldBack }],
    ),
    keys: { compile, image, build },
    materials: (haveImage, haveInstalled) => [
      { material: sandbox, lock: toolsLock },
      ...(haveImage ? [] : [{ material: builder, lock }]),
      ...(haveInstalled || haveImage ? [] : sources.map((material) => ({ material, lock }))),
      { material: client, lock: toolsLock },
    ],
  };
}

/** The sources that the plan of a recipe compiles. */
function sourcesOf({ nginx: { modules } }: Recipe): string[] {
  const luajit = modules.some(({ needsLuajit }) => needsLuajit === true) ? ['luajit'] : [];
  return [...new Set(['nginx', ...luajit, ...modules.map(({ source }) => source)])];
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
