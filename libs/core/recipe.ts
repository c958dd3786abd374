import type { Channel } from './channel.ts';
import type { Link } from './module.ts';

/** The user that the image runs as. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A module by its name in the catalogue; how it is linked is the catalogue's default unless told. */
export interface ModuleChoice {
  /** A name of the catalogue; or `./folder`, `./object.so` or `git+URL#COMMIT` for one that is not in it. */
  readonly name: string;
  readonly link?: Link;
}

/** What must be true of a build, or it fails. */
export interface Requirements {
  /** Which QUIC implementation nginx must have been compiled with. */
  readonly quic?: Quic;
}

/**
 * How nginx speaks QUIC: `native` with OpenSSL's own API (>= 3.5.1), `boringssl` with the API of BoringSSL, QuicTLS and
 * LibreSSL, `compat` with nginx's compatibility layer over any other OpenSSL, which has no 0-RTT, `none` not at all.
 */
export type Quic = 'native' | 'boringssl' | 'compat' | 'none';

/** A question of a recipe's own that its image must answer over HTTP/1.1, HTTP/2 and HTTP/3 before it counts as built. */
export interface RecipeProbe {
  /** Begins with `/`. */
  readonly path: string;
  /** 200 unless told. */
  readonly status?: number;
  /** A text that the body contains. */
  readonly body?: string;
  /** By lower-case name: a text that the header's value contains. */
  readonly headers?: Readonly<Record<string, string>>;
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
    /** Words for nginx's `configure`, without `--with-cc-opt`, `--with-ld-opt` and those of modules. */
    readonly configure: readonly string[];
  };
  /** Modules of the catalogue, in any order. */
  readonly modules: readonly ModuleChoice[];
  /** Lua libraries: names of the catalogue (`nginx.redis`), or folders (`./lua`) whose files `require` finds. */
  readonly lua: readonly string[];
  /** Where libssl comes from: `suite`, or a name among the channel's choices. */
  readonly openssl: string;
  /** Debian packages whose files all go into the image. The recipe's own lock has them. */
  readonly packages: readonly string[];
  readonly require: Requirements;
  /** The programs of the image; everything that they need at run time is collected. */
  readonly programs: readonly string[];
  /** Files and folders of the channel's base that go into the image beside the channel's own `data`, each with its reason. */
  readonly data: Readonly<Record<string, string>>;
  /** Time zones: none, all, or these (`Europe/Zurich`). */
  readonly timezones: 'none' | 'all' | readonly string[];
  readonly user: User;
  /** Further users and groups for the image's passwd and group files. */
  readonly users: readonly User[];
  /** Folders that the image's user may write to beside the channel's own, with their permission bits. */
  readonly writable: Readonly<Record<string, number>>;
  /** Empty folders of the image that users mount on. */
  readonly mountPoints: readonly string[];
  /** The folder (relative to the recipe) whose files go into the image as they lie. */
  readonly files: string;
  /** What the image must answer; the questions that every image of this project answers unless told. */
  readonly probes?: readonly RecipeProbe[];
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
  /** Seconds since 1970 instead of the channel's: the time of every file and of the image (SOURCE_DATE_EPOCH). */
  readonly epoch?: number;
}
