import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { folder } from './temp.ts';

const repository = join(import.meta.dirname, '../../..');

/** A copy of this project, to type commands in and to change. */
export interface Project {
  readonly dir: string;
  /** The path of a file of it. */
  path(file: string): string;
  /** Changes the text of a file; that it is another text afterwards is part of the test. */
  edit(file: string, change: (text: string) => string): void;
}

/** The project as a fresh clone has it, with the files that are not yet committed: nothing that git ignores, no output. */
export function clone(): Project {
  const dir = folder();
  // Whoever runs a command in it may be another user.
  chmodSync(dir, 0o755);
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: repository });
  for (const file of list.toString().split('\0')) {
    // One that is deleted and not yet committed is still in git's list.
    if (file === '' || lstatSync(join(repository, file), { throwIfNoEntry: false })?.isFile() !== true) continue;
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    copyFileSync(join(repository, file), join(dir, file));
  }
  symlinkSync(join(repository, 'node_modules'), join(dir, 'node_modules'));
  const path = (file: string): string => join(dir, file);
  return {
    dir,
    path,
    edit(file, change) {
      const before = readFileSync(path(file), 'utf8');
      const after = change(before);
      expect(after, `${file} was to be changed`).not.toBe(before);
      writeFileSync(path(file), after);
    },
  };
}
