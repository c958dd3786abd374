import type { SourceDefinition } from '../core/channel.ts';
import { ForgeError } from '../core/errors.ts';
import type { Lock, PinnedFile, PinnedPackage, PinnedSource } from '../core/lock.ts';
import type { PackageIndex } from './packages.ts';
import { resolve } from './resolve.ts';
import type { SourceRecord } from './sources.ts';
import * as version from './version.ts';

/** The packages of a root, for its lock: the requested ones and all that they depend on. Throws what resolving throws. */
export const lockRoot = (index: PackageIndex, requests: readonly string[]): PinnedPackage[] =>
  resolve(index, requests).map(({ name, version, architecture, archive, filename, size, sha256 }) => ({
    name,
    version,
    architecture,
    archive,
    path: filename,
    size,
    sha256,
  }));

export interface SourceLockOptions {
  /** Whether any mirror serves that file. */
  readonly available: (file: PinnedFile) => Promise<boolean>;
  /** The lines of `debian/patches/series` inside that archive. */
  readonly readSeries: (debian: PinnedFile) => Promise<readonly string[]>;
}

/**
 * The newest version of a source package whose files can be had; `heldBack` names a newer one that the signed index has but
 * no mirror serves. Throws `SOURCE_MISSING` where there is none, `SOURCE_UNSUPPORTED` for another format than 3.0 (quilt)
 * with one original archive.
 */
export async function lockSource(
  records: readonly SourceRecord[],
  definition: SourceDefinition,
  options: SourceLockOptions,
): Promise<PinnedSource> {
  const versions = records
    .filter(({ name }) => name === definition.package)
    .sort((a, b) => version.compare(b.version, a.version));
  const [newest] = versions;
  if (newest === undefined) {
    throw new ForgeError('SOURCE_MISSING', `there is no source package ${definition.package} in these suites`);
  }
  const absent: string[] = [];
  for (const record of versions) {
    const { orig, debian } = archivesOf(record);
    const needed = definition.patches ? [orig, debian] : [orig];
    const served = await Promise.all(needed.map(options.available));
    if (!served.every(Boolean)) {
      absent.push(...needed.filter((_, index) => served[index] === false).map(({ path }) => path));
      continue;
    }
    return {
      package: record.name,
      version: record.version,
      ...(record.version === newest.version ? {} : { heldBack: newest.version }),
      orig,
      ...(definition.patches ? { debian, patches: [...(await options.readSeries(debian))] } : {}),
    };
  }
  throw new ForgeError('SOURCE_MISSING', `no mirror has the files of ${definition.package}`, {
    expected: absent.join(', '),
    found: 'none of them',
    hint: 'H3FORGE_DEBIAN_MIRROR=http://MIRROR/debian npm run lock',
  });
}

/** The two archives of format 3.0 (quilt): `nginx_1.26.3.orig.tar.gz`, `nginx_1.26.3-3.debian.tar.xz`. */
function archivesOf({ name, version, format, files }: SourceRecord): { orig: PinnedFile; debian: PinnedFile } {
  const find = (kind: string): PinnedFile[] =>
    files.filter(({ path }) => new RegExp(`\\.${kind}\\.tar\\.[a-z0-9]+$`).test(path));
  const [orig, ...moreOrig] = find('orig(-[a-z0-9-]+)?');
  const [debian] = find('debian');
  if (format !== '3.0 (quilt)' || orig === undefined || debian === undefined || moreOrig.length > 0) {
    throw new ForgeError('SOURCE_UNSUPPORTED', `${name} ${version} cannot be unpacked`, {
      expected: 'format 3.0 (quilt) with one original archive',
      found: `${format || 'no format'}: ${files.map(({ path }) => path.replace(/.*\//, '')).join(', ')}`,
    });
  }
  return { orig, debian };
}

/** A date as the snapshot archive and a lock write it: `20261119T021254Z`. */
export const stamp = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '');

/** One line of what changed between two locks; `from` is undefined for what is new, `to` for what is gone. */
export interface Change {
  /** The name of the root, or `sources`. */
  readonly where: string;
  readonly package: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** What changed, by root and package. A file with another digest and the same version counts as changed, too. */
export function diff(before: Lock | undefined, after: Lock): Change[] {
  const old = versionsOf(before);
  const next = versionsOf(after);
  return [...new Set([...old.keys(), ...next.keys()])].sort().flatMap((key) => {
    const [where = '', name = ''] = key.split('\0');
    const [from, to] = [old.get(key), next.get(key)];
    return from?.id === to?.id ? [] : [{ where, package: name, from: from?.version, to: to?.version }];
  });
}

interface Locked {
  readonly version: string;
  /** Differs where anything does. */
  readonly id: string;
}

/** By place and package, what is locked there. */
function versionsOf(lock: Lock | undefined): Map<string, Locked> {
  const roots: [string, Locked][] = Object.entries(lock?.roots ?? {}).flatMap(([root, packages]) =>
    packages.map(({ name, version, sha256 }) => [`${root}\0${name}`, { version, id: `${version} ${sha256}` }]),
  );
  const sources: [string, Locked][] = Object.entries(lock?.sources ?? {}).map(
    ([name, { version, orig, debian }]) =>
      [`sources\0${name}`, { version, id: `${version} ${orig.sha256} ${debian?.sha256}` }] as const,
  );
  return new Map([...roots, ...sources]);
}
