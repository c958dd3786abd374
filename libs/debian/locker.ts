import type { ArchiveDefinition, RootDefinition, SourceDefinition } from '../core/channel.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import type { Lock, PinnedFile, PinnedPackage, PinnedSource } from '../core/lock.ts';
import { chains } from './chains.ts';
import type { PackageIndex, PackageRecord } from './packages.ts';
import * as relation from './relation.ts';
import { resolve } from './resolve.ts';
import type { SourceRecord } from './sources.ts';
import * as version from './version.ts';

/** What of a root definition decides its packages. */
export type RootRequest = Pick<RootDefinition, 'packages' | 'without'>;

/** The packages of a root as its lock has them, and how each got there. */
export interface LockedRoot {
  readonly packages: readonly PinnedPackage[];
  /** By name, what leads to a package: {@link chains}. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
}

/**
 * The packages of a root, for its lock: the requested ones and all that they depend on, where what is left out counts as
 * there. Throws what resolving throws.
 */
export function lockRoot(index: PackageIndex, { packages, without = [] }: RootRequest): LockedRoot {
  const records = resolve(assuming(index, leftOut(packages, without)), packages);
  return { packages: records.map(pinned), chains: chains(records, packages, index.architecture) };
}

/**
 * What packages need beside those of a base that is locked already, every package of which stays and satisfies what it can.
 * Throws what resolving throws, and `LOCK_BASE_CHANGED` where another version of a package of the base is needed, which one
 * index never does.
 */
export function lockExtra(
  index: PackageIndex,
  base: RootRequest,
  locked: readonly PinnedPackage[],
  extra: RootRequest,
): LockedRoot {
  const there = new Map(locked.map(({ name, version }) => [name, version]));
  const without = leftOut(extra.packages, [...(base.without ?? []), ...(extra.without ?? [])]);
  const records = resolve(assuming(index, without), [...there.keys(), ...extra.packages]);
  for (const { name, version } of records) {
    const expected = there.get(name) ?? version;
    if (expected === version) continue;
    throw new ForgeError('LOCK_BASE_CHANGED', `${extra.packages.join(', ')}: the base has another ${name}`, {
      expected: `${name} ${expected}`,
      found: `${name} ${version}`,
      hint: 'give this root the suites of its base',
    });
  }
  return {
    packages: records.filter(({ name }) => !there.has(name)).map(pinned),
    chains: chains(records, extra.packages, index.architecture),
  };
}

/** Who asks for a package by its name wants that very one. */
const leftOut = (packages: readonly string[], without: readonly string[]): ReadonlySet<string> =>
  new Set(without.filter((name) => !packages.includes(name)));

/**
 * An index in which no dependency on those packages counts, nor on what they provide: something else takes their place, and
 * has no dependencies.
 */
function assuming(index: PackageIndex, left: ReadonlySet<string>): PackageIndex {
  if (left.size === 0) return index;
  const { architecture } = index;
  const provided = [...left].flatMap((name) =>
    relation.parse(index.candidate(name)?.provides ?? '', { architecture }).flatMap((one) => one.map((it) => it.name)),
  );
  const names = new Set([...left, ...provided]);
  const isAssumed = (alternatives: string): boolean =>
    alternatives.split('|').some((text) => names.has(text.trim().replace(/[\s:([].*$/s, '')));
  const without = (field: string): string =>
    field
      .split(',')
      .filter((alternatives) => !isAssumed(alternatives))
      .join(',');
  // One and the same record must stay one.
  const known = new Map<PackageRecord, PackageRecord>();
  const relieved = (record: PackageRecord): PackageRecord => {
    const earlier = known.get(record);
    if (earlier !== undefined) return earlier;
    const copy = { ...record, preDepends: without(record.preDepends), depends: without(record.depends) };
    known.set(record, copy);
    return copy;
  };
  return {
    architecture,
    versions: (name) => index.versions(name).map(relieved),
    candidate(name) {
      const record = index.candidate(name);
      return record === undefined ? undefined : relieved(record);
    },
    providers: (name) =>
      index
        .providers(name)
        .filter(({ record }) => !left.has(record.name))
        .map(({ record, version: offered }) => ({ record: relieved(record), version: offered })),
  };
}

const pinned = ({ name, version, architecture, archive, filename, size, sha256 }: PackageRecord): PinnedPackage => ({
  name,
  version,
  architecture,
  archive,
  path: filename,
  size,
  sha256,
});

/**
 * Records as a root with a preference sees them: the preferred packages from the preferred suites only, everything else from
 * its own.
 */
export function* preferring(
  own: Iterable<PackageRecord>,
  preferred: Iterable<PackageRecord>,
  names: readonly string[],
): Generator<PackageRecord> {
  for (const record of own) if (!names.includes(record.name)) yield record;
  for (const record of preferred) if (names.includes(record.name)) yield record;
}

export interface SourceLockOptions {
  /** Whether any mirror serves that file. */
  readonly available: (file: PinnedFile) => Promise<boolean>;
  /** Whether the author's own place serves it. */
  readonly published: (url: string) => Promise<boolean>;
  /** The lines of `debian/patches/series` inside that archive. */
  readonly readSeries: (debian: PinnedFile) => Promise<readonly string[]>;
}

/**
 * The newest version of a source package whose files can be had; `heldBack` names a newer one that the signed index has but
 * no mirror serves. Where none can be had, the newest one is locked by its digest and marked `unserved`, unless its patches
 * must be read. Throws `SOURCE_MISSING`, and `SOURCE_UNSUPPORTED` for another format than 3.0 (quilt) with one original
 * archive.
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
    const places = placesOf(record, definition);
    const { upstream, orig, debian } = places;
    const isPublished = async (): Promise<boolean> => upstream !== undefined && (await options.published(upstream));
    const served = await Promise.all([
      options.available(orig).then(async (found) => found || (await isPublished())),
      debian === undefined || options.available(debian),
    ]);
    if (served.every(Boolean)) {
      return {
        package: record.name,
        version: record.version,
        ...(record.version === newest.version ? {} : { heldBack: newest.version }),
        ...places,
        ...(debian === undefined ? {} : { patches: [...(await options.readSeries(debian))] }),
      };
    }
    absent.push(...[orig, debian].flatMap((file, index) => (served[index] === true ? [] : (file?.path ?? []))));
  }
  if (!definition.patches)
    return { package: newest.name, version: newest.version, unserved: true, ...placesOf(newest, definition) };
  throw new ForgeError('SOURCE_MISSING', `no mirror has the files of ${definition.package}`, {
    expected: absent.join(', '),
    found: 'none of them',
    hint: 'H3FORGE_DEBIAN_MIRROR=http://MIRROR/debian npm run lock',
  });
}

/** An archive that was pinned by hand. */
export async function lockArchive(
  name: string,
  { url, version: of, size, sha256 }: ArchiveDefinition,
  { published }: Pick<SourceLockOptions, 'published'>,
): Promise<PinnedSource> {
  const served = await published(url);
  return {
    package: name,
    version: of,
    ...(served ? {} : { unserved: true as const }),
    upstream: url,
    orig: { archive: NO_ARCHIVE, path: url.slice(url.lastIndexOf('/') + 1), size, sha256: digest.fromHex(sha256) },
  };
}

/** The archive of a file that is in none of Debian's. */
const NO_ARCHIVE = '-';

/** What is taken of a source package, and where its author publishes it. */
function placesOf(record: SourceRecord, { patches, upstream }: SourceDefinition): Places {
  const { orig, debian } = archivesOf(record);
  return {
    orig,
    ...(patches ? { debian } : {}),
    ...(upstream === undefined
      ? {}
      : { upstream: upstream.replaceAll('VERSION', version.parse(record.version).upstream) }),
  };
}

type Places = Pick<PinnedSource, 'orig' | 'debian' | 'upstream'>;

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

/** Where a change of a source is. */
export const SOURCES = 'sources';

/** One line of what changed between two locks; `from` is undefined for what is new, `to` for what is gone. */
export interface Change {
  /** The name of the root, or {@link SOURCES}. */
  readonly where: string;
  readonly package: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * What changed, by root and package. A file with another digest and the same version counts as changed, too, and so does
 * whether a source is served.
 */
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
  const sources: [string, Locked][] = Object.entries(lock?.sources ?? {}).map(([name, source]) => [
    `${SOURCES}\0${name}`,
    { version: source.version, id: digest.canonicalJson(source) },
  ]);
  return new Map([...roots, ...sources]);
}
