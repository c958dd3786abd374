import { lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Step } from '../compile/plan.ts';
import type { RootDefinition } from '../core/channel.ts';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import type { PinnedPackage, PinnedSource } from '../core/lock.ts';
import type { GitPin } from '../core/module.ts';

/**
 * The digest of some of the project's own code, by file or folder below the project's folder: what a stage makes depends
 * on the code that makes it, and on no other.
 */
export type Code = (...paths: string[]) => Digest;

/** The folders whose code makes images. */
const CODE = ['libs', 'dockerfiles', 'package-lock.json'];

/** Reads the code of the project once; later calls only combine digests. */
export async function codeOf(repository: string): Promise<Code> {
  const files = (await Promise.all(CODE.map((path) => digests(repository, path)))).flat();
  return (...paths) =>
    digest.ofJson(files.filter(([file]) => paths.some((path) => file === path || file.startsWith(`${path}/`))));
}

/**
 * The digest of a folder as it would go into an image: paths, folders, link targets, executable bits and bytes. Paths that
 * match `without` do not count. The folder itself may be a link.
 */
export const folder = async (dir: string, without?: RegExp): Promise<Digest> =>
  digest.ofJson((await digests(await realpath(dir), '.')).filter(([path]) => without?.test(path) !== true));

/** What of a source tree is not source: git's own folder changes when anybody looks. */
export const NOT_SOURCE = /^\.git(\/|$)/;

/** The digest of a source tree. */
export const tree = (dir: string): Promise<Digest> => folder(dir, NOT_SOURCE);

/** What lies at `path` below `dir`, sorted: its path, and what of it matters. */
async function digests(dir: string, path: string): Promise<(readonly [path: string, content: string])[]> {
  const place = join(dir, path);
  const stats = await lstat(place);
  if (stats.isSymbolicLink()) return [[path, `link ${await readlink(place)}`]];
  if (!stats.isDirectory()) {
    const mode = (stats.mode & 0o111) === 0 ? 'file' : 'program';
    return [[path, `${mode} ${stats.isFile() ? digest.of(await readFile(place)) : 'special'}`]];
  }
  const names = (await readdir(place)).sort();
  const inside = await Promise.all(names.map((name) => digests(dir, posix.join(path, name))));
  return [[path, 'folder'], ...inside.flat()];
}

/** The key of an assembled root. */
export const root = (code: Code, definition: RootDefinition, packages: readonly PinnedPackage[]): Digest =>
  digest.ofJson({
    code: code('libs/debian/root.ts', 'libs/debian/deb.ts', 'libs/debian/ar.ts', 'libs/archive'),
    folderLinks: definition.folderLinks,
    links: definition.links,
    directories: definition.directories,
    exclude: definition.exclude,
    packages: packages.map(({ sha256 }) => sha256),
  });

/** The key of a root that others' packages were added to. */
export const extended = (
  code: Code,
  base: Digest,
  definition: RootDefinition,
  packages: readonly PinnedPackage[],
): Digest => digest.ofJson({ base, extra: root(code, definition, packages) });

/** The key of the tree of a git commit. */
export const git = (code: Code, { commit }: GitPin): Digest =>
  // Wherever it is fetched from, it is the same.
  digest.ofJson({ code: code('libs/source', 'libs/archive'), commit });

/** The key of an unpacked and patched source tree. `builder` has the `patch` program. */
export const source = (code: Code, pinned: PinnedSource, builder: Digest): Digest =>
  digest.ofJson({
    code: code('libs/source', 'libs/archive', 'libs/sandbox'),
    files: [pinned.orig.sha256, pinned.debian?.sha256],
    patches: pinned.patches,
    builder: pinned.debian === undefined ? undefined : builder,
  });

/** The key of what a plan installs: its commands, the root they run in, and the sources. */
export const compile = (
  code: Code,
  steps: readonly Step[],
  builder: Digest,
  sources: Readonly<Record<string, Digest>>,
): Digest =>
  digest.ofJson({
    code: code('libs/compile', 'libs/sandbox', 'libs/pipeline/compile.ts'),
    steps,
    builder,
    sources,
  });
