import { X509Certificate } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../core/entry.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import * as generated from './generated.ts';

const DIRECTORY = 'usr/share/ca-certificates';
const CONFIGURATION = 'etc/ca-certificates.conf';
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
/** OpenSSL's default file, in Debian's OPENSSLDIR. */
const DEFAULT_FILE = '/usr/lib/ssl/cert.pem';

/**
 * The bundle of certificate authorities that Debian's update-ca-certificates makes of a root that has the package
 * `ca-certificates`, and OpenSSL's default file as a link to it. `/etc/ca-certificates.conf` chooses if it is there
 * (`#` comments, `!` switches off; one that is listed but gone is passed over, as Debian does); a root into which
 * packages were only unpacked has none, and all of Mozilla's are taken.
 * Throws `CERTIFICATES_MISSING`, `CERTIFICATE_INVALID`.
 */
export function caBundle(root: string): Entry[] {
  const certificates = chosen(root).flatMap((name) => read(root, name));
  if (certificates.length === 0) {
    throw new ForgeError('CERTIFICATES_MISSING', 'the root has no certificates of authorities', {
      expected: `/${DIRECTORY}/mozilla/*.crt`,
      found: `none in ${root}`,
      hint: 'add the Debian package ca-certificates to the root',
    });
  }
  return [
    generated.file(BUNDLE, Buffer.concat(certificates), 'certificate authorities'),
    generated.link(DEFAULT_FILE, BUNDLE, 'OpenSSL’s default file'),
  ];
}

/** The certificates by their names below the directory, sorted, so that the bundle is always the same. */
function chosen(root: string): string[] {
  const configuration = optional(() => readFileSync(regular(join(root, CONFIGURATION)), 'utf8'));
  if (configuration === undefined) {
    const names = optional(() => readdirSync(join(root, DIRECTORY, 'mozilla'))) ?? [];
    return names
      .filter((name) => name.endsWith('.crt'))
      .map((name) => `mozilla/${name}`)
      .sort();
  }
  const lines = configuration.split('\n').filter((line) => line !== '' && !/^[#!]/.test(line));
  const outside = lines.find((line) => line.startsWith('/') || line.split('/').includes('..'));
  if (outside !== undefined) {
    throw new ForgeError('CERTIFICATE_INVALID', `/${CONFIGURATION} names a file outside /${DIRECTORY}`, {
      found: outside,
    });
  }
  return [...new Set(lines)].sort();
}

/** A certificate's file, a new line at its end; nothing if it is not there. */
function read(root: string, name: string): Buffer[] {
  const bytes = optional(() => readFileSync(regular(join(root, DIRECTORY, name))));
  if (bytes === undefined) {
    return [];
  }
  try {
    new X509Certificate(bytes);
  } catch (cause) {
    throw new ForgeError('CERTIFICATE_INVALID', `/${DIRECTORY}/${name} is no certificate`, { cause });
  }
  return [bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')])];
}

/** The path, if it is a file: a link might lead out of the root. */
function regular(path: string): string {
  if (!lstatSync(path).isFile()) {
    throw new ForgeError('CERTIFICATE_INVALID', `${path} is not a regular file`);
  }
  return path;
}

function optional<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}
