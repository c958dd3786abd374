import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Entry } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';

const DIRECTORY = '/usr/share/zoneinfo';
/** Doubles of the whole tree: `right` counts leap seconds, which POSIX time does not have. */
const DOUBLES = ['posix', 'right'];
const REASON = 'time zones';
/** Links nest no deeper in earnest. */
const DEEPEST = 8;

/**
 * The time zone data of a root that has the package `tzdata`: all zones, or those named (`Europe/Berlin`). A zone that
 * is a link to another stays one, and brings the other. Throws `TIMEZONE_UNKNOWN`.
 */
export function entries(root: string, zones: 'all' | readonly string[]): Entry[] {
  const names = zones === 'all' ? all(root, '') : zones;
  const found = new Map<string, Entry>();
  for (const name of names) {
    const chain = zone(root, name, 0);
    if (chain === undefined && zones !== 'all') {
      throw new ForgeError('TIMEZONE_UNKNOWN', `the root has no time zone ${JSON.stringify(name)}`, {
        expected: `a file below ${DIRECTORY}`,
        hint: 'add the Debian package tzdata (old names: tzdata-legacy) to the root, or mend the name',
      });
    }
    for (const entry of chain ?? []) {
      found.set(entry.path, entry);
    }
  }
  return [...found.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/** Every name below the directory; what is no zone (tables, `localtime`) is sorted out later. */
function all(root: string, directory: string): string[] {
  return readdirSync(join(root, DIRECTORY, directory), { withFileTypes: true }).flatMap((found) => {
    const name = posix.join(directory, found.name);
    return found.isDirectory() ? (DOUBLES.includes(name) ? [] : all(root, name)) : [name];
  });
}

/** A zone's entries: its file, or its link and those that it leads to; undefined if there is no zone of that name. */
function zone(root: string, name: string, depth: number): Entry[] | undefined {
  // Names with .. or from the top would lead out of the directory, or of the root.
  if (depth > DEEPEST || !/^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/.test(name)) {
    return undefined;
  }
  const path = posix.join(DIRECTORY, name);
  const source = join(root, path);
  const stat = lstatSync(source, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true) {
    const target = readlinkSync(source);
    const rest = zone(root, posix.relative(DIRECTORY, posix.resolve(posix.dirname(path), target)), depth + 1);
    return rest && [{ type: 'symlink', path, target, uid: 0, gid: 0, reason: REASON }, ...rest];
  }
  if (stat?.isFile() !== true || !isZone(source)) {
    return undefined;
  }
  return [
    { type: 'file', path, mode: 0o644, uid: 0, gid: 0, size: stat.size, content: { file: source }, reason: REASON },
  ];
}

/** True for compiled time zone data (RFC 8536). */
function isZone(source: string): boolean {
  const magic = Buffer.alloc(4);
  const fd = openSync(source, 'r');
  try {
    return readSync(fd, magic, 0, 4, 0) === 4 && magic.toString('latin1') === 'TZif';
  } finally {
    closeSync(fd);
  }
}
