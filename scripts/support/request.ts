import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ForgeError } from '../../libs/core/errors.ts';
import type { Output } from '../../libs/core/output.ts';
import type { Quic, Recipe, Requirements } from '../../libs/core/recipe.ts';
import type { Context, Request } from '../../libs/pipeline/context.ts';
import * as locks from '../../libs/pipeline/locks.ts';
import { apply } from '../../libs/recipe/apply.ts';
import { parseLua, parseModule } from '../../libs/recipe/choices.ts';
import type { RecipeInput } from '../../libs/recipe/input.ts';
import { channels } from '../../nginx-quic/channels/index.ts';
import base from '../../nginx-quic/recipe.ts';
import { repository } from './main.ts';
import { fromUser, type RecipeOptions, shown } from './options.ts';

/** Where an image goes when the user names no other place. */
export const defaultOutputs = ({ name }: Recipe, options: RecipeOptions): Output[] => {
  const top = options.recipe === undefined ? repository : fromUser(options.recipe);
  const place = (kind: string): string => shown(join(top, 'dist', name, kind));
  return [
    { type: 'layout', path: place('oci') },
    { type: 'dockerfile', path: place('docker') },
  ];
};

/**
 * The recipe that a command is about: the user's or this project's, with what the options add to it, and the folder that
 * its files are below. Throws what reading a recipe throws, and `CHANNEL_UNKNOWN`, `MODULE_INVALID`, `REQUIRE_INVALID`.
 */
export async function recipeOf(
  options: RecipeOptions,
  { isLocking = false }: { readonly isLocking?: boolean } = {},
): Promise<{ recipe: Recipe; recipeDir: string; lock: string }> {
  const top = options.recipe === undefined ? undefined : fromUser(options.recipe);
  const own = top === undefined ? {} : await inputOf(top);
  const asked: RecipeInput = {
    ...own,
    ...(options.channel === undefined ? {} : { channel: options.channel }),
    ...(options.openssl === undefined ? {} : { openssl: options.openssl }),
    require: { ...own.require, ...requirements(options.require ?? []) },
  };
  const { recipe, recipeDir } = apply(base, asked, {
    dir: top ?? join(repository, 'nginx-quic'),
    baseDir: join(repository, 'nginx-quic'),
    channels,
  });
  const full: Recipe = {
    ...recipe,
    modules: [...recipe.modules, ...(options.module ?? []).map((text) => parseModule(text, fromUser))],
    lua: [...recipe.lua, ...(options.lua ?? []).map((text) => parseLua(text, fromUser))],
  };
  const lock = top === undefined ? undefined : join(top, 'h3forge.lock.json');
  // A lock that was once needed and is no longer is not used.
  const hasOwn = lock !== undefined && full.packages.length > 0 && existsSync(lock);
  if (!hasOwn && full.packages.length > 0 && lock !== undefined && !isLocking) {
    throw new ForgeError('LOCK_MISSING', `the recipe names packages, and there is no lock of them`, {
      expected: lock,
      hint: `npm run lock -- --recipe ${options.recipe}`,
    });
  }
  return { recipe: full, recipeDir, lock: hasOwn ? lock : locks.path(repository, full.channel.name) };
}

/** A recipe of the user's; whoever has none waits for nothing that reads one. */
async function inputOf(dir: string): Promise<RecipeInput> {
  const { load } = await import('../../libs/recipe/load.ts');
  return (await load(dir, join(repository, 'h3forge.ts'))).input;
}

/** What a command builds or speaks of. Sources of the user's are fetched and looked at. */
export async function requestOf(
  options: RecipeOptions,
  context: Pick<Context, 'store' | 'signal' | 'repository'>,
  outputs: (recipe: Recipe) => readonly Output[],
): Promise<Request> {
  const { recipe, recipeDir, lock } = await recipeOf(options);
  const trees = await import('../../libs/pipeline/trees.ts');
  const given = (options.source ?? []).map((text) => trees.parse(text, fromUser));
  const [sources, foreign] = await Promise.all([trees.take(context, given), trees.foreign(recipe.modules)]);
  return { recipe, recipeDir, lock, sources, foreign, outputs: outputs(recipe) };
}

const QUIC: readonly Quic[] = ['native', 'boringssl', 'compat', 'none'];

function requirements(texts: readonly string[]): Requirements {
  const found = texts.map((text): Requirements => {
    const quic = QUIC.find((name) => text === `quic=${name}`);
    if (quic !== undefined) return { quic };
    throw new ForgeError('REQUIRE_INVALID', `unknown requirement ${text}`, {
      expected: QUIC.map((name) => `quic=${name}`).join(', '),
      found: text,
      hint: '--require quic=native',
    });
  });
  return Object.assign({}, ...found) as Requirements;
}
