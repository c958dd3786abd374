import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import * as jails from '../archive/jail.ts';
import type { Xz } from '../archive/xz.ts';
import { ForgeError } from '../core/errors.ts';
import type { PinnedFile, PinnedPackage } from '../core/lock.ts';
import type { Progress } from '../core/progress.ts';
import * as deb from './deb.ts';

/** What a root file system is made of. */
export interface RootParts {
  readonly packages: readonly PinnedPackage[];
  /** Links to folders, which are made first, so that packages unpack through them: those of the merged /usr. */
  readonly folderLinks: Readonly<Record<string, string>>;
  /** Links that are made last. */
  readonly links: Readonly<Record<string, string>>;
  /** Folders that must be there. */
  readonly directories: readonly string[];
  /** Folders whose content is left out. */
  readonly exclude: readonly string[];
  /** True where `dir` is a root already, to which these packages are added: it has the folder links. */
  readonly isBegun?: boolean;
}

export interface AssembleOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Decompresses the packages; absent for the decoder that is part of this program, which needs no other. */
  readonly xz?: Xz;
  /** How many packages are unpacked at once; 3 where it is absent: one is decompressed while another is written. */
  readonly concurrency?: number;
}

/**
 * Unpacks packages into `dir`, which must be empty unless it is begun, several at once, and makes the links and folders
 * that maintainer scripts would have made; no script is run. Two packages that ship the same file are
 * `ROOT_FILE_CONFLICT`, because which one won would be chance.
 */
export async function assemble(
  parts: RootParts,
  open: (file: PinnedFile) => Promise<Readable>,
  dir: string,
  options: AssembleOptions,
): Promise<void> {
  const jail = jails.open(dir);
  for (const [path, target] of parts.isBegun === true ? [] : Object.entries(parts.folderLinks)) {
    jail.directory(join('/', dirname(path), target));
    symlinkSync(target, jail.entry(path));
  }
  for (const path of parts.directories) jail.directory(path);

  const owners = new Map<string, string>();
  const excluded = parts.exclude.map((path) => `${path}/`);
  const queue = parts.packages.values();
  const total = parts.packages.reduce((sum, { size }) => sum + size, 0);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let done = 0;
  const worker = async (): Promise<void> => {
    for (const entry of queue) {
      signal.throwIfAborted();
      await deb.unpack(addAbortSignal(signal, await open(entry)), dir, {
        signal,
        ...(options.xz === undefined ? {} : { xz: options.xz }),
        filter: (path, { type }) => {
          if (excluded.some((prefix) => path.startsWith(prefix))) return false;
          if (type !== 'directory') claim(owners, throughLinks(path, parts.folderLinks), entry.name);
          return true;
        },
      });
      done += entry.size;
      options.progress.bytes(done, total);
    }
  };
  const workers = Array.from({ length: options.concurrency ?? 3 }, () =>
    worker().catch((error: unknown) => {
      stop.abort(error);
      // Whoever was stopped hears the reason, not that it was stopped.
      throw signal.reason;
    }),
  );
  // All have ended before this does: nobody writes into a folder that is being removed.
  await Promise.allSettled(workers);
  await Promise.all(workers);
  for (const [path, target] of Object.entries(parts.links)) symlinkSync(target, jail.entry(path));
}

/** The path without the links that were made first: `/bin/sh` is `/usr/bin/sh`. */
function throughLinks(path: string, folderLinks: Readonly<Record<string, string>>): string {
  for (const [link, target] of Object.entries(folderLinks)) {
    if (path.startsWith(`${link}/`)) return join('/', dirname(link), target, path.slice(link.length));
  }
  return path;
}

/** Notes whose a file is. */
function claim(owners: Map<string, string>, path: string, name: string): void {
  const other = owners.get(path);
  if (other !== undefined && other !== name) {
    throw new ForgeError('ROOT_FILE_CONFLICT', `${path} is in two packages of the root`, {
      found: `${other}, ${name}`,
    });
  }
  owners.set(path, name);
}
