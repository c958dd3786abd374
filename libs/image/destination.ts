import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ForgeError, hasCode } from '../core/errors.ts';
import { format, type Output } from '../core/output.ts';
import * as archive from './archive.ts';
import * as dockerfile from './dockerfile.ts';
import * as layout from './layout.ts';

const checks = {
  layout: layout.check,
  archive: archive.check,
  dockerfile: dockerfile.check,
} as const satisfies Record<Output['type'], (path: string) => Promise<void>>;

/**
 * Whether all outputs may be written: to be asked before hours of work, and asked again by each when it writes. Changes
 * nothing. Throws `OUTPUT_INVALID` where one would lie on or in another, `DESTINATION_OCCUPIED` where something lies that
 * is not ours.
 */
export async function check(outputs: readonly Output[]): Promise<void> {
  const places = await Promise.all(outputs.map(async (output) => ({ output, place: await locate(output.path) })));
  for (const [position, one] of places.entries()) {
    for (const other of places.slice(position + 1)) {
      if (!within(one.place, other.place) && !within(other.place, one.place)) continue;
      throw new ForgeError('OUTPUT_INVALID', 'two outputs are in the same place, or one is inside the other', {
        expected: 'a place of its own for each output',
        found: `${format(one.output)} and ${format(other.output)}`,
        hint: 'choose another place for one of them with --output',
      });
    }
  }
  for (const { type, path } of outputs) await checks[type](path);
}

/** The path with all links on it followed, as far as it is there. */
async function locate(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    return join(await locate(dirname(absolute)), basename(absolute));
  }
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(join(folder, '/'));
