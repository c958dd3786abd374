import { constants } from 'node:fs';
import { access, mkdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import * as seal from './seal.ts';
import * as temporary from './temporary.ts';

/** What a folder of the store is for; one sub-folder each. */
export type Kind = 'root' | 'source' | 'compile' | 'layer' | 'image';

/** The cache on disk. Everything in it is named by the digest of what made it, and can be deleted at any time. */
export interface Store {
  readonly dir: string;
  /** The content-addressed folder of downloads (`cacache`). */
  readonly downloads: string;
  /** Logs of commands, one folder per stage; kept until the next run of the same stage. */
  readonly logs: string;
  /** A folder that is removed at the end of the block, or by a later run when this one is killed. */
  temporary(): Promise<temporary.Temporary>;
  /** Whether the folder for that key is there and still as it was sealed. */
  has(kind: Kind, key: Digest): Promise<boolean>;
  /** Where the folder for that key lies, or would. */
  path(kind: Kind, key: Digest): string;
  /**
   * The folder for that key, made by `make` in a temporary place and moved in by rename, so that it is whole or not
   * there. One that was changed since is made again.
   */
  directory(
    kind: Kind,
    key: Digest,
    make: (dir: string) => Promise<void>,
  ): Promise<{ readonly path: string; readonly cached: boolean }>;
  /** Removes the folder for that key: its files are not what they were, although the seal did not tell. */
  discard(kind: Kind, key: Digest): Promise<void>;
  /** A small JSON record by key; undefined where there is none, or none that can be read. */
  readRecord(kind: string, key: Digest): Promise<unknown>;
  writeRecord(kind: string, key: Digest, value: unknown): Promise<void>;
}

/** Opens (and makes) the store at `dir`, and removes what killed runs left in it. Throws `STORE_UNUSABLE`. */
export async function open(dir: string): Promise<Store> {
  const temporaries = join(dir, 'tmp');
  const downloads = join(dir, 'downloads');
  try {
    await mkdir(temporaries, { recursive: true });
    await access(temporaries, constants.W_OK);
    await Promise.all([temporary.sweep(temporaries), temporary.sweep(join(downloads, 'tmp'))]);
  } catch (cause) {
    throw new ForgeError('STORE_UNUSABLE', `the store ${dir} cannot be made: ${reason(cause)}`, {
      cause,
      hint: 'set XDG_CACHE_HOME to a folder that you may write to',
    });
  }
  const place = (kind: string, key: Digest): string => join(dir, kind, digest.hex(key));
  const record = (kind: string, key: Digest): string => join(dir, 'records', kind, `${digest.hex(key)}.json`);

  /** True where the folder's seal still matches it; nothing is read where its stamp does. Found out once: within one run nothing else changes a folder. */
  const known = new Map<string, Promise<boolean>>();
  const intact = (path: string): Promise<boolean> => {
    const answer = known.get(path) ?? inspect(path);
    known.set(path, answer);
    return answer;
  };
  const inspect = async (path: string): Promise<boolean> => {
    const tree = join(path, 'tree');
    const [sealed, stamped] = await Promise.all(
      ['seal', 'stamp'].map((name) => readFile(join(path, name), 'utf8').catch(() => undefined)),
    );
    if (sealed === undefined) return false;
    try {
      const stamp = seal.stamp(tree);
      if (stamp === stamped) return true;
      // A copy, a restored backup, or a new hard link: the bytes decide.
      if (sealed !== seal.of(tree)) return false;
      // It only saves time: where it cannot be written, the bytes are read again the next time.
      await replaceFile(join(path, 'stamp'), stamp).catch(() => undefined);
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  };
  /** Out of the way by one rename first: nobody ever sees a half of it. */
  const discard = async (path: string): Promise<void> => {
    await using old = await temporary.make(temporaries);
    await rename(path, join(old.path, 'damaged')).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    known.delete(path);
  };

  const store: Store = {
    dir,
    downloads,
    logs: join(dir, 'logs'),
    temporary: () => temporary.make(temporaries),

    path: (kind, key) => join(place(kind, key), 'tree'),
    has: (kind, key) => intact(place(kind, key)),

    async directory(kind, key, make) {
      const path = place(kind, key);
      const tree = join(path, 'tree');
      if (await intact(path)) return { path: tree, cached: true };
      await using temp = await temporary.make(temporaries);
      await mkdir(join(temp.path, 'tree'));
      try {
        await make(join(temp.path, 'tree'));
      } catch (cause) {
        throw await explainFull(cause, dir);
      }
      await writeFile(join(temp.path, 'seal'), seal.of(join(temp.path, 'tree')));
      await writeFile(join(temp.path, 'stamp'), seal.stamp(join(temp.path, 'tree')));
      await mkdir(dirname(path), { recursive: true });
      // A rename onto a folder that is not empty fails: then a faster run was here, or what lies there is damaged.
      for (let attempt = 0; ; attempt++) {
        try {
          await rename(temp.path, path);
          break;
        } catch (error) {
          if (!hasCode(error, 'ENOTEMPTY', 'EEXIST') || attempt > 3) throw error;
        }
        if (await inspect(path)) break;
        await discard(path);
      }
      known.set(path, Promise.resolve(true));
      return { path: tree, cached: false };
    },

    discard: (kind, key) => discard(place(kind, key)),

    async readRecord(kind, key) {
      const text = await readFile(record(kind, key), 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      try {
        const found = JSON.parse(text) as { key?: unknown; value?: unknown } | null;
        return found?.key === key ? found.value : undefined;
      } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
      }
    },

    async writeRecord(kind, key, value) {
      const path = record(kind, key);
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, `${JSON.stringify({ key, value })}\n`);
    },
  };
  return store;
}

/** Writes a file so that a reader sees the old or the new bytes, never a part. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temp = `${path}.${process.pid}.${performance.now()}.tmp`;
  try {
    await writeFile(temp, content);
    await rename(temp, path);
  } finally {
    await rm(temp, { force: true });
  }
}

/** What to do about a full disk, by what was to be written there. */
const ROOM = {
  store: { expected: 'about 2 GB free', hint: 'npm run clean, or set XDG_CACHE_HOME to a folder on a larger disk' },
  output: { expected: 'room for the image beside an earlier one', hint: '--output with a place on a larger disk' },
} as const;

/** Says how much room there is when the disk of that folder was full; any other error is returned as it is. */
export async function explainFull(error: unknown, dir: string, what: keyof typeof ROOM = 'store'): Promise<unknown> {
  if (!full(error)) return error;
  const { bavail, bsize } = await statfs(dir);
  return new ForgeError('DISK_FULL', `no space left for the ${what} ${dir}`, {
    ...ROOM[what],
    found: `${Math.round((bavail * bsize) / 1e6)} MB free`,
    cause: error,
  });
}

const full = (error: unknown): boolean =>
  hasCode(error, 'ENOSPC', 'EDQUOT') || (error instanceof Error && error.cause !== undefined && full(error.cause));

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
