import type { RootDefinition } from '../core/channel.ts';
import type { Output } from '../core/output.ts';
import type { Platform } from '../core/platform.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Store } from '../store/store.ts';
import type { Reporter } from '../ui/reporter.ts';
import type { Mirrors } from './mirrors.ts';

/** What the user wants built. */
export interface Request {
  readonly recipe: Recipe;
  /** The folder of the recipe: its `files` are below it. */
  readonly recipeDir: string;
  readonly outputs: readonly Output[];
}

/** What a run works with. Everything that comes from the machine is here, and nowhere read deeper inside. */
export interface Context {
  /** The folder of this project. */
  readonly repository: string;
  readonly store: Store;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly mirrors: Mirrors;
  /** The roots that build and probe but are no part of an image. */
  readonly tools: { readonly sandbox: RootDefinition; readonly client: RootDefinition };
  /** The machine that this runs on. */
  readonly machine: Platform;
  /** How many compilers run at once. */
  readonly jobs: number;
  /** Whether this process is uid 0. */
  readonly root: boolean;
}
