import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import * as elf from '../../libs/collect/elf.ts';

/** What both readelf and our reader can say of a file, in one form. */
export interface Said {
  bits: number;
  littleEndian: boolean;
  type: string;
  interpreter?: string;
  needed: string[];
  soname?: string;
  rpath?: string;
  runpath?: string;
  bindNow: boolean;
  pie: boolean;
  noDefaultLibraries: boolean;
  /** `library: version, version weak` */
  needs: string[];
  /** `name base: parent, parent` */
  defines: string[];
  stack: string;
  relro: boolean;
  buildId?: string;
  features: string[];
  hasSymbolTable: boolean;
  hasDebug: boolean;
}

/** True if this machine has readelf. */
export const available = spawnSync('readelf', ['--version']).status === 0;

const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };

function run(options: string, paths: readonly string[], [command = '', ...words]: readonly string[]): string {
  const result = spawnSync(command, [...words, options, ...paths], { env: environment, maxBuffer: 512 * 1024 * 1024 });
  return result.stdout.toString('utf8');
}

/** What readelf says of files, by path. It warns of odd files on its error output, which is not read. */
export function read(paths: readonly string[], command: readonly string[] = ['readelf']): Map<string, Said> {
  const found = new Map<string, Said>();
  // With one file alone readelf does not say which.
  const [first = ''] = paths;
  const printed = run('-hSdWlnV', paths, command);
  const text = paths.length === 1 ? `File: ${first}\n${printed}` : printed;
  for (const part of text.split(/^(?:\n)?File: /m).slice(1)) {
    const end = part.indexOf('\n');
    found.set(part.slice(0, end), parse(part.slice(end + 1)));
  }
  return found;
}

const words: Readonly<Record<string, string>> = {
  NONE: 'none',
  REL: 'relocatable',
  EXEC: 'executable',
  DYN: 'shared',
  CORE: 'core',
};

function parse(text: string): Said {
  const one = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, value = '']) => value);
  const relocatable = /^ {2}Type: +REL /m.test(text);
  const stack = one(/^ {2}GNU_STACK .* ([R ][W ][E ]) +0x[0-9a-f]+$/m);
  const flags1 = one(/\(FLAGS_1\) +Flags: (.*)$/m) ?? '';
  const versions = parseVersions(text);
  const optional = (key: keyof Said, value: string | undefined): object =>
    value === undefined ? {} : { [key]: value };
  return {
    bits: one(/^ {2}Class: +ELF(32|64)$/m) === '32' ? 32 : 64,
    littleEndian: text.includes('little endian\n'),
    type: words[one(/^ {2}Type: +(\w+)/m) ?? ''] ?? 'other',
    ...optional('interpreter', one(/\[Requesting program interpreter: (.*)\]$/m)),
    needed: all(/\(NEEDED\) +Shared library: \[(.*)\]$/gm),
    ...optional('soname', one(/\(SONAME\) +Library soname: \[(.*)\]$/m)),
    ...optional('rpath', one(/\(RPATH\) +Library rpath: \[(.*)\]$/m)),
    ...optional('runpath', one(/\(RUNPATH\) +Library runpath: \[(.*)\]$/m)),
    bindNow: /\(BIND_NOW\)|\(FLAGS\) .*BIND_NOW/.test(text) || /\bNOW\b/.test(flags1),
    pie: /\bPIE\b/.test(flags1),
    noDefaultLibraries: /\bNODEFLIB\b/.test(flags1),
    ...versions,
    stack: stack === undefined ? 'unstated' : stack.includes('E') ? 'executable' : 'data',
    relro: /^ {2}GNU_RELRO /m.test(text),
    // An object file has no segments, where our reader looks, only sections.
    ...optional('buildId', relocatable ? undefined : one(/\bBuild ID: ([0-9a-f]+)$/m)),
    features: ((relocatable ? '' : one(/x86 feature: ([A-Z, ]+)/)) ?? '')
      .split(', ')
      .filter((name) => name === 'IBT' || name === 'SHSTK'),
    hasSymbolTable: /^ +\[ *\d+\] .* SYMTAB +[0-9a-f]/m.test(text),
    hasDebug: /^ +\[ *\d+\] \.z?debug_/m.test(text),
  };
}

function parseVersions(text: string): Pick<Said, 'needs' | 'defines'> {
  const needs: string[][] = [];
  const defines: string[][] = [];
  let section = '';
  for (const line of text.split('\n')) {
    section = /^Version (\w+) section/.exec(line)?.[1] ?? (line === '' ? '' : section);
    const name = /(?:File|Name|Parent \d+): (\S+)/.exec(line)?.[1] ?? '';
    if (section === 'definition' && line.includes('Rev: ')) {
      defines.push([`${name}${/Flags: BASE/.test(line) ? ' base' : ''}`]);
    } else if (section === 'definition' && line.includes('Parent ')) {
      defines.at(-1)?.push(name);
    } else if (section === 'needs' && line.includes('File: ')) {
      needs.push([name]);
    } else if (section === 'needs' && line.includes('Name: ')) {
      needs.at(-1)?.push(`${name}${/Flags: .*WEAK/.test(line) ? ' weak' : ''}`);
    }
  }
  const join = ([first = '', ...rest]: string[]): string => `${first}: ${rest.join(', ')}`;
  return { needs: needs.map(join), defines: defines.map(join) };
}

/** What our reader says, in the same form. */
export function ours(file: elf.Elf): Said {
  const optional = (key: keyof Said, value: string | undefined): object =>
    value === undefined ? {} : { [key]: value };
  return {
    bits: file.bits,
    littleEndian: file.littleEndian,
    type: file.type,
    ...optional('interpreter', file.interpreter),
    needed: [...file.needed],
    ...optional('soname', file.soname),
    ...optional('rpath', file.rpath),
    ...optional('runpath', file.runpath),
    ...file.flags,
    needs: file.needs.map(
      ({ library, versions }) =>
        `${library}: ${versions.map(({ name, weak }) => `${name}${weak ? ' weak' : ''}`).join(', ')}`,
    ),
    defines: file.defines.map(({ name, base, parents }) => `${name}${base ? ' base' : ''}: ${parents.join(', ')}`),
    stack: file.stack,
    relro: file.relro,
    ...optional('buildId', file.buildId),
    features: [...(file.features.ibt ? ['IBT'] : []), ...(file.features.shstk ? ['SHSTK'] : [])],
    hasSymbolTable: file.hasSymbolTable,
    hasDebug: file.hasDebug,
  };
}

/** The ELF files below a directory, links not followed, sorted; at most `most`. */
export function elfFiles(directory: string, most: number): string[] {
  const found: string[] = [];
  // Node's own recursive readdir follows links, some of which run in circles.
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        walk(path);
      } else if (entry.isFile() && isElf(path)) {
        found.push(path);
      }
    }
  };
  walk(directory);
  return found.sort().slice(0, most);
}

function isElf(path: string): boolean {
  const bytes = Buffer.alloc(4);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, bytes, 0, 4, 0);
  } finally {
    closeSync(fd);
  }
  return elf.isElf(bytes);
}

/**
 * Holds our reader against readelf over every ELF file below a directory (at most `most`). `command` are the words that
 * run readelf, where it is not the machine's.
 * Gives how many were compared, and those of which the two say different things.
 */
export function compare(
  directory: string,
  most = 5000,
  command: readonly string[] = ['readelf'],
): { compared: number; differ: { path: string; readelf?: Said; ours: Said }[] } {
  const paths = elfFiles(directory, most);
  const differ: { path: string; readelf?: Said; ours: Said }[] = [];
  for (let start = 0; start < paths.length; start += 100) {
    const batch = paths.slice(start, start + 100);
    const theirs = read(batch, command);
    for (const path of batch) {
      const said = ours(elf.read(path));
      const readelf = theirs.get(path);
      if (JSON.stringify(sortKeys(said)) !== JSON.stringify(sortKeys(readelf ?? {}))) {
        differ.push({ path, ...(readelf === undefined ? {} : { readelf }), ours: said });
      }
    }
  }
  return { compared: paths.length, differ };
}

const sortKeys = (value: object): object =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The undefined dynamic symbols of a file, as readelf lists them, versions cut off. */
export const undefinedSymbols = (path: string): string[] =>
  execFileSync('readelf', ['--dyn-syms', '-W', path], { env: environment, maxBuffer: 64 * 1024 * 1024 })
    .toString('utf8')
    .split('\n')
    .flatMap((line) => /\sUND\s+([^\s@]+)/.exec(line)?.[1] ?? []);
