import type { Elf } from './elf.ts';
import type { Found } from './lookup.ts';

/** An object that is loaded. */
export interface Loaded {
  readonly found: Found;
  readonly elf: Elf;
  /** The names by which it was asked for, beside its soname. */
  readonly names: Set<string>;
  /** What `$ORIGIN` in it stands for: the directory where it was found, links not followed. */
  readonly origin: string;
  /** Who asked for it first; undefined for the program. */
  readonly loader: Loaded | undefined;
}

/** A version that a loaded library does not have. */
export interface Unmet {
  readonly by: string;
  readonly library: string;
  readonly version: string;
  /** Where the library was found. */
  readonly path: string;
  readonly offered: readonly string[];
}

/**
 * The versions that loaded objects want and do not get. As in ld.so, a library that defines no versions at all
 * satisfies everyone (ld.so only grumbles), and versions wanted by weak symbols alone are not insisted on.
 */
export const unmet = (objects: readonly Loaded[]): Unmet[] =>
  objects.flatMap(({ found, elf }) =>
    elf.needs.flatMap(({ library, versions }) => {
      const provider = objects.find((object) => object.names.has(library) || object.elf.soname === library);
      if (provider === undefined || provider.elf.defines.length === 0) {
        return [];
      }
      const offered = provider.elf.defines.map(({ name }) => name);
      return versions
        .filter(({ name, weak }) => !weak && !offered.includes(name))
        .map(({ name }) => ({ by: found.path, library, version: name, path: provider.found.path, offered }));
    }),
  );
