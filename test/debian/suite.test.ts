import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as openpgp from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import * as suites from '../../libs/debian/index.ts';
import { debian } from '../../nginx-quic/keys/index.ts';
import { machineMirror } from '../support/apt.ts';
import { rejection } from '../support/errors.ts';

const PACKAGES = `Package: hello
Version: 1.0-1
Architecture: amd64
Source: greetings (1.0)
Depends: libc6 (>= 2.34)
Filename: pool/main/h/hello/hello_1.0-1_amd64.deb
Size: 100
SHA256: ${'1'.repeat(64)}
`;
const SOURCES = `Package: hello
Version: 1.0-1
Format: 3.0 (quilt)
Directory: pool/main/h/hello
Checksums-Sha256:
 ${'2'.repeat(64)} 200 hello_1.0.orig.tar.gz
 ${'3'.repeat(64)} 30 hello_1.0-1.debian.tar.xz
`;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const suite = { archive: 'debian', suite: 'trixie' };
let key: Awaited<ReturnType<typeof makeKey>>;
const makeKey = () => openpgp.generateKey({ type: 'ecc', userIDs: [{ name: 'Test' }], format: 'object' });

beforeAll(async () => {
  key = await makeKey();
});

/** An archive with one suite in memory; `change` may damage its files before they are served, not before they are signed. */
async function archive(options: { byHash?: boolean; codename?: string } = {}): Promise<Map<string, Buffer>> {
  const indexes: [string, Buffer][] = [
    ['main/binary-amd64/Packages.gz', gzipSync(PACKAGES)],
    ['main/source/Sources.gz', gzipSync(SOURCES)],
  ];
  const text = `Codename: ${options.codename ?? 'trixie'}
Date: ${new Date(Date.now() - 60_000).toUTCString()}
${options.byHash === true ? 'Acquire-By-Hash: yes\n' : ''}SHA256:
${indexes.map(([path, bytes]) => ` ${sha256(bytes)} ${bytes.length} ${path}`).join('\n')}
`;
  const inRelease = await openpgp.sign({
    message: await openpgp.createCleartextMessage({ text }),
    signingKeys: key.privateKey,
  });
  return new Map([
    ['dists/trixie/InRelease', Buffer.from(inRelease)],
    ...indexes.map(([path, bytes]): [string, Buffer] => {
      const folder = path.slice(0, path.lastIndexOf('/'));
      return [`dists/trixie/${options.byHash === true ? `${folder}/by-hash/SHA256/${sha256(bytes)}` : path}`, bytes];
    }),
  ]);
}

const open = (files: Map<string, Buffer>): Promise<suites.SignedSuite> =>
  suites.open(suite, {
    architecture: 'amd64',
    fetch: (name, path) => {
      const bytes = files.get(path);
      return bytes === undefined || name !== 'debian'
        ? Promise.reject(new Error(`404 ${path}`))
        : Promise.resolve(Readable.from([bytes.subarray(0, 50), bytes.subarray(50)], { objectMode: false }));
    },
    trust: {
      keys: [key.publicKey.armor()],
      fingerprints: [key.publicKey.getFingerprint()],
      now: new Date(),
      checkValidUntil: true,
    },
  });

const all = async <T>(items: AsyncGenerator<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

describe('a suite', () => {
  test.each([true, false])('gives its packages and sources (by hash: %s)', async (byHash) => {
    const opened = await open(await archive({ byHash }));
    expect(await all(opened.packages())).toMatchObject([
      {
        name: 'hello',
        version: '1.0-1',
        architecture: 'amd64',
        archive: 'debian',
        filename: 'pool/main/h/hello/hello_1.0-1_amd64.deb',
        size: 100,
        sha256: `sha256:${'1'.repeat(64)}`,
        depends: 'libc6 (>= 2.34)',
        source: 'greetings',
      },
    ]);
    expect(await all(opened.sources(new Set(['hello', 'other'])))).toEqual([
      {
        name: 'hello',
        version: '1.0-1',
        format: '3.0 (quilt)',
        files: [
          {
            archive: 'debian',
            path: 'pool/main/h/hello/hello_1.0.orig.tar.gz',
            size: 200,
            sha256: `sha256:${'2'.repeat(64)}`,
          },
          {
            archive: 'debian',
            path: 'pool/main/h/hello/hello_1.0-1.debian.tar.xz',
            size: 30,
            sha256: `sha256:${'3'.repeat(64)}`,
          },
        ],
      },
    ]);
    expect(await all(opened.sources(new Set(['other'])))).toEqual([]);
  });

  test('must be the one asked for', async () => {
    expect((await rejection(open(await archive({ codename: 'bookworm' })))).code).toBe('RELEASE_OTHER_SUITE');
  });

  test('without the index', async () => {
    const opened = await suites.open(suite, {
      architecture: 'arm64',
      fetch: async (_name, path) => Readable.from([(await archive()).get(path)], { objectMode: false }),
      trust: {
        keys: [key.publicKey.armor()],
        fingerprints: [key.publicKey.getFingerprint()],
        now: new Date(),
        checkValidUntil: true,
      },
    });
    expect((await rejection(all(opened.packages()))).code).toBe('INDEX_MISSING');
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off', (bytes) => bytes.subarray(0, -5)],
    ['longer', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
    ['empty', () => Buffer.alloc(0)],
    ['with other content', () => gzipSync(PACKAGES.replace('hello', 'hullo'))],
    ['of the same length with other bytes', (bytes) => Buffer.from(bytes).fill(0x55, 20, 40)],
    ['something else', (bytes) => Buffer.alloc(bytes.length, '<html>')],
  ])('an index that is %s is INDEX_MISMATCH', async (_name, damage) => {
    const files = await archive();
    const path = 'dists/trixie/main/binary-amd64/Packages.gz';
    files.set(path, damage(files.get(path) ?? Buffer.alloc(0)));
    expect((await rejection(all((await open(files)).packages()))).code).toBe('INDEX_MISMATCH');
  });
});

const mirror = await machineMirror();

test.skipIf(mirror === undefined)("Debian's own suites open with the pinned keys", { timeout: 30_000 }, async () => {
  const keys = debian.map(({ file }) => readFileSync(join(import.meta.dirname, '../../nginx-quic/keys', file), 'utf8'));
  const fingerprints = debian.map(({ fingerprint }) => fingerprint);
  for (const [name, base, code] of [
    ['debian', mirror?.debian, 'trixie-updates'],
    ['debian-security', mirror?.security, 'trixie-security'],
  ] as const) {
    const opened = await suites.open(
      { archive: name, suite: code },
      {
        architecture: 'amd64',
        async fetch(_archive, path) {
          const response = await fetch(`${base}${path}`);
          expect(response.status).toBe(200);
          return Readable.from([Buffer.from(await response.arrayBuffer())], { objectMode: false });
        },
        trust: { keys, fingerprints, now: new Date(), checkValidUntil: false },
      },
    );
    expect(opened.release.codename).toBe(code);
    expect((await all(opened.packages())).every(({ archive }) => archive === name)).toBe(true);
  }
});
