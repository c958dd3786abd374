import { Readable } from 'node:stream';
import { type DecompressOptions, decompress } from '../archive/decompress.ts';
import { type ExtractOptions, extractTar } from '../archive/extract.ts';
import { ForgeError } from '../core/errors.ts';
import * as ar from './ar.ts';

/**
 * Unpacks the files of a `.deb` (deb(5), format 2.0) into `dir`: the member `data.tar.*`, in whatever of gzip, xz and zstd
 * it is compressed. The control member with its maintainer scripts is not even read.
 * Throws `DEB_CORRUPT`, and what unpacking a tar throws.
 */
export async function unpack(
  deb: Readable,
  dir: string,
  options: ExtractOptions & DecompressOptions = {},
): Promise<void> {
  let version: string | undefined;
  try {
    for await (const member of ar.members(deb)) {
      if (version === undefined) {
        if (member.name !== 'debian-binary') throw corrupt(`the first member is ${member.name}`);
        version = '';
        for await (const chunk of member.content()) version += Buffer.from(chunk).toString('latin1');
        if (!version.startsWith('2.')) throw corrupt(`format ${version.trim()}`);
      } else if (member.name.startsWith('data.tar')) {
        const data = Readable.from(member.content(), { objectMode: false });
        await extractTar(await decompress(data, options), dir, options);
        return;
      }
    }
    throw corrupt('there is no data.tar');
  } finally {
    deb.destroy();
  }
}

const corrupt = (what: string): ForgeError =>
  new ForgeError('DEB_CORRUPT', `not a Debian package that can be unpacked: ${what}`, {
    expected: 'debian-binary 2.x, control.tar.*, data.tar.*',
  });
