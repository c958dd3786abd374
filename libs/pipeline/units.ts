import { type ModulePlan, type Plan, plan, planModule, type Step } from '../compile/plan.ts';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import type { ChosenModule } from '../core/module.ts';
import type { Recipe } from '../core/recipe.ts';
import type { SourceTree } from './context.ts';
import * as keys from './keys.ts';
import type { Book, RootMaterial, SourceMaterial } from './materials.ts';
import * as materials from './materials.ts';
import { names } from './parts.ts';

/** Something that is compiled by itself, and kept by itself: nginx, or one dynamic module. */
export interface Unit {
  /** For progress and logs: `nginx`, `brotli`. */
  readonly name: string;
  readonly steps: readonly Step[];
  readonly sources: readonly SourceMaterial[];
  /** What it is compiled in. */
  readonly root: RootMaterial;
  /** The unit whose result the steps look into. */
  readonly base?: Unit;
  readonly key: Digest;
}

/** What a compiled image is made of. */
export interface Units {
  readonly nginx: Unit;
  /** By the name of the module. */
  readonly modules: ReadonlyMap<string, Unit>;
}

/** The units of a recipe with these modules, each in the builder with what its own module needs added. */
export function of(
  book: Book,
  builder: RootMaterial,
  recipe: Recipe,
  modules: readonly ChosenModule[],
  trees: Readonly<Record<string, SourceTree>>,
): Units {
  const extra = (some: readonly ChosenModule[]): RootMaterial[] =>
    some.flatMap(({ module }) =>
      book.parts.roots[names.module(module.name)] === undefined
        ? []
        : [materials.root(book, names.module(module.name))],
    );
  const source = (name: string): SourceMaterial => sourceOf(book, builder, modules, trees, name);
  const unit = (made: Plan, name: string, root: RootMaterial, base?: Unit): Unit => {
    const sources = made.sources.map(source);
    const all = Object.fromEntries(sources.map((one) => [one.name, one.key]));
    const key = keys.compile(book.code, made.steps, root.key, base === undefined ? all : { ...all, base: base.key });
    return { name, steps: made.steps, sources, root, key, ...(base === undefined ? {} : { base }) };
  };
  const linked = modules.filter(({ link, origin }) => link === 'static' && origin !== 'package');
  const nginx = unit(plan(recipe, modules), 'nginx', materials.extended(book, builder, extra(linked)));
  const dynamic = modules.filter(
    ({ link, origin }) => link === 'dynamic' && (origin === 'source' || origin === 'nginx'),
  );
  return {
    nginx,
    modules: new Map(
      dynamic.map((chosen) => {
        const made: ModulePlan = planModule(recipe, modules, chosen);
        const root = materials.extended(book, builder, extra([chosen]));
        return [chosen.module.name, unit(made, chosen.module.name, root, made.needsBase ? nginx : undefined)];
      }),
    ),
  };
}

function sourceOf(
  book: Book,
  builder: RootMaterial,
  modules: readonly ChosenModule[],
  trees: Readonly<Record<string, SourceTree>>,
  name: string,
): SourceMaterial {
  const tree = trees[name];
  if (tree !== undefined) return materials.localTree(name, tree.path, tree.sha256);
  const source = modules.find(({ module }) => module.name === name)?.module.source;
  if (typeof source === 'object' && 'path' in source) return materials.localTree(name, source.path, source.sha256);
  if (typeof source === 'object' && 'commit' in source) return materials.gitTree(book.code, name, source);
  return materials.sourceTree(book, name, builder);
}

/** What several units make, as one. */
export const keyOf = (units: Units): Digest =>
  digest.ofJson([units.nginx.key, ...[...units.modules].map(([name, { key }]) => [name, key])]);
