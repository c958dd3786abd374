import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import * as control from './control.ts';
import * as relation from './relation.ts';
import * as version from './version.ts';

/** What a Packages index says of one binary package. Relationship fields are as they are written; most are never read. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** `debian` or `debian-security`. */
  readonly archive: string;
  /** Relative to the root of the archive. */
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Digest;
  readonly preDepends: string;
  readonly depends: string;
  readonly conflicts: string;
  readonly breaks: string;
  readonly provides: string;
  /** Empty, `same`, `foreign` or `allowed`. */
  readonly multiArch: string;
  readonly essential: boolean;
  /** `required`, `important`, `standard`, `optional` or `extra`. */
  readonly priority: string;
  /** The name of its source package. */
  readonly source: string;
  /** How many names the indexes mention before they first mention this one: the order in which apt comes to know them. */
  readonly order: number;
}

/** A package that provides a name; the version only where the Provides field has one. */
export interface Provider {
  readonly record: PackageRecord;
  readonly version: string | undefined;
}

/** The packages of some suites. Of several versions of a package the highest is the candidate, as for apt. */
export interface PackageIndex {
  /** Debian's architecture, which the packages are for. */
  readonly architecture: string;
  /** The versions of a package, the newest first. */
  versions(name: string): readonly PackageRecord[];
  /** The version that would be installed. */
  candidate(name: string): PackageRecord | undefined;
  /** The candidates whose Provides field has that name, in the order of the indexes. */
  providers(name: string): readonly Provider[];
}

const FIELDS = [
  'Package',
  'Version',
  'Architecture',
  'Filename',
  'Size',
  'SHA256',
  'Pre-Depends',
  'Depends',
  'Conflicts',
  'Breaks',
  'Provides',
  'Multi-Arch',
  'Essential',
  'Priority',
  'Source',
  ...(['Recommends', 'Suggests', 'Replaces', 'Enhances'] as const),
] as const;

/** The fields that mention packages, in the order in which apt reads them. */
const MENTIONS = [
  'Pre-Depends',
  'Depends',
  'Conflicts',
  'Breaks',
  'Recommends',
  'Suggests',
  'Replaces',
  'Enhances',
  'Provides',
] as const;

/** Every name that was mentioned so far, and how many were before it. */
export type Names = Map<string, number>;

/**
 * The records of a Packages index as it streams by. `names` is shared by the indexes that are read one after another.
 * Throws `INDEX_INVALID` for a record without a field that it must have.
 */
export async function* read(
  text: AsyncIterable<Uint8Array>,
  archive: string,
  names: Names = new Map(),
): AsyncGenerator<PackageRecord> {
  const seen = new Map<string, string>();
  const shared = (text: string): string => {
    const earlier = seen.get(text);
    if (earlier !== undefined) return earlier;
    const copy = own(text);
    seen.set(copy, copy);
    return copy;
  };
  for await (const stanza of control.stanzas(text, FIELDS)) {
    const { Package, Version, Architecture, Filename, Size, SHA256 } = stanza;
    if (!Package || !Version || !Architecture || !Filename || !/^\d+$/.test(Size ?? '') || !SHA256) {
      throw new ForgeError(
        'INDEX_INVALID',
        `the package index has an incomplete entry: ${Package ?? 'without a name'}`,
      );
    }
    const order = mention(names, Package);
    for (const field of MENTIONS) {
      const value = stanza[field];
      if (value !== undefined) for (const part of value.split(/[,|]/)) mention(names, part);
    }
    yield {
      order,
      name: own(Package),
      version: own(Version),
      architecture: shared(Architecture),
      archive,
      filename: own(Filename),
      size: Number(Size),
      sha256: digest.fromHex(own(SHA256)),
      preDepends: own(stanza['Pre-Depends'] ?? ''),
      depends: own(stanza.Depends ?? ''),
      conflicts: own(stanza.Conflicts ?? ''),
      breaks: own(stanza.Breaks ?? ''),
      provides: own(stanza.Provides ?? ''),
      multiArch: shared(stanza['Multi-Arch'] ?? ''),
      essential: stanza.Essential === 'yes',
      priority: shared(stanza.Priority ?? 'optional'),
      source: shared((stanza.Source ?? Package).replace(/ .*/, '')),
    };
  }
}

/** The place of the name that a relation begins with. */
function mention(names: Names, relation: string): number {
  const name = /[a-z0-9][a-z0-9+.-]*/.exec(relation)?.[0] ?? '';
  const earlier = names.get(name);
  if (earlier !== undefined) return earlier;
  const place = names.size;
  names.set(own(name), place);
  return place;
}

/** A copy, because a part of a string keeps the whole alive: here, all of a text of 56 MB. These fields are ASCII. */
const own = (text: string): string => (text === '' ? '' : Buffer.from(text, 'latin1').toString('latin1'));

/** Makes an index. Where two suites have the same version of a package, the record that comes first counts. */
export function index(records: Iterable<PackageRecord>, architecture: string): PackageIndex {
  const byName = new Map<string, PackageRecord[]>();
  for (const record of records) {
    if (record.architecture !== architecture && record.architecture !== 'all') continue;
    const versions = byName.get(record.name);
    if (versions === undefined) byName.set(record.name, [record]);
    else insert(versions, record);
  }
  const providers = new Map<string, Provider[]>();
  for (const [record] of byName.values()) {
    if (record === undefined || record.provides === '') continue;
    for (const { name, version: provided } of relation.parse(record.provides, { architecture }).flat()) {
      const list = providers.get(name) ?? [];
      if (list.length === 0) providers.set(name, list);
      list.push({ record, version: provided });
    }
  }
  return {
    architecture,
    versions: (name) => byName.get(name) ?? [],
    candidate: (name) => byName.get(name)?.[0],
    providers: (name) => providers.get(name) ?? [],
  };
}

function insert(versions: PackageRecord[], record: PackageRecord): void {
  const place = versions.findIndex((other) => version.compare(record.version, other.version) >= 0);
  if (place === -1) versions.push(record);
  else if (version.compare(record.version, versions[place]?.version ?? '') > 0) versions.splice(place, 0, record);
}
