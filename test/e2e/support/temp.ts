import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A new folder with a name that is nowhere else, below `parent`; it is removed when the test file is over. */
export function folder(parent = tmpdir()): string {
  const path = mkdtempSync(join(parent, 'h3forge-test-'));
  made.push(path);
  return path;
}
