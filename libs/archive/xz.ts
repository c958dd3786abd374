import { addAbortSignal, Readable } from 'node:stream';
import { execa } from 'execa';
import { ForgeError } from '../core/errors.ts';

/**
 * Makes the uncompressed bytes of an .xz stream. An error of the stream becomes one of the result; giving the result up
 * closes the stream.
 */
export type Xz = (packed: Readable) => Readable;

/** How many bytes of xz's complaint are kept. */
const COMPLAINT = 1000;

/**
 * A decoder by the program `xz`, one process for each stream, so that several work beside this one. `argv` are the words
 * that start the program, before its options: those of a Debian root begin with the root's own loader. Data that cannot be
 * decompressed is an error with xz's message; a program that cannot run is `XZ_FAILED`. No process outlives its result or
 * the signal.
 */
export const program =
  (argv: readonly string[], signal: AbortSignal): Xz =>
  (packed) => {
    const [file = '', ...args] = argv;
    // One thread each: with more, xz keeps whole blocks in memory; the other processors have other streams to work on.
    const child = execa(file, [...args, '--decompress', '--stdout', '--threads=1'], {
      stdio: 'pipe',
      env: {},
      extendEnv: false,
      buffer: { stdout: false, stderr: true },
      maxBuffer: COMPLAINT,
      reject: false,
      killSignal: 'SIGKILL',
    });
    const { stdin, stdout } = child;
    const result = new Readable({
      read: () => void stdout.resume(),
      destroy: (error, done) => {
        packed.destroy();
        stdout.destroy();
        child.kill();
        void child.then(() => done(error));
      },
    });
    stdout.on('data', (chunk: Buffer) => {
      if (!result.push(chunk)) stdout.pause();
    });
    packed.once('error', (error) => void result.destroy(error));
    // A source that was only closed is one that ends too early.
    packed.once('close', () => void stdin.end());
    // Why xz took no more it tells by its exit.
    stdin.on('error', () => undefined);
    packed.pipe(stdin);
    void child.then((ended) => {
      if (!ended.failed) result.push(null);
      else if (ended.exitCode === 1) result.destroy(new Error(ended.stderr.trim()));
      else result.destroy(failed(ended.stderr.trim() || (ended.shortMessage ?? '')));
    });
    return addAbortSignal(signal, result);
  };

const failed = (found: string): ForgeError =>
  new ForgeError('XZ_FAILED', 'the program that decompresses packages does not run', {
    expected: 'a store whose files are there and may be executed',
    found,
    hint: 'run it again if the store was emptied meanwhile; set XDG_CACHE_HOME if it lies on a disk mounted noexec',
  });
