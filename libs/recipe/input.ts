import type { Link } from '../core/module.ts';
import type { RecipeProbe, Requirements, User } from '../core/recipe.ts';

/** A module with how it is linked said apart. */
export interface ModuleInput {
  /** A name of the catalogue, `./folder`, `./object.so`, or `git+https://HOST/REPOSITORY.git#COMMIT`. */
  readonly name: string;
  /** The module's own default unless told; a packaged channel only has dynamic ones. */
  readonly link?: Link;
}

/** Changes to the words of nginx's `configure`; a packaged channel has none. */
export interface ConfigureInput {
  /** `--with-http_dav_module`. A word with a value takes the place of the base recipe's of the same name. */
  readonly add?: readonly string[];
  /** Words of the base recipe, `--with-http_sub_module`, or the names of those with a value, `--http-log-path`. */
  readonly remove?: readonly string[];
}

/**
 * A recipe as a user writes it: what is different from the base recipe, `nginx-quic/recipe.ts`. Everything is optional;
 * relative paths are relative to the folder of the recipe.
 */
export interface RecipeInput {
  /** Of the image: `shop-edge`. It is its title too, unless `labels` has one. */
  readonly name?: string;
  /** Where nginx comes from: `debian`, `packaged`, `stable` or `mainline`. */
  readonly channel?: string;
  /**
   * Modules beside those of the base recipe: `brotli`, `headers-more=dynamic`, `./folder`, `./object.so`,
   * `git+https://HOST/REPOSITORY.git#COMMIT`, or `{ name, link }`. One that the base recipe has too is linked as said here.
   */
  readonly modules?: readonly (string | ModuleInput)[];
  /** Modules of the base recipe that this image shall not have: `lua`. */
  readonly without?: readonly string[];
  /** Lua libraries, `nginx.redis`, and folders whose files `require` finds, `./lua`; beside those of the base recipe. */
  readonly lua?: readonly string[];
  /** Where libssl comes from: `suite`, or a name of the channel's: `testing`. */
  readonly openssl?: string;
  /** Debian packages whose files all go into the image: `tzdata`. They need a lock: `npm run lock -- --recipe DIR`. */
  readonly packages?: readonly string[];
  readonly configure?: ConfigureInput;
  /** Flags of the C compiler after those of the base recipe, one each: `-march=x86-64-v3`. */
  readonly cflags?: readonly string[];
  /** The folder whose files go into the image as they lie; `rootfs` where there is one, else the base recipe's files. */
  readonly files?: string;
  /** Annotations and labels beside the base recipe's, of which one with the same key is replaced. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Environment variables beside the base recipe's, of which one of the same name is replaced. */
  readonly env?: Readonly<Record<string, string>>;
  /** All ports that the image listens on: `443/udp`. */
  readonly ports?: readonly string[];
  /** Who nginx runs as. */
  readonly user?: User;
  /** Further users and groups for `/etc/passwd` and `/etc/group`. */
  readonly users?: readonly User[];
  /** Time zones: `none`, `all`, or these (`Europe/Zurich`). */
  readonly timezones?: 'none' | 'all' | readonly string[];
  /** Folders that nginx may write to, with their permission bits: `{ '/var/cache/shop': 0o1777 }`. */
  readonly writable?: Readonly<Record<string, number>>;
  /** Further empty folders of the image to mount on. */
  readonly mountPoints?: readonly string[];
  /** The program that is run, and its first arguments. */
  readonly entrypoint?: readonly string[];
  /** Arguments after the entrypoint's, which whoever runs the image may replace. */
  readonly command?: readonly string[];
  readonly workingDir?: string;
  /** `SIGQUIT` lets nginx finish what it is at. */
  readonly stopSignal?: string;
  /**
   * What the image must answer on `https://localhost/` over HTTP/1.1, 2 and 3 before it counts as built. The first one's
   * answer must announce HTTP/3 too. Without probes, those for the base recipe's nginx.conf are asked.
   */
  readonly probes?: readonly RecipeProbe[];
  /** What must be true of the build, or it fails: `{ quic: 'native' }`. */
  readonly require?: Requirements;
  /** Seconds since 1970: the time of every file and of the image, instead of nginx's release. */
  readonly epoch?: number;
}

/** Gives back what it gets: it is there for the type, so that an editor completes and checks a recipe. */
export const defineRecipe = (input: RecipeInput): RecipeInput => input;
