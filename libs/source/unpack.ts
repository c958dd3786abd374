import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { decompress } from '../archive/decompress.ts';
import { extractTar } from '../archive/extract.ts';
import type { Command } from '../core/command.ts';
import { ForgeError } from '../core/errors.ts';
import type { PinnedFile, PinnedSource } from '../core/lock.ts';
import * as series from './series.ts';

/** Where the tree lies while patches are applied, as the commands see it. */
export const TREE = '/build';

/** Where a Debian archive has its series. */
export const SERIES = 'debian/patches/series';

export interface UnpackOptions {
  readonly open: (file: PinnedFile) => Promise<Readable> | Readable;
  /** Runs a command with the tree at {@link TREE}. */
  readonly run: (command: Command) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Unpacks a Debian source package of format 3.0 (quilt) into `dir`: the original archive without its top folder, then
 * Debian's patches where the lock has them. Throws `PATCH_FAILED` when one does not apply cleanly.
 */
export async function unpack(source: PinnedSource, dir: string, options: UnpackOptions): Promise<void> {
  const { signal } = options;
  await extractTar(await decompress(await options.open(source.orig)), dir, { stripComponents: 1, signal });
  if (source.debian === undefined) return;
  await extractTar(await decompress(await options.open(source.debian)), dir, { signal });
  const text = await readFile(join(dir, SERIES), 'utf8');
  if (series.parse(text).join('\n') !== (source.patches ?? []).join('\n')) {
    throw new ForgeError('SERIES_MISMATCH', `${source.package}: the patch series is not the one in the lock`, {
      expected: (source.patches ?? []).join(', '),
      found: series.parse(text).join(', '),
      hint: 'npm run lock',
    });
  }
  for (const command of series.plan(source.patches ?? [], TREE)) {
    try {
      await options.run(command);
    } catch (cause) {
      if (!(cause instanceof ForgeError) || cause.code !== 'COMMAND_FAILED') throw cause;
      throw new ForgeError('PATCH_FAILED', `${source.package} ${source.version}: ${command.name} does not apply`, {
        ...(cause.found === undefined ? {} : { found: cause.found }),
        ...(cause.hint === undefined ? {} : { hint: cause.hint }),
        cause,
      });
    }
  }
  await rm(join(dir, 'debian'), { recursive: true });
}
