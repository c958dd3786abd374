import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import cacache from 'cacache';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import * as http from './http.ts';
import { explainFull, type Store } from './store.ts';
import * as temporary from './temporary.ts';

/** A file to have in the store: what it must be, and where it may lie. */
export interface Wanted {
  /** For messages: `libssl3t64_3.5.7-1_amd64.deb`. */
  readonly name: string;
  readonly sha256: Digest;
  /** Bytes. */
  readonly size: number;
  /** Tried in this order. */
  readonly urls: readonly string[];
}

export interface Options {
  readonly signal: AbortSignal;
  /** How many files at once. */
  readonly concurrency: number;
  /** Called as bytes arrive: how many so far, of how many. What was there already counts as arrived. */
  readonly onBytes: (done: number, total: number) => void;
}

/** Downloads that are under way. */
export interface Downloads {
  /** Resolves when that one file is in the store; rejects with the reason why the downloads ended early. */
  ready(sha256: Digest): Promise<void>;
  /** Resolves when all are. */
  readonly all: Promise<void>;
}

/**
 * Begins to bring every file into the store, several at once and in the order given, each hashed while it streams and
 * kept only when its size and sha256 are right. What is there already is read and checked too, and fetched again if it
 * was damaged. The first failure ends all: `DOWNLOAD_FAILED` with one line per URL tried, or `DIGEST_MISMATCH` where a
 * mirror served other bytes.
 */
export function begin(store: Store, files: readonly Wanted[], options: Options): Downloads {
  const unique = new Map(files.map((file) => [file.sha256, { file, ...Promise.withResolvers<void>() }]));
  const total = [...unique.values()].reduce((sum, { file }) => sum + file.size, 0);
  let done = 0;
  const count = (bytes: number): void => {
    done += bytes;
    options.onBytes(done, total);
  };
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const queue = unique.values();
  const worker = async (): Promise<void> => {
    for (const { file, resolve } of queue) {
      signal.throwIfAborted();
      if (await whole(store, file)) count(file.size);
      else await fetchOne(store, file, signal, count);
      resolve();
    }
  };
  const all = Promise.allSettled(
    Array.from({ length: options.concurrency }, () =>
      worker().catch(async (error: unknown) => {
        stop.abort(await explainFull(error, store.dir));
      }),
    ),
  ).then(() => {
    if (!stop.signal.aborted) return;
    for (const { reject } of unique.values()) reject(stop.signal.reason);
    throw stop.signal.reason;
  });
  // Whoever waits for a file, or for all, gets the error; one that nobody waits for is not an unhandled one.
  all.catch(() => undefined);
  for (const { promise } of unique.values()) promise.catch(() => undefined);
  return {
    all,
    ready: (sha256) => unique.get(sha256)?.promise ?? Promise.reject(new Error(`${sha256} was not asked for`)),
  };
}

/** A file of the store as a stream that fails at its end with `DIGEST_MISMATCH` if the bytes are not those of the digest. */
export const open = (store: Store, sha256: Digest): Readable =>
  Readable.from(checked(store, sha256), { objectMode: false });

/** Bytes read at once. */
const CHUNK = 128 * 1024;

/** Read here and not by `cacache`, which reads a file of up to 64 MB in one piece, of which several are held at once. */
async function* checked(store: Store, sha256: Digest): AsyncGenerator<Uint8Array> {
  const path = contentOf(store, sha256);
  const hash = digest.hasher();
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    hash.update(chunk as Uint8Array);
    yield chunk as Uint8Array;
  }
  const found = hash.digest();
  if (found !== sha256) {
    throw new ForgeError('DIGEST_MISMATCH', `${path} has changed since it was downloaded`, {
      expected: `sha256 ${digest.hex(sha256)}`,
      found: `sha256 ${digest.hex(found)}`,
      hint: 'run it again: it is downloaded anew',
    });
  }
}

/**
 * Where `cacache` has a file, by the layout of its content (version 2). Its index would tell, too, but is written after the
 * content: a killed run leaves files that are whole and in no index.
 */
function contentOf({ downloads }: Store, sha256: Digest): string {
  const hex = digest.hex(sha256);
  return join(downloads, 'content-v2', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
}

async function fetchOne(
  store: Store,
  file: Wanted,
  signal: AbortSignal,
  count: (bytes: number) => void,
): Promise<void> {
  const failures: ForgeError[] = [];
  for (const url of file.urls) {
    let received = 0;
    try {
      const body = await http.get(url, { signal, maxBytes: file.size });
      await keep(store, file.sha256, body, (bytes) => {
        received += bytes;
        count(bytes);
      });
    } catch (error) {
      signal.throwIfAborted();
      count(-received);
      if (!(error instanceof ForgeError) && !hasCode(error, 'EINTEGRITY', 'EBADSIZE', 'ENODATA')) throw error;
      failures.push(explain(error, file, url, received));
      continue;
    }
    if (received === file.size) return;
    await cacache.rm.content(store.downloads, integrity(file.sha256));
    throw wrongSize(file, received);
  }
  const mismatch = failures.find((failure) => failure.code === 'DIGEST_MISMATCH');
  if (mismatch !== undefined && failures.every(({ code }) => code !== 'DOWNLOAD_TRUNCATED')) throw mismatch;
  throw new ForgeError('DOWNLOAD_FAILED', `${file.name} could not be downloaded`, {
    expected: `sha256 ${digest.hex(file.sha256)}, ${file.size} bytes, from one of ${file.urls.length} places`,
    found: failures.map((failure) => `\n  ${failure.message}`).join('') || 'no place to get it from',
    hint: 'set H3FORGE_DEBIAN_MIRROR=URL to a mirror that you reach, or refresh the lock: npm run lock',
    cause: failures[0],
  });
}

/**
 * Streams a body into the store. Rejects, and has left nothing there, when the body breaks off or its bytes are not those
 * of the digest. What a killed process leaves is removed when a store is opened.
 */
async function keep(
  store: Store,
  sha256: Digest,
  body: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): Promise<void> {
  const sink = cacache.put.stream(store.downloads, sha256, {
    integrity: integrity(sha256),
    algorithms: ['sha256'],
    tmpPrefix: await temporary.owner(),
  }) as NodeJS.WritableStream & { promise(): Promise<void> };
  const kept = sink.promise();
  // It may fail before anyone waits for it.
  kept.catch(() => undefined);
  try {
    for await (const chunk of body) {
      count(chunk.length);
      if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), kept]);
    }
  } finally {
    // One that broke off is ended too, and not destroyed: only then does cacache find that it is not whole, and remove it.
    sink.end();
    await kept.catch(() => undefined);
  }
  await kept;
}

function explain(error: unknown, file: Wanted, url: string, received: number): ForgeError {
  if (error instanceof ForgeError) return error;
  if (received < file.size) {
    return new ForgeError('DOWNLOAD_TRUNCATED', `${http.shown(url)}: ended after ${received} of ${file.size} bytes`, {
      cause: error,
    });
  }
  return new ForgeError('DIGEST_MISMATCH', `${http.shown(url)}: the bytes are not those that the lock names`, {
    expected: `sha256 ${digest.hex(file.sha256)}`,
    found: 'other bytes of the same size; nothing was kept',
    hint: 'another mirror (H3FORGE_DEBIAN_MIRROR=URL), or if the lock was edited: git checkout nginx-quic/locks',
    cause: error,
  });
}

/** The error for bytes that have the digest, and so are the only ones that can have it, but not the size. */
const wrongSize = (file: Wanted, found: number): ForgeError =>
  new ForgeError('DIGEST_MISMATCH', `${file.name}: the lock names a size that the file of that digest has not`, {
    expected: `sha256 ${digest.hex(file.sha256)}, ${file.size} bytes`,
    found: `sha256 ${digest.hex(file.sha256)}, ${found} bytes`,
    hint: 'if the lock was edited: git checkout nginx-quic/locks; otherwise npm run lock',
  });

/**
 * True where the store has the file and its bytes still have that digest; damaged content is removed. Throws
 * `DIGEST_MISMATCH` where they are not as many as the lock says.
 */
async function whole(store: Store, file: Wanted): Promise<boolean> {
  let bytes = 0;
  try {
    for await (const chunk of checked(store, file.sha256)) bytes += chunk.length;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    if (!hasCode(error, 'DIGEST_MISMATCH')) throw error;
    await cacache.rm.content(store.downloads, integrity(file.sha256));
    return false;
  }
  if (bytes !== file.size) throw wrongSize(file, bytes);
  return true;
}

/** The digest as Subresource Integrity writes it, which is how `cacache` names content. */
const integrity = (sha256: Digest): string => `sha256-${Buffer.from(digest.hex(sha256), 'hex').toString('base64')}`;
