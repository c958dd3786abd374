import type { CleartextMessage, PublicKey } from 'openpgp';
import { ForgeError } from '../core/errors.ts';

/** The public keys that may sign, and the fingerprints of their primary keys: a key that is not pinned does not count. */
export interface Keyring {
  /** ASCII-armored public keys. */
  readonly keys: readonly string[];
  /** Hexadecimal, in capitals or not. */
  readonly fingerprints: readonly string[];
}

const SIGNED_TEXT = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n[\s\S]*\n-----END PGP SIGNATURE-----\s*$/;

/**
 * The text that a clear-signed message (RFC 9580, 7) signs, after at least one of its signatures was found good and made
 * by a pinned key, neither of them expired now. Nothing may stand before or after the signed part. Throws
 * `SIGNATURE_MISSING`, `SIGNATURE_UNKNOWN_KEY`, `SIGNATURE_EXPIRED` or `SIGNATURE_BAD`; `name` is for the message.
 */
export async function signedText(
  message: string,
  keyring: Keyring & { readonly now: Date },
  name: string,
): Promise<string> {
  if (!message.includes('-----BEGIN PGP SIGNED MESSAGE-----')) {
    throw new ForgeError('SIGNATURE_MISSING', `${name} is not signed`, {
      expected: 'a clear-signed message',
      found: message.slice(0, 60),
    });
  }
  if (!SIGNED_TEXT.test(message) || message.split('-----BEGIN PGP SIGNED MESSAGE-----').length !== 2) {
    throw bad(name, 'there is more or less than one signed text', undefined);
  }
  // Loaded here: it is large, and only `npm run lock` needs it.
  const openpgp = await import('openpgp');
  const pinned = new Set(keyring.fingerprints.map((fingerprint) => fingerprint.toLowerCase()));
  const read = await Promise.all(keyring.keys.map((armoredKeys) => openpgp.readKeys({ armoredKeys })));
  const keys = read.flat().filter((key) => pinned.has(key.getFingerprint()));
  const parsed = await openpgp.readCleartextMessage({ cleartextMessage: message }).catch((cause: unknown) => {
    throw bad(name, 'it cannot be read', cause);
  });
  // Without a time: that is looked at below.
  const signatures = await parsed.verify(keys, null as unknown as Date);
  const known = signatures.filter(({ keyID }) => keys.some((key) => key.getKeys(keyID).length > 0));
  const outcomes = await Promise.allSettled(known.map((signature) => expectGood(signature, keys, keyring.now)));
  // A rejection that nobody looks at would end the process.
  await Promise.allSettled(signatures.map(({ verified }) => verified));
  if (known.length === 0) {
    throw new ForgeError('SIGNATURE_UNKNOWN_KEY', `${name} is not signed by any of the pinned keys`, {
      expected: keyring.fingerprints.join(', '),
      found: signatures.map(({ keyID }) => keyID.toHex().toUpperCase()).join(', ') || 'no signature',
    });
  }
  if (!outcomes.some(({ status }) => status === 'fulfilled')) {
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    const late = reasons.find((reason) => reason instanceof Error && / is expired$/.test(reason.message));
    if (late === undefined) throw bad(name, 'no signature by a pinned key is good', reasons[0]);
    throw new ForgeError('SIGNATURE_EXPIRED', `${name}: ${(late as Error).message}`, {
      expected: `a signature by a pinned key, both valid at ${keyring.now.toISOString()}`,
      hint: "use a mirror that is up to date, and see that this machine's clock and the pinned keys are",
      cause: late,
    });
  }
  return parsed.getText();
}

type Result = Awaited<ReturnType<CleartextMessage['verify']>>[number];

/**
 * Rejects unless a signature is good, by a key that was valid when it signed (so far as openpgp looks) and still is. Where
 * the clock is behind the signature, the time is that of the signature: that an index is from the future is said elsewhere.
 */
async function expectGood(result: Result, keys: readonly PublicKey[], now: Date): Promise<void> {
  await result.verified;
  for (const packet of (await result.signature).packets) {
    const at = packet.created !== null && packet.created > now ? packet.created : now;
    if (at >= packet.getExpirationTime()) throw new Error('Signature is expired');
    await keys.find((key) => key.getKeys(result.keyID).length > 0)?.getSigningKey(result.keyID, at);
  }
}

const bad = (name: string, what: string, cause: unknown): ForgeError =>
  new ForgeError('SIGNATURE_BAD', `${name}: ${what}${cause instanceof Error ? `: ${cause.message}` : ''}`, { cause });
