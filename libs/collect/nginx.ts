import { readFileSync } from 'node:fs';
import { ForgeError } from '../core/errors.ts';
import type { Quic } from '../core/recipe.ts';
import * as elf from './elf.ts';

/** What an nginx program, or an object that `load_module` takes, says of what it was compiled for. */
export interface Abi {
  /** nginx's own version as a number: 1026003 is 1.26.3. */
  readonly version: number;
  /** `NGX_MODULE_SIGNATURE`: sizes of types, and which parts of nginx's structures are there. */
  readonly signature: string;
}

/** What is known of an nginx program from its bytes. */
export interface NginxFacts extends Abi {
  readonly quic: Quic;
  /** The words of its configure script, as `nginx -V` shows them. */
  readonly configure: readonly string[];
}

/** `index` and `ctx_index` of an `ngx_module_t` before nginx has numbered it, then a name and two spare words. */
const MODULE = Buffer.concat([Buffer.alloc(16, 0xff), Buffer.alloc(24)]);
const SIGNATURE = /\d,\d,\d,[01]{20,}/;
const VERSIONS = { lowest: 1_000_000, highest: 9_999_999 };

/** Reads an nginx program. Throws `NGINX_UNREADABLE` where it is none. */
export function read(path: string): NginxFacts {
  const bytes = readFileSync(path);
  const abi = abiOf(bytes);
  if (abi === undefined) throw new ForgeError('NGINX_UNREADABLE', `${path} is not an nginx program`);
  const words = configureOf(bytes);
  const imports = elf.withFile(path, elf.imports) ?? [];
  return { ...abi, configure: words, quic: quicOf(words, imports) };
}

/**
 * Checks that a dynamic module fits an nginx, as nginx itself does when it loads it. Throws `MODULE_ABI`; an object in which
 * nothing can be found is left to nginx.
 */
export function checkModule(path: string, name: string, nginx: Abi): void {
  const abi = abiOf(readFileSync(path));
  if (abi === undefined || (abi.version === nginx.version && abi.signature === nginx.signature)) return;
  throw new ForgeError('MODULE_ABI', `${name} was compiled for another nginx`, {
    expected: `nginx ${versionText(nginx.version)}, ${nginx.signature}`,
    found: `nginx ${versionText(abi.version)}, ${abi.signature}`,
    hint: 'compile it with this nginx: give its source (--module ./FOLDER) instead of the object',
  });
}

/** `1.26.3` of 1026003. */
const versionText = (version: number): string =>
  [Math.floor(version / 1e6), Math.floor(version / 1e3) % 1e3, version % 1e3].join('.');

function abiOf(bytes: Buffer): Abi | undefined {
  const signature = SIGNATURE.exec(bytes.toString('latin1'))?.[0];
  for (let at = bytes.indexOf(MODULE); at >= 0; at = bytes.indexOf(MODULE, at + 1)) {
    const version = at + MODULE.length + 8 <= bytes.length ? Number(bytes.readBigUInt64LE(at + MODULE.length)) : 0;
    if (signature !== undefined && version >= VERSIONS.lowest && version <= VERSIONS.highest)
      return { version, signature };
  }
  return undefined;
}

/** The words after `configure arguments:`; one with spaces in it is between quotes. */
function configureOf(bytes: Buffer): string[] {
  const text = bytes.toString('latin1');
  const start = text.indexOf('configure arguments: ');
  if (start < 0) return [];
  const line = text.slice(start + 'configure arguments: '.length, text.indexOf('\0', start));
  return (line.match(/(?:[^\s']|'[^']*')+/g) ?? []).map((word) => word.replaceAll("'", ''));
}

/** Each implementation calls another function of libssl. */
function quicOf(configure: readonly string[], imports: readonly string[]): Quic {
  if (!configure.includes('--with-http_v3_module')) return 'none';
  if (imports.includes('SSL_set_quic_tls_cbs')) return 'native';
  return imports.includes('SSL_set_quic_method') ? 'boringssl' : 'compat';
}
