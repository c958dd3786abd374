import type { Channel } from './channel.ts';

/** The user that the image runs as. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** One source tree that is compiled with nginx: an `--add-module` folder. */
export interface StaticModule {
  /** A key of the channel's `sources`. */
  readonly source: string;
  /** True where its configure script looks for LuaJIT, so that LuaJIT must be there first. */
  readonly needsLuajit?: boolean;
}

/** What is built: everything about an image that is not a version or a digest (those are the channel and its lock). */
export interface Recipe {
  /** Of the image: `nginx-quic`. */
  readonly name: string;
  /** `linux/amd64`. */
  readonly platform: string;
  readonly channel: Channel;
  /** Flags of the C compiler for all that is compiled. */
  readonly cflags: readonly string[];
  /** Flags of the linker, as the compiler takes them. */
  readonly ldflags: readonly string[];
  /** Variables for LuaJIT's make. */
  readonly luajit: Readonly<Record<string, string>>;
  readonly nginx: {
    /** Words for nginx's `configure`, without `--with-cc-opt`, `--with-ld-opt` and `--add-module`. */
    readonly configure: readonly string[];
    /** In this order: a module comes after those that it uses. */
    readonly modules: readonly StaticModule[];
  };
  /** The programs of the image; everything that they need at run time is collected. */
  readonly programs: readonly string[];
  /** Files and folders of the builder root that go into the image although no program names them, each with its reason. */
  readonly data: Readonly<Record<string, string>>;
  /** Time zones: none, all, or these (`Europe/Zurich`). */
  readonly timezones: 'none' | 'all' | readonly string[];
  readonly user: User;
  /** Folders that the image's user may write to, with their permission bits. */
  readonly writable: Readonly<Record<string, number>>;
  /** Empty folders of the image that users mount on. */
  readonly mountPoints: readonly string[];
  /** The folder (relative to the recipe) whose files go into the image as they lie. */
  readonly files: string;
  readonly image: {
    readonly entrypoint: readonly string[];
    readonly command: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    /** `443/udp`. */
    readonly ports: readonly string[];
    readonly stopSignal: string;
    readonly workingDir: string;
    /** Annotations and labels; keys of the OCI annotation specification where it has one. */
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Seconds since 1970: the time of every file and of the image (SOURCE_DATE_EPOCH). */
  readonly epoch: number;
}

/** Gives a recipe its type; the value is returned as it is. */
export const defineRecipe = (recipe: Recipe): Recipe => recipe;
