import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'vitest';

/**
 * The command lines of all processes but this one that have to do with a store: they name it, or something of it is
 * mounted where they run. `cache` is the folder that {@link Store} calls so; its name is nowhere else.
 */
export function processes(cache: string): string[] {
  const name = basename(cache);
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid))
    .flatMap((pid) => {
      const words = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
      return words.includes(name) || read(`/proc/${pid}/mountinfo`).includes(name) ? [`${pid} ${words}`] : [];
    });
}

/** Waits until nothing of a run is left: no process, no mount. A kernel needs a moment to end what was in a namespace. */
export async function nothingRuns(cache: string): Promise<void> {
  await expect.poll(() => processes(cache), { timeout: 5000, interval: 20 }).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(basename(cache));
}

/** Empty for a process that ended meanwhile, or that another user has. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
