import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { paths } from '../compile/plan.ts';
import * as digest from '../core/digest.ts';
import type { ChosenModule } from '../core/module.ts';
import type { Places } from './collect.ts';
import type { Installed } from './compile.ts';
import type { Context } from './context.ts';
import type { Needs } from './inputs.ts';
import type { RootMaterial } from './materials.ts';
import type { Wanted } from './obtain.ts';
import type { Unit } from './units.ts';

/** The units whose results are not in the store. */
export async function units({ store }: Context, { units: all }: Needs): Promise<Unit[]> {
  const list = all === undefined ? [] : [all.nginx, ...all.modules.values()];
  const there = await Promise.all(list.map(({ key }) => store.has('compile', key)));
  return list.filter((_, index) => there[index] === false);
}

/** The roots that an image is made from: the base, what is collected from beside it, and what is compiled in. */
export const roots = (need: Needs, todo: readonly Unit[]): RootMaterial[] => [
  need.base,
  ...[...need.packaged.values(), ...need.lua.values(), need.packages, need.dependencies].filter(
    (one) => one !== undefined,
  ),
  ...extended(need),
  ...todo.map(({ root }) => root),
];

/** The builders with what modules need: their libraries are collected from there. */
const extended = ({ units: all }: Needs): RootMaterial[] =>
  all === undefined
    ? []
    : [all.nginx, ...all.modules.values()].map(({ root }) => root).filter(({ base }) => base !== undefined);

/** What must be downloaded, sources first: where one cannot be had, that is known before anything large is fetched. */
export function materials(need: Needs, haveImage: boolean, todo: readonly Unit[]): Wanted[] {
  const { lock } = need.book;
  const forImage = haveImage ? [] : roots(need, todo);
  const all = [
    ...todo.flatMap(({ sources }) => sources).map((material) => ({ material, lock })),
    { material: need.sandbox, lock: need.toolsBook.lock },
    ...forImage
      .flatMap((root) => [root, ...(root.base === undefined ? [] : [root.base])])
      .map((material) => ({ material, lock })),
    { material: need.client, lock: need.toolsBook.lock },
  ];
  return [...new Map(all.map((one) => [one.material.key, one])).values()];
}

/** The folders that an image is collected from. */
export async function places(
  context: Context,
  need: Needs,
  installed: Installed | undefined,
  rootOf: (material: RootMaterial) => Promise<string>,
): Promise<Places> {
  const each = async (some: ReadonlyMap<string, RootMaterial>): Promise<Map<string, string>> =>
    new Map(await Promise.all([...some].map(async ([name, root]) => [name, await rootOf(root)] as const)));
  const maybe = (root: RootMaterial | undefined): Promise<string> | undefined =>
    root === undefined ? undefined : rootOf(root);
  const objects = need.modules.filter(({ origin }) => origin === 'object');
  return {
    nginx: installed?.nginx,
    modules: new Map([
      ...(installed?.modules ?? []),
      ...(await each(need.packaged)),
      ...(await Promise.all(objects.map(async (chosen) => [chosen.module.name, await keep(context, chosen)] as const))),
    ]),
    lua: await each(need.lua),
    packages: await maybe(need.packages),
    dependencies: await maybe(need.dependencies),
    extended: await Promise.all(extended(need).map(rootOf)),
    base: await rootOf(need.base),
  };
}

/** A user's object as a folder of the store, laid out as an installation would be. */
async function keep({ store }: Context, { module }: ChosenModule): Promise<string> {
  const { source } = module;
  if (typeof source !== 'object' || !('path' in source)) throw new Error(`${module.name} is no object`);
  const { path } = await store.directory(
    'compile',
    digest.ofJson({ object: source.sha256, name: basename(source.path) }),
    async (dir) => {
      await mkdir(join(dir, paths.modules), { recursive: true });
      await copyFile(source.path, join(dir, paths.modules, basename(source.path)));
    },
  );
  return path;
}
