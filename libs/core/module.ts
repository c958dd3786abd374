import type { Digest } from './digest.ts';

/** How a module gets into nginx: compiled into it, or as an object that `load_module` names. */
export type Link = 'static' | 'dynamic';

/** A git commit as a pinned source: its name is the digest of all that it holds. */
export interface GitPin {
  /** `https://...` */
  readonly git: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** What people call it: a tag, or the date of the commit. */
  readonly version: string;
}

/** Where the source of a module comes from. */
export type ModuleSource =
  /** A Debian source package: the channel's lock has its digest. */
  | {
      readonly debian: string /** Where the author publishes the original archive, if it is the same file. */;
      readonly upstream?: string;
    }
  | GitPin
  /** A part of nginx itself: configure words are all that it needs. */
  | 'nginx';

/** A request that only a working module answers rightly, and what nginx must be configured with for it. */
export interface ModuleSmoke {
  /** Lines for the main context, such as `stream { ... }`. */
  readonly main?: string;
  /** Lines for the `http` context. */
  readonly http?: string;
  /** Lines for the `server` context: at least a location. */
  readonly server: string;
  /** Files below `/smoke/`, which the server can read: path relative to it, and content. */
  readonly files?: Readonly<Record<string, string | { readonly base64: string }>>;
  readonly request: {
    /** Begins with `/`. */
    readonly path: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Sent as the body. */
    readonly body?: string;
  };
  readonly expect: {
    readonly status: number;
    /** By lower-case name: a text that the header's value contains. */
    readonly headers?: Readonly<Record<string, string>>;
    /** A text that the body contains; where it is compressed only its headers can be looked at. */
    readonly body?: string;
  };
}

/** One module of the catalogue. */
export interface NginxModule {
  /** As `--module` takes it: lower case, with `-`. */
  readonly name: string;
  /** One line: what a configuration can do with it. */
  readonly summary: string;
  readonly homepage: string;
  readonly source: ModuleSource;
  /** The folder of its `config` script below the source's top; the top itself unless told. */
  readonly folder?: string;
  /** Words for nginx's configure beside `--add-module`; for a part of nginx all of them. */
  readonly configure?: readonly string[];
  /** Flags for the C compiler, for nginx too where it is linked statically: switches that its own configure script lacks. */
  readonly cflags?: readonly string[];
  /** How it is linked when nothing is said, and, where `only` is true, always. */
  readonly link: { readonly default: Link; readonly only?: true };
  /** The files that a dynamic build makes, in the order to load them: `ngx_http_brotli_filter_module.so`. */
  readonly objects: readonly string[];
  /** Debian packages that are needed to compile it, beside the channel's own. */
  readonly builder?: readonly string[];
  /** Debian's own packages of the compiled module (`libnginx-mod-...`), where Debian has them. */
  readonly packages?: readonly string[];
  /** Other modules of the catalogue that it needs; they come before it, and are added where they were not asked for. */
  readonly requires?: readonly string[];
  /** Modules that come before it where both are there. */
  readonly after?: readonly string[];
  /** True where its configure script looks for LuaJIT, so that LuaJIT must be there first. */
  readonly needsLuajit?: true;
  /** Files and folders of the builder root or of its packages that go into the image with it, each with its reason. */
  readonly data?: Readonly<Record<string, string>>;
  readonly smoke: ModuleSmoke;
}

/** A source tree that lies on this machine, or one prebuilt object; its digest was taken. */
export interface LocalSource {
  readonly path: string;
  readonly sha256: Digest;
}

/** A module that is not in the catalogue: all that is known of it is where it lies. */
export interface ForeignModule extends Omit<NginxModule, 'smoke' | 'source'> {
  readonly source: LocalSource | GitPin;
  readonly smoke?: undefined;
}

/** A module of one build. */
export interface ChosenModule {
  readonly module: NginxModule | ForeignModule;
  readonly link: Link;
  /** `source` is compiled here, `nginx` is a part of nginx, `package` is Debian's compiled one, `object` a user's. */
  readonly origin: 'source' | 'nginx' | 'package' | 'object';
  /** For people: `1.0.0~rc`, a commit, or what else names it. */
  readonly version: string;
}

/** A Lua library of the catalogue. */
export interface LuaLibrary {
  /** As `require` takes it: `nginx.redis`. */
  readonly name: string;
  readonly summary: string;
  /** The Debian package that has it. */
  readonly package: string;
  /** Other libraries of the catalogue that it needs. */
  readonly requires?: readonly string[];
}
