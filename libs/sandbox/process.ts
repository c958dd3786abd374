import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { ForgeError, hasCode } from '../core/errors.ts';
import { STATUS_FD } from './bubblewrap.ts';

/** What became of a process: one of the two is set. */
export interface Exit {
  readonly exitCode: number | undefined;
  /** The name of the signal that ended it. */
  readonly signal: string | undefined;
}

/** A process in namespaces of its own. It, and all it started, are gone when this process is. */
export interface Isolated {
  /**
   * Its pid as this machine counts; undefined where it had ended before anybody looked. Throws `SANDBOX_FORBIDDEN` or
   * `SANDBOX_FAILED` where it could not be made.
   */
  readonly pid: Promise<number | undefined>;
  /** Its standard output and error, each in its order, where those were not sent to a file. To be read once. */
  output(): AsyncIterable<Uint8Array>;
  /**
   * Whether the command itself was ever started; known when it has ended. Where it was not, what was printed are
   * bubblewrap's own words about the sandbox, or about a program that is not there.
   */
  readonly started: Promise<boolean>;
  /** Resolves when it and everything in its namespaces is gone. */
  readonly exited: Promise<Exit>;
  /** Ends it at once (SIGKILL). */
  kill(): void;
}

/** How many bytes of what was printed are kept for {@link refused}. */
const COMPLAINT = 2000;

export interface SpawnOptions {
  readonly signal: AbortSignal;
  /** An open file for standard output and error; absent to read them by `output`. */
  readonly output?: number;
  /** Keeps standard input open as long as this process lives; otherwise it is empty. */
  readonly holdInput?: boolean;
  /** The words begin with those of `bubblewrap.guard`, so bubblewrap counts processes as the guard does. */
  readonly guarded?: boolean;
}

/** Starts the words of a bubblewrap call (see `bubblewrap.args`, which asks for the status descriptor used here). */
export function spawn(argv: readonly string[], options: SpawnOptions): Isolated {
  const [file = '', ...args] = argv;
  // A descriptor's number is taken too; execa's types know only 'pipe' where output is read.
  const output = (options.output ?? 'pipe') as 'pipe';
  const child = execa(file, args, {
    stdio: [options.holdInput === true ? 'pipe' : 'ignore', output, output, 'pipe'],
    env: {},
    extendEnv: false,
    buffer: false,
    reject: false,
    cancelSignal: options.signal,
    killSignal: 'SIGKILL',
    all: true,
  });
  let tail = Buffer.alloc(0);
  const exited = child.then(({ exitCode, signal }) => ({ exitCode, signal }));
  // Why the program itself could not be started: the store is gone, or mounted noexec.
  const unstarted = child.then(({ code, originalMessage }) => (code === undefined ? '' : (originalMessage ?? code)));
  const status = read(child.stdio[STATUS_FD] as Readable);
  const pid = status.child.then(async (found) => {
    if (found !== undefined) return options.guarded === true ? await initOf(found.namespace) : found.pid;
    throw refused((await unstarted) || tail.toString('utf8').trim());
  });
  // Whoever does not ask for the pid learns of a failure by the exit status.
  pid.catch(() => undefined);
  return {
    pid,
    async *output() {
      for await (const chunk of child.all as AsyncIterable<Buffer>) {
        tail = Buffer.concat([tail, chunk]).subarray(-COMPLAINT);
        yield chunk;
      }
    },
    started: status.whole.then(hasStarted),
    exited,
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}

/** True where bubblewrap's status documents tell the exit status of a command: it does so only for one that was started. */
export const hasStarted = (status: string): boolean => status.includes('"exit-code"');

/** True where bubblewrap's complaint is that there is no such program, which is not the sandbox's fault. */
export const noProgram = (complaint: string): boolean => /^bwrap: execvp /m.test(complaint);

/** What bubblewrap tells of the process that it made. */
interface Child {
  readonly pid: number;
  /** The number of its pid namespace, as `/proc/PID/ns/pid` shows it; empty where it has none of its own. */
  readonly namespace: string;
}

/**
 * Reads bubblewrap's status documents: the child as soon as it is told; none means that the sandbox itself was refused.
 * The stream is read to its end: a closed one would kill bubblewrap when it writes the exit status.
 */
function read(stream: Readable): { child: Promise<Child | undefined>; whole: Promise<string> } {
  const child = Promise.withResolvers<Child | undefined>();
  const whole = Promise.withResolvers<string>();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const [document] = /^\{.*?"child-pid".*?\}/s.exec(text) ?? [];
    if (document === undefined) return;
    const [, pid] = /"child-pid": (\d+)/.exec(document) ?? [];
    const [, namespace = ''] = /"pid-namespace": (\d+)/.exec(document) ?? [];
    child.resolve({ pid: Number(pid), namespace });
  });
  // A stream that breaks has told all that it will.
  for (const event of ['end', 'close', 'error']) {
    stream.once(event, () => {
      child.resolve(undefined);
      whole.resolve(text);
    });
  }
  return { child: child.promise, whole: whole.promise };
}

/** Process 1 of a pid namespace, as this machine counts. */
async function initOf(namespace: string): Promise<number | undefined> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => ((await isInit(pid, namespace)) ? [Number(pid)] : [])));
  return found.flat()[0];
}

async function isInit(pid: string, namespace: string): Promise<boolean> {
  try {
    if ((await readlink(`/proc/${pid}/ns/pid`)) !== `pid:[${namespace}]`) return false;
    return /^NSpid:.*\t1$/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    // It has ended meanwhile, or is none of ours.
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return false;
    throw error;
  }
}

/** The error for a sandbox that could not be made, with the setting to change. */
export function refused(complaint: string): ForgeError {
  if (/^spawn /.test(complaint)) {
    return new ForgeError('SANDBOX_FAILED', 'the programs of the sandbox cannot be started', {
      expected: 'a store whose files are there and may be executed',
      found: complaint,
      hint: 'run it again if the store was emptied meanwhile; set XDG_CACHE_HOME if it lies on a disk mounted noexec',
    });
  }
  const forbidden = /permission|not permitted|denied|ENOSPC|No space|Invalid argument/i.test(complaint);
  return new ForgeError(
    forbidden ? 'SANDBOX_FORBIDDEN' : 'SANDBOX_FAILED',
    forbidden ? 'this machine does not allow the namespaces that the sandbox needs' : 'the sandbox could not be made',
    {
      expected: 'Linux namespaces: as root, or with unprivileged user namespaces',
      found: complaint || 'no message',
      hint: [
        'one of: run as root;',
        'sysctl -w user.max_user_namespaces=28633;',
        'sysctl -w kernel.unprivileged_userns_clone=1 (older Debian);',
        'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu);',
        'in a container: --privileged',
      ].join('\n    '),
    },
  );
}
