import { isAbsolute, join } from 'node:path';

/** Where the store lies: `$XDG_CACHE_HOME/h3forge`, else `~/.cache/h3forge` (XDG Base Directory Specification). */
export function directory(env: Readonly<Record<string, string | undefined>>, home: string): string {
  // The specification says that a relative path is to be ignored.
  const set = env.XDG_CACHE_HOME;
  return join(set !== undefined && isAbsolute(set) ? set : join(home, '.cache'), 'h3forge');
}
