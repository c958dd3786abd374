import { posix, resolve } from 'node:path';
import type { Channel } from '../core/channel.ts';
import { ForgeError } from '../core/errors.ts';
import type { ModuleChoice, Recipe } from '../core/recipe.ts';
import { parseLua, parseModule } from './choices.ts';
import type { ConfigureInput, ModuleInput, RecipeInput } from './input.ts';
import { nearest } from './nearest.ts';

export interface ApplyOptions {
  /** The folder of the user's recipe, absolute: relative paths of the input are relative to it. */
  readonly dir: string;
  /** The folder of the base recipe, absolute. */
  readonly baseDir: string;
  /** Those that a name of a channel may mean. */
  readonly channels: readonly Channel[];
}

/** A whole recipe, and the folder that its `files` is relative to. */
export interface Applied {
  readonly recipe: Recipe;
  readonly recipeDir: string;
}

/**
 * The base recipe with what a user's changes; pure. Lists of things to have (modules, Lua libraries, packages, users,
 * mount points, flags) are added to the base's, records are merged by key, all else is replaced. Paths of modules and Lua
 * folders become absolute. Without `files` those of the base recipe are taken.
 * Throws `CHANNEL_UNKNOWN`, `MODULE_INVALID`, `LUA_INVALID`, and `RECIPE_INVALID` where the input does not fit the base.
 */
export function apply(base: Recipe, input: RecipeInput, { dir, baseDir, channels }: ApplyOptions): Applied {
  const locate = (path: string): string => resolve(dir, path);
  const channel = input.channel === undefined ? base.channel : channelOf(input.channel, channels);
  if (channel.kind === 'packaged') checkPackaged(channel, input);
  const { image } = base;
  const epoch = input.epoch ?? base.epoch;
  const probes = input.probes ?? base.probes;
  const title: Readonly<Record<string, string>> =
    input.name === undefined ? {} : { 'org.opencontainers.image.title': input.name };
  const recipe: Recipe = {
    ...base,
    name: input.name ?? base.name,
    channel,
    cflags: [...base.cflags, ...(input.cflags ?? [])],
    nginx: { ...base.nginx, configure: configured(base.nginx.configure, input.configure ?? {}) },
    modules: modulesOf(base.modules, input, locate),
    lua: unique([...base.lua, ...(input.lua ?? []).map((name) => parseLua(name, locate))]),
    openssl: input.openssl ?? base.openssl,
    packages: unique([...base.packages, ...(input.packages ?? [])]),
    require: { ...base.require, ...input.require },
    timezones: input.timezones ?? base.timezones,
    user: input.user ?? base.user,
    users: [...base.users, ...(input.users ?? [])],
    writable: { ...base.writable, ...input.writable },
    mountPoints: unique([...base.mountPoints, ...(input.mountPoints ?? [])]),
    files: input.files === undefined ? base.files : posix.normalize(input.files),
    image: {
      entrypoint: input.entrypoint ?? image.entrypoint,
      command: input.command ?? image.command,
      env: { ...image.env, ...input.env },
      ports: unique(input.ports ?? image.ports),
      stopSignal: input.stopSignal ?? image.stopSignal,
      workingDir: input.workingDir ?? image.workingDir,
      labels: { ...image.labels, ...title, ...input.labels },
    },
    ...(probes === undefined ? {} : { probes }),
    ...(epoch === undefined ? {} : { epoch }),
  };
  return { recipe, recipeDir: input.files === undefined ? baseDir : dir };
}

const unique = (items: readonly string[]): string[] => [...new Set(items)];

/** The channel of that name. Throws `CHANNEL_UNKNOWN`. */
export function channelOf(name: string, channels: readonly Channel[]): Channel {
  const found = channels.find((channel) => channel.name === name);
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    channels.map((channel) => channel.name),
  );
  throw new ForgeError('CHANNEL_UNKNOWN', `unknown channel ${name}`, {
    expected: channels.map((channel) => `${channel.name} (${channel.description})`).join(', '),
    found: name,
    ...(meant === undefined ? {} : { hint: `channel: '${meant}'` }),
  });
}

/** What says how to compile would do nothing where nothing is compiled, and its author should know. */
function checkPackaged({ name }: Channel, { configure, cflags }: RecipeInput): void {
  const given = Object.entries({ configure, cflags }).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new ForgeError(
    'RECIPE_INVALID',
    `the channel ${name} compiles nothing, so ${given[0]} cannot change anything`,
    {
      expected: `no field ${given[0]}, or a channel that compiles`,
      found: given[0],
      hint: '--channel debian',
    },
  );
}

/** Those of the base that stay, then the user's; of two choices of one module the user's counts. */
function modulesOf(
  base: readonly ModuleChoice[],
  { modules = [], without = [] }: RecipeInput,
  locate: (path: string) => string,
): ModuleChoice[] {
  const unknown = without.find((name) => base.every((module) => module.name !== name));
  if (unknown !== undefined)
    throw notThere(
      'without',
      unknown,
      base.map(({ name }) => name),
    );
  const kept = base.filter(({ name }) => !without.includes(name)).map((choice) => [choice.name, choice] as const);
  const own = modules.map((module) => moduleOf(module, locate)).map((choice) => [choice.name, choice] as const);
  return [...new Map([...kept, ...own]).values()];
}

function moduleOf(input: string | ModuleInput, locate: (path: string) => string): ModuleChoice {
  if (typeof input === 'string') return parseModule(input, locate);
  const choice = parseModule(input.name, locate);
  if (input.link === undefined) return choice;
  if (choice.link === undefined || choice.link === input.link) return { ...choice, link: input.link };
  throw new ForgeError('MODULE_INVALID', `the module ${choice.name} is to be linked in two ways`, {
    expected: 'the link in its name or in the field link',
    found: `${input.name} and link: '${input.link}'`,
  });
}

const nameOf = (word: string): string => word.split('=', 1)[0] ?? word;

/** The words of configure; one with a value takes the place of that of the same name. */
function configured(base: readonly string[], { add = [], remove = [] }: ConfigureInput): string[] {
  const unknown = remove.find((word) => !base.some((own) => own === word || nameOf(own) === word));
  if (unknown !== undefined) throw notThere('configure.remove', unknown, base);
  const replaced = add.filter((word) => word.includes('=')).map(nameOf);
  const kept = base.filter(
    (word) => ![word, nameOf(word)].some((own) => remove.includes(own)) && !replaced.includes(nameOf(word)),
  );
  return unique([...kept, ...add]);
}

const notThere = (field: string, found: string, there: readonly string[]): ForgeError => {
  const meant = nearest(found, there);
  return new ForgeError('RECIPE_INVALID', `${field}: the base recipe has no ${found}`, {
    expected: there.join(', '),
    found,
    ...(meant === undefined ? {} : { hint: `perhaps ${meant}` }),
  });
};
