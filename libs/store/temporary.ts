import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../core/errors.ts';

const DAY = 24 * 60 * 60 * 1000;

/** A folder that is gone at the end of the block that made it (`await using`). */
export interface Temporary extends AsyncDisposable {
  readonly path: string;
}

/**
 * A new folder below `parent`, named after this process so that a later run can tell whether its owner still lives:
 * `<pid namespace>-<pid>-<start time>-<random>`.
 */
export async function make(parent: string): Promise<Temporary> {
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, `${await owner()}-`));
  return { path, [Symbol.asyncDispose]: () => remove(path) };
}

/** Removes what killed processes left below `parent`; never what a living one, or one that can't be told, still owns. */
export async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const [namespace] = (await owner()).split('-');
  await Promise.all(
    names.map(async (name) => {
      const [owningNamespace, pid, start] = name.split('-');
      const path = join(parent, name);
      const abandoned =
        owningNamespace === namespace ? (await startTime(Number(pid))) !== start : await olderThan(path, DAY);
      if (abandoned) await remove(path);
    }),
  );
}

/** Removes a tree, also one with folders that its owner may not write to. */
export async function remove(path: string): Promise<void> {
  const attempt = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    await attempt();
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
    if ((await lstat(path)).isDirectory()) await unlock(path);
    await attempt();
  }
}

/** Lets the owner list and change a folder and all that are below it. */
async function unlock(dir: string): Promise<void> {
  await chmod(dir, 0o700);
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlock(join(dir, entry.name));
  }
}

let self: Promise<string> | undefined;
/** The words by which {@link sweep} knows this process; with a dash and more after them they are a name of its own. */
export function owner(): Promise<string> {
  self ??= (async () => {
    const namespace = await readlink('/proc/self/ns/pid').then(
      (link) => link.replace(/\D/g, ''),
      () => '0',
    );
    return `${namespace}-${process.pid}-${await startTime(process.pid)}`;
  })();
  return self;
}

/** The start time of a process in clock ticks since boot, field 22 of proc(5)'s stat; `0` where there is no such process. */
async function startTime(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}

const olderThan = (path: string, age: number): Promise<boolean> =>
  stat(path).then(
    (stats) => Date.now() - stats.mtimeMs > age,
    () => false,
  );
