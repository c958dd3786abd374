import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { decompress } from '../archive/decompress.ts';
import * as series from './series.ts';
import { SERIES } from './unpack.ts';

/** The lines of the patch series in a Debian archive (`*.debian.tar.*`); none where it has no series. */
export async function inArchive(archive: Readable): Promise<string[]> {
  const unpack = extract();
  const tar = await decompress(archive);
  tar.on('error', (error) => unpack.destroy(error));
  tar.pipe(unpack);
  try {
    for await (const entry of unpack) {
      if (entry.header.name.replace(/^\.\//, '') !== SERIES) {
        entry.resume();
        continue;
      }
      let text = '';
      for await (const chunk of entry) text += String(chunk);
      return series.parse(text);
    }
    return [];
  } finally {
    tar.destroy();
  }
}
