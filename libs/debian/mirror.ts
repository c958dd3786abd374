import { ForgeError } from '../core/errors.ts';
import { shown } from '../store/http.ts';
import type { AptSource } from './apt.ts';

/** Debian's code names and aliases; a source with another suite is of another distribution. */
const SUITE =
  /^(bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable|experimental)(-|\/|$)/;

/** Keeps every version of every file that the archive ever had. */
const SNAPSHOT = 'https://snapshot.debian.org/archive/';

/**
 * Where the files of an archive (`debian`, `debian-security`) may lie: base URLs, each ending in a slash, in the order in
 * which to try them: the machine's own apt sources, the setting, and the snapshot of that date. A base is only a place to
 * fetch from; what is fetched is checked against a digest or a signature.
 */
export function bases(
  archive: string,
  places: {
    readonly apt: readonly AptSource[];
    readonly setting: string | undefined;
    readonly date?: string | undefined;
  },
): string[] {
  const fromApt = places.apt
    .filter(({ uri, suites }) => /^https?:\/\//.test(uri) && suites.some((suite) => archiveOf(suite) === archive))
    .map(({ uri }) => uri);
  const all = [
    ...fromApt,
    ...fromSetting(archive, places.setting),
    ...(places.date === undefined ? [] : [`${SNAPSHOT}${archive}/${places.date}`]),
  ];
  return [...new Set(all.map((base) => base.replace(/\/*$/, '/')))];
}

/** The URL of a file of an archive. File names of Debian's may hold `+` and `~`, which stand for themselves, and `%`. */
export const url = (base: string, path: string): string =>
  base + path.split('/').map(encodeURIComponent).join('/').replaceAll('%2B', '+');

/** The archive that a suite is in; undefined for a suite that is not Debian's. */
function archiveOf(suite: string): string | undefined {
  if (!SUITE.test(suite)) return undefined;
  return /-security$|\/updates$/.test(suite) ? 'debian-security' : 'debian';
}

/**
 * The setting: words divided by commas or spaces, each `ARCHIVE=URL`, or a URL of the archive `debian`, whose security
 * sibling is then `URL-security`. Throws `MIRROR_INVALID`.
 */
function fromSetting(archive: string, setting = ''): string[] {
  return setting
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .flatMap((word) => {
      const [, name, url = word] = /^([a-z-]+)=(.+)$/.exec(word) ?? [];
      if (!URL.canParse(url) || !/^https?:/.test(url)) {
        throw new ForgeError('MIRROR_INVALID', 'H3FORGE_DEBIAN_MIRROR is not the URL of a mirror', {
          expected: 'http://MIRROR/debian, or debian=URL,debian-security=URL',
          found: shown(url),
        });
      }
      if (name !== undefined) return name === archive ? [url] : [];
      const base = url.replace(/\/+$/, '');
      return [archive === 'debian' ? base : `${base}-${archive.replace(/^debian-/, '')}`];
    });
}
