import { createHash } from 'node:crypto';
import { ForgeError } from './errors.ts';

declare const brand: unique symbol;

/** `sha256:<64 hex digits>`, as the OCI image specification writes it. Made only by this module. */
export type Digest = string & { readonly [brand]: 'Digest' };

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** Reads a digest from outside. Throws `DIGEST_INVALID` for anything but a lower-case sha256 digest. */
export function parse(text: string): Digest {
  if (!PATTERN.test(text)) {
    throw new ForgeError('DIGEST_INVALID', 'not a sha256 digest', { expected: 'sha256:<64 hex digits>', found: text });
  }
  return text as Digest;
}

/** The digest whose 64 hex digits are given, as Debian's indexes write them. */
export const fromHex = (hex: string): Digest => parse(`sha256:${hex}`);

/** The 64 hex digits alone. */
export const hex = (digest: Digest): string => digest.slice('sha256:'.length);

/** The digest of bytes or of UTF-8 text. */
export const of = (content: Uint8Array | string): Digest => fromHex(createHash('sha256').update(content).digest('hex'));

/** The digest of a JSON value; the order of an object's keys does not matter. */
export const ofJson = (value: unknown): Digest => of(canonicalJson(value));

/** JSON text with sorted keys and no white space; keys whose value is undefined are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  );
}

/** A running digest: `update` as bytes pass, `digest` once at the end. */
export function hasher(): { update(chunk: Uint8Array): void; digest(): Digest } {
  const hash = createHash('sha256');
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    digest: () => fromHex(hash.digest('hex')),
  };
}
