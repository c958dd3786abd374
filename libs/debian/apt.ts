import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../core/errors.ts';

/** One place of the machine's apt configuration. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  /** What the source itself says of it, where it does; stronger than {@link Apt.checkValidUntil}. */
  readonly checkValidUntil?: boolean;
}

/** What of the machine's apt configuration matters here. */
export interface Apt {
  readonly sources: readonly AptSource[];
  /** `Acquire::Check-Valid-Until`; apt's default is true. */
  readonly checkValidUntil: boolean;
}

/** A configuration file: its name says in which of the two formats a list of sources is. */
export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

/** The sources of sources.list(5) files, in the one-line format and in deb822 format (`*.sources`). Disabled ones are left out. */
export const sources = (files: readonly ConfigFile[]): AptSource[] =>
  files.flatMap(({ name, text }) => (name.endsWith('.sources') ? deb822(text) : oneLine(text)));

/** `deb [ option=value ... ] uri suite component...` */
function oneLine(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const [, options = '', uri, suite] =
      /^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)/.exec(line.replace(/#.*/, '')) ?? [];
    if (uri === undefined || suite === undefined) return [];
    const [, check] = /(?:^|\s)check-valid-until=(\S+)/i.exec(options) ?? [];
    return [{ uri, suites: [suite], ...checking(check) }];
  });
}

/** apt's words for false. */
const NO = /^(false|no|0|off|without|disable)$/i;

const checking = (value: string | undefined): Pick<AptSource, 'checkValidUntil'> =>
  value === undefined ? {} : { checkValidUntil: !NO.test(value) };

function deb822(text: string): AptSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const field = (name: string): string[] => {
        const [, value = ''] = new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, 'im').exec(stanza) ?? [];
        return value.split(/\s+/).filter((word) => word !== '');
      };
      if (/^no$/i.test(field('Enabled')[0] ?? 'yes')) return [];
      return field('URIs').map((uri) => ({
        uri,
        suites: field('Suites'),
        ...checking(field('Check-Valid-Until')[0]),
      }));
    });
}

/** Whether `Acquire::Check-Valid-Until` is on in the apt.conf(5) files; the last one that says something wins. */
export function checksValidUntil(files: readonly ConfigFile[]): boolean {
  const values = files.flatMap(({ text }) => {
    const plain = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|^\s*#.*/gm, '');
    const direct = [...plain.matchAll(/Acquire::Check-Valid-Until\s+"?(\w+)"?\s*;/gi)];
    const nested = [...plain.matchAll(/Acquire\s*\{[^}]*?Check-Valid-Until\s+"?(\w+)"?\s*;/gi)];
    return [...direct, ...nested].map(([, value]) => value ?? '');
  });
  return !NO.test(values.at(-1) ?? 'true');
}

/** Reads the configuration below `/etc/apt` or the like. A machine without apt has no sources and apt's defaults. */
export async function read(directory: string): Promise<Apt> {
  const [list, lists, conf, confs] = await Promise.all([
    file(directory, 'sources.list'),
    folder(join(directory, 'sources.list.d'), /\.(list|sources)$/),
    file(directory, 'apt.conf'),
    folder(join(directory, 'apt.conf.d'), /^[^.]*(\.conf)?$/),
  ]);
  return { sources: sources([...list, ...lists]), checkValidUntil: checksValidUntil([...confs, ...conf]) };
}

const file = (directory: string, name: string): Promise<ConfigFile[]> =>
  absentIsEmpty(readFile(join(directory, name), 'utf8').then((text) => [{ name, text }]));

async function folder(directory: string, pattern: RegExp): Promise<ConfigFile[]> {
  const names = await absentIsEmpty(readdir(directory));
  return (
    await Promise.all(
      names
        .filter((name) => pattern.test(name))
        .sort()
        .map((name) => file(directory, name)),
    )
  ).flat();
}

const absentIsEmpty = <T>(promise: Promise<T[]>): Promise<T[]> =>
  promise.catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  });
