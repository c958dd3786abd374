/** A Debian suite to resolve packages in. */
export interface Suite {
  /** `debian` or `debian-security`. */
  readonly archive: string;
  /** The code name as it stands below `dists/`: `trixie`, `trixie-security`. */
  readonly suite: string;
}

/** Packages that are taken from other suites than the rest of a root: a newer OpenSSL on an older distribution. */
export interface Preference {
  readonly suites: readonly Suite[];
  /** Names of binary packages; their dependencies still come from the root's own suites where those satisfy them. */
  readonly packages: readonly string[];
}

/** A root file system as a list of package names; its lock has the closure of their dependencies. */
export interface RootDefinition {
  readonly suites: readonly Suite[];
  readonly packages: readonly string[];
  readonly prefer?: Preference;
  /** Packages that are left out although others depend on them, because something of ours takes their place. */
  readonly without?: readonly string[];
  /** Links to folders that the packages expect to be there: those of the merged /usr. */
  readonly folderLinks: Readonly<Record<string, string>>;
  /** Links that maintainer scripts would have made: path to target. */
  readonly links: Readonly<Record<string, string>>;
  /** Empty folders, mostly to mount on. */
  readonly directories: readonly string[];
  /** Folders that are left out when packages are unpacked. */
  readonly exclude: readonly string[];
}

/** A Debian source package to compile from. */
export interface SourceDefinition {
  readonly package: string;
  /** Whether Debian's patch series is applied to the original source. */
  readonly patches: boolean;
  /** Where it is looked for instead of the channel's `sourceSuites`. */
  readonly suites?: readonly Suite[];
  /** Where the author publishes the same original archive, tried before Debian's mirrors; `VERSION` is its version. */
  readonly upstream?: string;
}

/** An original archive that is in no Debian suite, pinned by hand. */
export interface ArchiveDefinition {
  /** `https://nginx.org/download/nginx-1.31.5.tar.gz`. */
  readonly url: string;
  readonly version: string;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Where the digest was published. */
  readonly evidence: string;
}

interface Common {
  readonly name: string;
  /** One line for the list of channels. */
  readonly description: string;
  /**
   * The root that the image is collected from. On a compiled channel it has the compiler too and is called `builder`, on
   * a packaged one `packages`.
   */
  readonly base: RootDefinition;
  /** Files and folders of the base that every image has although no program names them, each with its reason. */
  readonly data: Readonly<Record<string, string>>;
  /** Folders that this nginx was compiled to write to, with their permission bits. */
  readonly writable: Readonly<Record<string, number>>;
  /** Seconds since 1970: when this nginx was released. The time of every file and of the image (SOURCE_DATE_EPOCH). */
  readonly epoch: number;
}

/** nginx is compiled from source. */
export interface CompiledChannel extends Common {
  readonly kind: 'compiled';
  /** By the name that plans use: `nginx`, `luajit`. Those of modules are in the catalogue. */
  readonly sources: Readonly<Record<string, SourceDefinition | ArchiveDefinition>>;
  /** Where source packages are looked for, those of modules too. */
  readonly sourceSuites: readonly Suite[];
  /** OpenSSL from elsewhere than the base's own suites, by the name that a recipe uses. */
  readonly openssl: Readonly<Record<string, Preference>>;
  /** True where nginx is the suite's own version, so that Debian's compiled modules fit it. */
  readonly acceptsPackagedModules: boolean;
}

/** nginx and its modules are Debian's own binaries. */
export interface PackagedChannel extends Common {
  readonly kind: 'packaged';
}

/** Where nginx comes from. */
export type Channel = CompiledChannel | PackagedChannel;
