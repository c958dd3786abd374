import { once } from 'node:events';
import * as tar from 'tar-stream';
import { ForgeError } from '../core/errors.ts';

/** One member of a tar archive, as it is written. */
export interface Member {
  /** As it stands in the archive, without a slash at either end. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** Of a symlink. */
  readonly target?: string;
  /** Of a file: exactly `size` bytes. */
  readonly content?: () => AsyncIterable<Uint8Array>;
}

/** The largest number in the 6 octal digits that tar-stream writes for an owner. */
const LARGEST_OWNER = 0o777777;

/** The last second that the header's time field of tar-stream can hold. */
const LAST_SECOND = 2 ** 31 - 1;

/**
 * The header of a member (pax interchange format, POSIX.1-2001). All that fits goes into the ustar header alone. A long
 * or non-ASCII name or target and a large owner get a pax record each; there are never pax records for times, so that the
 * bytes depend on nothing but the member and the time.
 */
export function header(member: Member, mtime: Date): Partial<tar.Header> & { name: string } {
  const name = member.type === 'directory' ? `${member.name}/` : member.name;
  const pax: Record<string, string> = {};
  if (member.uid > LARGEST_OWNER) pax.uid = String(member.uid);
  if (member.gid > LARGEST_OWNER) pax.gid = String(member.gid);
  const plain = fits(name) && (member.target === undefined || fits(member.target)) && Object.keys(pax).length === 0;
  return {
    name,
    type: member.type,
    // With its type bits, because tar-stream takes a mode of 0 for one that was not given.
    mode: 0o100000 | member.mode,
    uid: member.uid,
    gid: member.gid,
    size: member.size,
    mtime,
    uname: '',
    gname: '',
    ...(member.target === undefined ? {} : { linkname: member.target }),
    ...(plain ? {} : { pax }),
  };
}

/** Whether a header field of 100 bytes holds it without a question of encoding. */
const fits = (text: string): boolean => text.length <= 100 && /^[\x20-\x7e]*$/.test(text);

/**
 * A tar archive as a stream. Members are read one after the other, as fast as the reader takes them. `mtime` is in
 * seconds since 1970. Throws `LAYER_FILE_CHANGED` where a content is longer or shorter than its `size`.
 */
export async function* pack(
  members: Iterable<Member>,
  mtime: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!Number.isInteger(mtime) || mtime < 0 || mtime > LAST_SECOND) {
    throw new ForgeError('LAYER_INVALID', 'the time of a layer is out of range', {
      expected: `whole seconds since 1970, 0 to ${LAST_SECOND}`,
      found: String(mtime),
    });
  }
  const time = new Date(mtime * 1000);
  const archive = tar.pack();
  const adding = (async () => {
    for (const member of members) {
      signal?.throwIfAborted();
      await add(archive, member, time, signal);
    }
    archive.finalize();
  })().catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  // Until it is awaited below, a failure is only seen through the archive.
  adding.catch(ignore);
  try {
    for await (const chunk of archive) yield chunk as Uint8Array;
  } catch (error) {
    // The archive only repeats what went wrong in adding; that error is the one with the reason.
    await adding;
    throw error;
  } finally {
    archive.destroy();
    await adding.catch(ignore);
  }
}

async function add(archive: tar.Pack, member: Member, mtime: Date, signal?: AbortSignal): Promise<void> {
  const { promise: written, resolve, reject } = Promise.withResolvers<void>();
  written.catch(ignore);
  const sink = archive.entry(header(member, mtime), (error) => (error ? reject(error) : resolve()));
  // The same error comes through the callback.
  sink.on('error', ignore);
  if (member.type === 'file') {
    let size = 0;
    for await (const chunk of member.content?.() ?? []) {
      signal?.throwIfAborted();
      size += chunk.length;
      if (size > member.size) break;
      if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), written]);
    }
    if (size !== member.size) {
      throw new ForgeError('LAYER_FILE_CHANGED', `${member.name} changed while it was written into a layer`, {
        expected: `${member.size} bytes`,
        found: size > member.size ? 'more' : `${size} bytes`,
        hint: 'let nothing write there, then build again',
      });
    }
    sink.end(null);
  }
  await written;
}

const ignore = (): void => undefined;
