import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { extractTar } from '../archive/extract.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import type { GitPin } from '../core/module.ts';

/** What git must not do for us: ask on the terminal, run another program because a URL says so, work in another repository. */
const ENVIRONMENT = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'https:ssh:file',
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
};
/** A commit is the same files on every machine. */
const PLAIN = ['-c', 'core.autocrlf=false', '-c', 'core.attributesFile=/dev/null', '-c', 'tar.umask=0022'];

/**
 * Fetches one commit into `dir`, which must be empty, by the machine's own git with the user's own settings (a private
 * repository needs the user's credentials). A commit's name is the digest of all that it holds, and git checks it.
 * `scratch` is an empty folder for git's own files. Submodules are not fetched.
 * Throws `GIT_MISSING`, `GIT_FAILED` with git's last words, and what unpacking a tar throws.
 */
export async function fetch(pin: GitPin, dir: string, scratch: string, signal: AbortSignal): Promise<void> {
  const git = async (...words: string[]): Promise<void> => {
    try {
      await execa('git', words, { cwd: scratch, env: ENVIRONMENT, cancelSignal: signal, stdin: 'ignore' });
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, pin);
    }
  };
  // No template: it could bring hooks.
  await git('init', '--quiet', '--bare', '--template=', '.');
  await git('fetch', '--quiet', '--no-tags', '--depth=1', '--', pin.git, pin.commit);
  const archive = execa('git', [...PLAIN, 'archive', '--format=tar', pin.commit], {
    cwd: scratch,
    env: ENVIRONMENT,
    cancelSignal: signal,
    stdin: 'ignore',
    buffer: { stdout: false },
    reject: false,
  });
  const unpacked = extractTar(archive.stdout as Readable, dir, { signal }).catch((error: unknown) => {
    archive.kill();
    throw error;
  });
  const [tree, result] = await Promise.allSettled([unpacked, archive]);
  signal.throwIfAborted();
  if (result.status === 'fulfilled' && result.value.failed && !result.value.isTerminated)
    throw explain(result.value, pin);
  if (tree.status === 'rejected') throw tree.reason;
}

/** Reads `URL@COMMIT` or `git+URL#COMMIT`; undefined where it is neither. The commit is whole: a branch is no pin. */
export function parse(text: string): GitPin | undefined {
  const [, git, commit] = /^(?:git\+)?((?:https|ssh|file):\/\/\S+?)[@#]([0-9a-f]{40})$/.exec(text) ?? [];
  return git === undefined || commit === undefined ? undefined : { git, commit, version: commit.slice(0, 12) };
}

function explain(error: unknown, { git, commit }: GitPin): unknown {
  if (hasCode(error, 'ENOENT')) {
    return new ForgeError('GIT_MISSING', 'there is no git on this machine', {
      expected: `git, to fetch ${shown(git)}`,
      hint: 'install git, or give a folder or an archive instead',
      cause: error,
    });
  }
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : '';
  return new ForgeError('GIT_FAILED', `${shown(git)} could not be fetched`, {
    expected: `the commit ${commit}`,
    found: stderr.trim().split('\n').slice(-3).join('; ').replaceAll(git, shown(git)) || 'no answer',
    hint: 'a folder or an archive can be given instead; most servers only serve commits that a branch or tag has',
  });
}

/** A URL, alone or inside of another text, without user name and password: everything up to the last `@` of its host. */
export const shown = (text: string): string => text.replace(/\/\/[^/\s]*@(?![0-9a-f]{40}$)/g, '//');
