import { realpath } from 'node:fs/promises';
import type { Digest } from '../core/digest.ts';
import { hasCode } from '../core/errors.ts';
import type { Output } from '../core/output.ts';
import { format } from '../core/output.ts';
import * as seal from '../store/seal.ts';
import type { Store } from '../store/store.ts';
import type { BuildResult } from './result.ts';

interface BuildRecord {
  readonly result: BuildResult;
  /** By output: what it looked like when it was written. */
  readonly seals: Readonly<Record<string, string>>;
}

const KIND = 'build';

/**
 * The result of an earlier build with the same key, when everything that it wrote is still as it was. A failed one is
 * never remembered.
 */
export async function recall(store: Store, key: Digest, outputs: readonly Output[]): Promise<BuildResult | undefined> {
  const record = (await store.readRecord(KIND, key)) as BuildRecord | undefined;
  if (record === undefined) return undefined;
  const same = await Promise.all(
    outputs.map(async (output) => (await sealOf(output.path)) === record.seals[format(output)]),
  );
  return same.every(Boolean) ? record.result : undefined;
}

/** Remembers a good build for {@link recall}. */
export async function remember(
  store: Store,
  key: Digest,
  outputs: readonly Output[],
  result: BuildResult,
): Promise<void> {
  const seals = await Promise.all(outputs.map(async (output) => [format(output), await sealOf(output.path)]));
  await store.writeRecord(KIND, key, { result, seals: Object.fromEntries(seals) } satisfies BuildRecord);
}

/** The seal of an output, also where its place is a link to another; undefined where there is nothing. */
async function sealOf(path: string): Promise<string | undefined> {
  try {
    return seal.of(await realpath(path));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
