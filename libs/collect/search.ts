import { posix } from 'node:path';
import type { Abi } from './abi.ts';

/** A loaded object, as far as its search paths go. */
export interface Requester {
  readonly rpath: string | undefined;
  readonly runpath: string | undefined;
  /** The directory that `$ORIGIN` stands for. */
  readonly origin: string;
  readonly noDefaultLibraries: boolean;
  /** The object that made this one be loaded; undefined for the program. */
  readonly loader?: Requester | undefined;
}

/** Directories that do not depend on who asks. */
export interface Places {
  /** Of `LD_LIBRARY_PATH`. */
  readonly environment: readonly string[];
  /** Of `ld.so.conf`. */
  readonly configured: readonly string[];
}

/** Puts in what `$ORIGIN`, `$LIB` and `$PLATFORM` stand for, with or without braces. */
export const expand = (text: string, origin: string, abi: Abi): string =>
  text.replace(/\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_]))/g, (_match, braced, bare) => {
    const token: string = braced ?? bare;
    return token === 'ORIGIN' ? origin : token === 'LIB' ? abi.lib : abi.platform;
  });

/**
 * The directories that glibc's ld.so searches for a name without a slash, in its order (ld.so(8)):
 * DT_RPATH of the requester, of who loaded it, and so on up to the program (none of it where the requester has a
 * DT_RUNPATH); LD_LIBRARY_PATH; DT_RUNPATH of the requester alone; ld.so.cache, which stands for ld.so.conf; the
 * default directories.
 *
 * Left out are the `glibc-hwcaps` subdirectories: which of them ld.so takes depends on the processor that it runs on,
 * an image must run on all of them, and what they hold is a faster double of a library that is found without them.
 * Empty and relative elements are left out as well, for they mean the working directory of whoever starts the program.
 */
export function directories(requester: Requester, places: Places, abi: Abi): string[] {
  const split = (list: string | undefined, origin: string): string[] =>
    (list ?? '')
      .split(':')
      .map((element) => expand(element, origin, abi))
      .filter((element) => element.startsWith('/'))
      .map((element) => posix.join(element, '.'));
  const inherited: string[] = [];
  if (requester.runpath === undefined) {
    for (let object: Requester | undefined = requester; object !== undefined; object = object.loader) {
      inherited.push(...(object.runpath === undefined ? split(object.rpath, object.origin) : []));
    }
  }
  return [
    ...new Set([
      ...inherited,
      ...places.environment,
      ...split(requester.runpath, requester.origin),
      // What the cache has of other directories is taken even with -z nodefaultlib.
      ...places.configured.filter((path) => !requester.noDefaultLibraries || !abi.directories.includes(path)),
      ...(requester.noDefaultLibraries ? [] : abi.directories),
    ]),
  ];
}
