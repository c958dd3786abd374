import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What a tree is made of, by path: text or bytes, a link, an empty directory, or a file that may be executed. */
export type Tree = Readonly<
  Record<string, string | Uint8Array | { link: string } | { directory: true } | { program: string }>
>;

/** What the names of all folders that tests make begin with. */
export const PREFIX = 'h3forge-test-';

/** Makes a folder with these files, which is removed when the test that calls this is over; gives its path. */
export function make(tree: Tree = {}): string {
  const top = mkdtempSync(join(tmpdir(), PREFIX));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(tree)) {
    const path = join(top, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) {
      writeFileSync(path, content);
    } else if ('link' in content) {
      symlinkSync(content.link, path);
    } else if ('program' in content) {
      writeFileSync(path, content.program);
      chmodSync(path, 0o755);
    } else {
      mkdirSync(path, { recursive: true });
    }
  }
  return top;
}
