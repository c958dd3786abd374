import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import * as release from '../../libs/debian/release.ts';
import { debian } from '../../nginx-quic/keys/index.ts';
import { rejection } from '../support/errors.ts';

const HEX = 'ab'.repeat(32);
const TEXT = `Origin: Test
Suite: stable
Codename: trixie
Date: Thu, 19 Nov 2026 02:12:54 UTC
Valid-Until: Thu, 26 Nov 2026 02:12:54 UTC
Acquire-By-Hash: yes
Components: main contrib
MD5Sum:
 ${'0'.repeat(32)} 1 main/binary-amd64/Packages.xz
SHA256:
 ${HEX}     1234 main/binary-amd64/Packages.xz
 ${'cd'.repeat(32)}        0 main/source/Sources
`;
const now = new Date('2026-11-20T00:00:00Z');

const makeKey = (more: { keyExpirationTime?: number } = {}) =>
  openpgp.generateKey({
    type: 'ecc',
    userIDs: [{ name: 'Test' }],
    format: 'object',
    date: new Date('2026-01-01'),
    ...more,
  });
type Pair = Awaited<ReturnType<typeof makeKey>>;
let pinned: Pair;
let other: Pair;
let trust: release.Trust;

beforeAll(async () => {
  [pinned, other] = await Promise.all([makeKey(), makeKey()]);
  trust = {
    keys: [pinned.publicKey.armor(), other.publicKey.armor()],
    fingerprints: [pinned.publicKey.getFingerprint().toUpperCase()],
    now,
    checkValidUntil: true,
  };
});

const sign = async (text: string, ...by: Pair[]): Promise<string> =>
  openpgp.sign({
    message: await openpgp.createCleartextMessage({ text }),
    signingKeys: by.map(({ privateKey }) => privateKey),
    date: new Date('2026-11-19T02:13:00Z'),
  });
const codeOf = async (text: string, changes: Partial<release.Trust> = {}): Promise<string> =>
  (await rejection(release.verify(text, { ...trust, ...changes }))).code;

describe('a signed release', () => {
  test('says what its signed text says', async () => {
    const found = await release.verify(await sign(TEXT, pinned), trust);
    expect(found).toMatchObject({
      suite: 'stable',
      codename: 'trixie',
      date: new Date('2026-11-19T02:12:54Z'),
      validUntil: new Date('2026-11-26T02:12:54Z'),
      components: ['main', 'contrib'],
      acquireByHash: true,
    });
    expect([...found.files.values()]).toEqual([
      { path: 'main/binary-amd64/Packages.xz', size: 1234, sha256: `sha256:${HEX}` },
      { path: 'main/source/Sources', size: 0, sha256: `sha256:${'cd'.repeat(32)}` },
    ]);
  });

  test('needs one good signature, not all', async () => {
    await expect(release.verify(await sign(TEXT, other, pinned), trust)).resolves.toMatchObject({ suite: 'stable' });
  });
});

describe('signatures that do not count', () => {
  test('none', async () => {
    expect(await codeOf(TEXT)).toBe('SIGNATURE_MISSING');
    expect(await codeOf('')).toBe('SIGNATURE_MISSING');
  });

  test('by a key that is there but not pinned, or not there at all', async () => {
    expect(await codeOf(await sign(TEXT, other))).toBe('SIGNATURE_UNKNOWN_KEY');
    expect(await codeOf(await sign(TEXT, await makeKey()))).toBe('SIGNATURE_UNKNOWN_KEY');
    expect(await codeOf(await sign(TEXT, pinned), { keys: [] })).toBe('SIGNATURE_UNKNOWN_KEY');
  });

  test('over another text', async () => {
    const signed = await sign(TEXT, pinned);
    expect(await codeOf(signed.replace('1234', '1235'))).toBe('SIGNATURE_BAD');
    expect(await codeOf(signed.replace(/\n[A-Za-z0-9+/=]{30,}\n/, '\nAAAA\n'))).toMatch(/^SIGNATURE_/);
  });

  test('with text before, after or between', async () => {
    const signed = await sign(TEXT, pinned);
    for (const text of [
      `Suite: evil\n\n${signed}`,
      `${signed}\nSuite: evil\n`,
      `${signed}\n${signed}`,
      signed.replace('-----BEGIN PGP SIGNATURE-----', 'Suite: evil\n-----BEGIN PGP SIGNATURE-----'),
      signed.replace(/\n\n/, '\nSuite: evil\n\n'),
    ]) {
      expect(await codeOf(text)).toBe('SIGNATURE_BAD');
    }
  });

  test('cut off', async () => {
    const signed = await sign(TEXT, pinned);
    for (let length = 40; length < signed.length - 20; length += 97) {
      expect(await codeOf(signed.slice(0, length)), `${length} characters`).toBe('SIGNATURE_BAD');
    }
  });
});

describe('time', () => {
  test('after Valid-Until', async () => {
    const signed = await sign(TEXT, pinned);
    const later = new Date('2026-11-27T00:00:00Z');
    const error = await rejection(release.verify(signed, { ...trust, now: later }));
    expect(error.code).toBe('RELEASE_EXPIRED');
    expect(error.hint).toContain('npm run lock -- --ignore-valid-until');
    await release.verify(signed, { ...trust, now: later, checkValidUntil: false });
  });

  test('a key that has expired since, or before it signed', async () => {
    const short = await makeKey({ keyExpirationTime: 350 * 24 * 60 * 60 });
    const other = { keys: [short.publicKey.armor()], fingerprints: [short.publicKey.getFingerprint()] };
    const signed = await sign(TEXT, short);
    const late = { ...other, now: new Date('2026-12-20'), checkValidUntil: false };
    await release.verify(signed, { ...trust, ...other });
    const error = await rejection(release.verify(signed, { ...trust, ...late }));
    expect(error).toMatchObject({ code: 'SIGNATURE_EXPIRED', hint: expect.stringContaining('clock') });
    expect(error.message).toContain('key is expired');
    // Other bytes are other bytes, whatever the time.
    expect(await codeOf(signed.replace('1234', '1235'), late)).toBe('SIGNATURE_BAD');
    // And one that is good is enough.
    await release.verify(await sign(TEXT, short, pinned), {
      ...late,
      keys: [...trust.keys, ...other.keys],
      fingerprints: [...trust.fingerprints, ...other.fingerprints],
    });
  });

  test('a signature that has expired', async () => {
    // openpgp has no option for it, but writes what the packet says.
    const packet = openpgp.SignaturePacket.prototype as unknown as {
      signatureExpirationTime: number;
      sign(...words: unknown[]): Promise<unknown>;
    };
    const { sign: original } = packet;
    const spy = vi.spyOn(packet, 'sign').mockImplementation(function (this: typeof packet, ...words) {
      this.signatureExpirationTime = 3600;
      return original.apply(this, words);
    });
    const signed = await sign(TEXT, pinned);
    spy.mockRestore();
    await release.verify(signed, { ...trust, now: new Date('2026-11-19T03:12:59Z') });
    const error = await rejection(release.verify(signed, { ...trust, now: new Date('2026-11-19T03:13:00Z') }));
    expect(error).toMatchObject({ code: 'SIGNATURE_EXPIRED', message: 'InRelease: Signature is expired' });
  });

  test('before Date', async () => {
    expect(await codeOf(await sign(TEXT, pinned), { now: new Date('2026-11-18T00:00:00Z') })).toBe('RELEASE_FUTURE');
  });
});

test.each([
  ['no Date', TEXT.replace(/^Date.*\n/m, '')],
  ['a Date that is none', TEXT.replace(/^Date.*$/m, 'Date: soon')],
  ['no SHA256', TEXT.replace(/^SHA256:\n( .*\n)+/m, '')],
  ['a path that leads out', TEXT.replace('main/source', '../source')],
  ['two stanzas', `${TEXT}\nSuite: second\n`],
])('%s is RELEASE_INVALID', async (_name, text) => {
  expect(await codeOf(await sign(text, pinned))).toBe('RELEASE_INVALID');
});

test('each pinned key of Debian is what its fingerprint says', async () => {
  for (const { file, fingerprint, purpose } of debian) {
    const armoredKey = readFileSync(join(import.meta.dirname, '../../nginx-quic/keys', file), 'utf8');
    const key = await openpgp.readKey({ armoredKey });
    expect(key.getFingerprint().toUpperCase()).toBe(fingerprint);
    expect(key.isPrivate()).toBe(false);
    expect((await key.getPrimaryUser(new Date('2026-01-01'))).user.userID?.userID).toContain(
      purpose.replace(/:.*/, ''),
    );
  }
});
