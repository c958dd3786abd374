import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import * as control from './control.ts';
import { type Keyring, signedText } from './signature.ts';

/** What is trusted, and what time it is. */
export interface Trust extends Keyring {
  readonly now: Date;
  /** False where the machine's apt configuration or the user says that an old index will do. */
  readonly checkValidUntil: boolean;
}

/** A file that a release names; its path is relative to the folder of the suite. */
export interface ReleaseFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Digest;
}

/** What the signed part of an InRelease file says. */
export interface Release {
  readonly suite: string;
  readonly codename: string;
  readonly date: Date;
  readonly validUntil: Date | undefined;
  readonly components: readonly string[];
  readonly acquireByHash: boolean;
  /** By path. */
  readonly files: ReadonlyMap<string, ReleaseFile>;
}

const FIELDS = ['Suite', 'Codename', 'Date', 'Valid-Until', 'Components', 'Acquire-By-Hash', 'SHA256'] as const;

/** Clocks differ; what claims to be from later than this is wrong. */
const CLOCK_SKEW = 10 * 60 * 1000;

/**
 * Reads an InRelease file whose signature is good. Throws what {@link signedText} throws, `RELEASE_INVALID`,
 * `RELEASE_FUTURE`, or `RELEASE_EXPIRED` where its Valid-Until has passed and that is checked; `name` is for the messages.
 */
export async function verify(inRelease: string, trust: Trust, name = 'InRelease'): Promise<Release> {
  const release = await parse(await signedText(inRelease, trust, name), name);
  if (release.date.getTime() > trust.now.getTime() + CLOCK_SKEW) {
    throw new ForgeError('RELEASE_FUTURE', `${name} is from the future`, {
      expected: `not later than ${trust.now.toISOString()}`,
      found: release.date.toISOString(),
      hint: "set this machine's clock",
    });
  }
  if (trust.checkValidUntil && release.validUntil !== undefined && release.validUntil < trust.now) {
    throw new ForgeError(
      'RELEASE_EXPIRED',
      `${name} is too old: it was valid until ${release.validUntil.toISOString()}`,
      {
        expected: `valid at ${trust.now.toISOString()}`,
        found: release.validUntil.toISOString(),
        hint: 'use a mirror that is up to date, or accept an old one: npm run lock -- --ignore-valid-until',
      },
    );
  }
  return release;
}

async function parse(text: string, name: string): Promise<Release> {
  const [stanza, ...more] = await control.parse(text, FIELDS);
  const invalid = (what: string): ForgeError => new ForgeError('RELEASE_INVALID', `${name}: ${what}`);
  if (stanza === undefined || more.length > 0) throw invalid('not one stanza');
  const date = (field: 'Date' | 'Valid-Until'): Date | undefined => {
    const value = stanza[field];
    if (value === undefined) return undefined;
    const time = new Date(value);
    if (Number.isNaN(time.getTime())) throw invalid(`${field} is ${value}`);
    return time;
  };
  const from = date('Date');
  if (from === undefined) throw invalid('there is no Date');
  const lines = (stanza.SHA256 ?? '').split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw invalid('there is no SHA256');
  const files = lines.map((line): ReleaseFile => {
    const [, hex, size, path] = /^([0-9a-f]{64})\s+(\d+)\s+(\S+)$/.exec(line) ?? [];
    if (hex === undefined || size === undefined || path === undefined || path.split('/').includes('..'))
      throw invalid(`not a line of SHA256: ${line}`);
    return { path, size: Number(size), sha256: digest.fromHex(hex) };
  });
  return {
    suite: stanza.Suite ?? '',
    codename: stanza.Codename ?? '',
    date: from,
    validUntil: date('Valid-Until'),
    components: (stanza.Components ?? '').split(/\s+/).filter((word) => word !== ''),
    acquireByHash: stanza['Acquire-By-Hash'] === 'yes',
    files: new Map(files.map((file) => [file.path, file])),
  };
}
