import { createReadStream } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as tar from 'tar-stream';
import { ForgeError, hasCode } from '../core/errors.ts';

/** The files of an image layout, wherever they are. Paths are relative to the layout: `blobs/sha256/<hex>`. */
export interface Reader {
  /** Where it lies, for messages. */
  readonly name: string;
  /** Bytes; undefined where there is no such file. */
  size(path: string): Promise<number | undefined>;
  /** The content of a file whose size was asked for. */
  open(path: string): Readable;
  /** The path on this machine where that file is a whole file; undefined in an archive. */
  file(path: string): string | undefined;
}

/** JSON documents are small; what claims to be larger is not read into memory. */
const LARGEST_DOCUMENT = 4 * 1024 * 1024;

const CHUNK = 256 * 1024;

/** Opens a layout folder or an archive of one. Throws `IMAGE_INVALID` where it is neither. */
export async function open(path: string): Promise<Reader> {
  const stats = await stat(path).catch((cause: unknown) => {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new ForgeError('IMAGE_INVALID', `there is no image at ${path}`, { cause });
  });
  return stats.isDirectory() ? ofFolder(path) : ofArchive(path);
}

/** Reads a layout folder. */
export const ofFolder = (dir: string): Reader => ({
  name: dir,
  async size(path) {
    try {
      const stats = await lstat(join(dir, path));
      return stats.isFile() ? stats.size : undefined;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  },
  open: (path) => createReadStream(join(dir, path), { highWaterMark: CHUNK }),
  file: (path) => join(dir, path),
});

/** Reads a layout inside an uncompressed tar; where its members lie is found out first. Throws `IMAGE_INVALID`. */
export async function ofArchive(file: string): Promise<Reader> {
  const members = await list(file);
  return {
    name: file,
    size: (path) => Promise.resolve(members.get(path)?.size),
    open(path) {
      const { offset, size } = members.get(path) ?? { offset: 0, size: 0 };
      // A stream of a file cannot be told to end before its first byte.
      if (size === 0) return Readable.from([]);
      return createReadStream(file, { start: offset, end: offset + size - 1, highWaterMark: CHUNK });
    },
    file: () => undefined,
  };
}

async function list(file: string): Promise<Map<string, { offset: number; size: number }>> {
  const members = new Map<string, { offset: number; size: number }>();
  const extract = tar.extract();
  const input = createReadStream(file, { highWaterMark: CHUNK });
  input.on('error', (error) => extract.destroy(error));
  input.pipe(extract);
  try {
    for await (const member of extract) {
      const { name, type, size } = member.header;
      if (type === 'file') {
        if (members.has(name)) throw new ForgeError('IMAGE_INVALID', `${file} has ${name} twice`);
        // `offset` is where its header begins, and that is one block.
        members.set(name, { offset: member.offset + 512, size });
      }
      member.resume();
    }
  } catch (cause) {
    if (cause instanceof ForgeError || hasCode(cause, 'ENOENT', 'EACCES', 'EIO')) throw cause;
    throw new ForgeError('IMAGE_INVALID', `${file} is not a whole tar archive`, { cause });
  } finally {
    input.destroy();
  }
  return members;
}

/** A small file as a whole. Throws `IMAGE_INVALID` where it is not there or larger than 4 MiB. */
export async function document(reader: Reader, path: string): Promise<Uint8Array> {
  const size = await reader.size(path);
  if (size === undefined || size > LARGEST_DOCUMENT) {
    throw new ForgeError('IMAGE_INVALID', `${reader.name}: ${path} cannot be read`, {
      expected: `a file of at most ${LARGEST_DOCUMENT} bytes`,
      found: size === undefined ? 'no such file' : `${size} bytes`,
    });
  }
  return Buffer.concat(await reader.open(path).toArray());
}
