import type { Command } from '../core/command.ts';

/** The patches of a quilt series file, in order. A line is a file name; `#` begins a comment. */
export const parse = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');

/**
 * The commands that apply patches to the tree at `tree` as dpkg-source does: each whole, without fuzz, in order. A line of
 * the series may end in a strip option (`-p0`); the default is `-p1`.
 */
export const plan = (patches: readonly string[], tree: string): Command[] =>
  patches.map((line) => {
    const [name = '', strip = '-p1'] = line.split(/\s+/);
    return {
      name: `patch ${name}`,
      argv: [
        'patch',
        strip,
        '--batch',
        '--forward',
        '--fuzz=0',
        '--no-backup-if-mismatch',
        '--reject-file=-',
        `--input=debian/patches/${name}`,
      ],
      env: { LC_ALL: 'C.UTF-8', PATH: '/usr/bin' },
      cwd: tree,
    };
  });
