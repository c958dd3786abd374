/** A Debian suite to resolve packages in. */
export interface Suite {
  /** `debian` or `debian-security`. */
  readonly archive: string;
  /** The code name as it stands below `dists/`: `trixie`, `trixie-security`. */
  readonly suite: string;
}

/** A root file system as a list of package names; its lock has the closure of their dependencies. */
export interface RootDefinition {
  readonly suites: readonly Suite[];
  readonly packages: readonly string[];
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
}

/** Where nginx comes from. */
export interface Channel {
  readonly name: string;
  /** One line for the list of channels. */
  readonly description: string;
  readonly builder: RootDefinition;
  /** By the name that the recipe uses: `nginx`, `luajit`, ... */
  readonly sources: Readonly<Record<string, SourceDefinition>>;
  readonly sourceSuites: readonly Suite[];
}
