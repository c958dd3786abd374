import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import type { PinnedFile } from '../core/lock.ts';
import * as control from './control.ts';

/** What a Sources index says of one source package. */
export interface SourceRecord {
  readonly name: string;
  readonly version: string;
  /** `3.0 (quilt)` and the like. */
  readonly format: string;
  /** Its files: the .dsc, archives, signatures. */
  readonly files: readonly PinnedFile[];
}

const FIELDS = ['Package', 'Version', 'Format', 'Directory', 'Checksums-Sha256'] as const;

/** The records of the named source packages, as a Sources index streams by. Throws `INDEX_INVALID`. */
export async function* read(
  text: AsyncIterable<Uint8Array>,
  archive: string,
  names: ReadonlySet<string>,
): AsyncGenerator<SourceRecord> {
  for await (const stanza of control.stanzas(text, FIELDS)) {
    const { Package, Version, Format = '', Directory } = stanza;
    if (Package === undefined || !names.has(Package)) continue;
    const invalid = (what: string): ForgeError =>
      new ForgeError('INDEX_INVALID', `the source index has a wrong entry for ${Package}: ${what}`);
    if (Version === undefined || Directory === undefined) throw invalid('no Version or no Directory');
    if (Directory.startsWith('/') || Directory.split('/').includes('..')) throw invalid(`Directory: ${Directory}`);
    const files = (stanza['Checksums-Sha256'] ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): PinnedFile => {
        const [, hex, size, file] = /^([0-9a-f]{64})\s+(\d+)\s+([^\s/]+)$/.exec(line) ?? [];
        if (hex === undefined || size === undefined || file === undefined) throw invalid(line);
        return { archive, path: `${Directory}/${file}`, size: Number(size), sha256: digest.fromHex(hex) };
      });
    yield { name: Package, version: Version, format: Format, files };
  }
}
