import type { Severity } from '../advisories/severity.ts';
import type { RootDefinition } from '../core/channel.ts';
import type { Digest } from '../core/digest.ts';
import type { ForeignModule } from '../core/module.ts';
import type { Output } from '../core/output.ts';
import type { Platform } from '../core/platform.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Store } from '../store/store.ts';
import type { Reporter } from '../ui/reporter.ts';
import type { Mirrors } from './mirrors.ts';
import type { Catalogue } from './parts.ts';

/** A source tree that takes the place of a pinned one. */
export interface SourceTree {
  readonly path: string;
  readonly sha256: Digest;
  /** For labels: what the user gave. */
  readonly given: string;
  /** The version that the tree says of itself, where it says one. */
  readonly version?: string;
}

/** What the user wants built. */
export interface Request {
  readonly recipe: Recipe;
  /** The folder of the recipe: its `files` are below it. */
  readonly recipeDir: string;
  /** The file of the channel's lock, or of the recipe's own. */
  readonly lock: string;
  /** By the name of a source (`nginx`, `brotli`): what is compiled instead of the pinned one. */
  readonly sources: Readonly<Record<string, SourceTree>>;
  /** Modules that are not in the catalogue, by the name that the recipe chose them by. */
  readonly foreign: ReadonlyMap<string, ForeignModule>;
  readonly outputs: readonly Output[];
  /** How severe an advisory that touches the build must be to fail it. */
  readonly failOn?: Severity;
}

/** What a run works with. Everything that comes from the machine is here, and nowhere read deeper inside. */
export interface Context {
  /** The folder of this project. */
  readonly repository: string;
  readonly store: Store;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly mirrors: Mirrors;
  readonly catalogue: Catalogue;
  /** The names of all channels, for messages. */
  readonly channels: readonly string[];
  /** The roots that build and probe but are no part of an image. */
  readonly tools: Readonly<Record<'sandbox' | 'client' | 'xz', RootDefinition>>;
  /** The machine that this runs on. */
  readonly machine: Platform;
  /** How many compilers run at once. */
  readonly jobs: number;
  /** Whether this process is uid 0. */
  readonly root: boolean;
}
