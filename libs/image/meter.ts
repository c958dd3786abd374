import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';

/** What passed: how many bytes, and their digest. */
export interface Measure {
  readonly size: number;
  readonly digest: Digest;
}

/** Counts and digests bytes as they pass. */
export interface Meter {
  update(chunk: Uint8Array): void;
  /** Once, at the end. */
  measure(): Measure;
}

export function create(): Meter {
  const hash = digest.hasher();
  let size = 0;
  return {
    update(chunk) {
      hash.update(chunk);
      size += chunk.length;
    },
    measure: () => ({ size, digest: hash.digest() }),
  };
}

/** Passes bytes on and shows each chunk to a meter. */
export async function* through(meter: Meter, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    meter.update(chunk);
    yield chunk;
  }
}

/** Reads to the end. An abort is thrown as the signal's reason. */
export async function drain(chunks: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Measure> {
  const meter = create();
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    meter.update(chunk);
  }
  return meter.measure();
}

/** Throws `DIGEST_MISMATCH` where the bytes of `what` are not those that were promised. */
export function expect(what: string, expected: Partial<Measure>, found: Measure): void {
  if (expected.digest !== undefined && expected.digest !== found.digest) {
    throw new ForgeError('DIGEST_MISMATCH', `${what} has other bytes than its digest says`, {
      expected: describe(expected),
      found: describe(found),
      hint: 'npm run clean, then build again',
    });
  }
  if (expected.size !== undefined && expected.size !== found.size) {
    throw new ForgeError('IMAGE_INVALID', `${what} has another size than its descriptor says`, {
      expected: `${expected.size} bytes`,
      found: `${found.size} bytes`,
    });
  }
}

const describe = ({ digest: value, size }: Partial<Measure>): string =>
  size === undefined ? `${value}` : `${value}, ${size} bytes`;
