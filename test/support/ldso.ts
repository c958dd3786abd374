import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as closure from '../../libs/collect/closure.ts';
import * as roots from '../../libs/collect/roots.ts';
import type { Platform } from '../../libs/core/platform.ts';

const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** True if this user may run programs in another root. */
export const mayChroot = spawnSync('chroot', ['/', 'true'], { env }).status === 0;

/**
 * The files that the real loader of a root takes for a program or library, as it names them (the program itself left
 * out, the loader among them), or undefined where it cannot run the file (static, or for another machine).
 * In another root than `/` it is run by chroot.
 */
export function list(root: string, loader: string, path: string): string[] | undefined {
  const argv = words(loader, path);
  const [command = '', ...rest] = root === '/' ? argv : ['chroot', root, ...argv];
  const result = spawnSync(command, rest, { env });
  return parse(result.status, result.stdout?.toString('utf8') ?? '');
}

/** The words that have a loader list what it takes for a file. */
export const words = (loader: string, path: string): [string, ...string[]] => [
  loader,
  // Without the faster doubles of libraries, of which each machine takes others.
  ...['--glibc-hwcaps-mask', 'none'],
  ...['--list', path],
];

/** What a loader printed for those words, as {@link list} gives it. */
export function parse(status: number | null | undefined, text: string): string[] | undefined {
  if (status !== 0 || text.includes('statically linked')) {
    return undefined;
  }
  return text.split('\n').flatMap((line) => {
    const match = /^\t(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line);
    return match?.[1] === undefined ? [] : [match[1]];
  });
}

/** True if the loader is there and can be run in that root. */
export const available = (root: string, loader: string): boolean =>
  existsSync(join(root, loader)) && (root === '/' || mayChroot);

/**
 * For a program in a root: the files that the real loader takes and those of our closure beside the program, both as
 * paths without links, sorted. Undefined where the loader cannot run it. `listed` is what the loader takes, where it is
 * known already.
 */
export function compare(
  root: string,
  platform: Platform,
  path: string,
  listed: readonly string[] | undefined = list(root, platform.loader, path),
): { readonly loader: string[]; readonly closure: string[] } | undefined {
  if (listed === undefined) {
    return undefined;
  }
  const view = roots.open([root]);
  const real = (each: string): string => view.lookup(each)?.path ?? `${each} (not there)`;
  const files = closure
    // What a library may open by itself is in no list of the loader's.
    .resolve({ roots: [root], platform, dlopen: 'required', start: [{ path, via: 'test' }] })
    .filter((item) => item.type === 'file' && item.path !== real(path))
    .map((item) => item.path);
  return { loader: [...new Set(listed.map(real))].sort(), closure: files.sort() };
}
