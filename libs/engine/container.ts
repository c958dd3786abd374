import { chownSync, closeSync, openSync } from 'node:fs';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mount } from '../core/command.ts';
import { ForgeError, hasCode } from '../core/errors.ts';
import * as bubblewrap from '../sandbox/bubblewrap.ts';
import type { Network } from '../sandbox/network.ts';
import { type Exit, type Isolated, spawn } from '../sandbox/process.ts';
import * as tools from '../sandbox/tools.ts';
import * as sockets from './sockets.ts';

/** What a container is told to run; the names are those of the OCI image configuration. */
export interface ContainerConfig {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly stopSignal: NodeJS.Signals;
  /** `443/udp`: waited for before the container counts as ready. */
  readonly ports: readonly string[];
}

export interface ContainerOptions {
  readonly network: Network;
  /** Bind mounts and tmpfs over the read-only root. */
  readonly mounts: readonly Mount[];
  /** Where standard output and error go. */
  readonly log: string;
  readonly signal: AbortSignal;
  /** Milliseconds until every port must be open. */
  readonly patience: number;
}

/** A running container. Disposing of it ends it at once; `stop` lets it finish. */
export interface Container extends AsyncDisposable {
  /** Process 1 of the container, as this machine counts; undefined where it had ended before anybody looked. */
  readonly pid: number | undefined;
  /** What it wrote to standard output and error so far. */
  log(): Promise<string>;
  /** Sends the stop signal and waits; after `ms` milliseconds it is killed, which the result then shows. */
  stop(ms: number): Promise<Exit>;
}

/**
 * Runs a root file system (an unpacked image) as a container: own pid, mount, ipc and host name namespaces, the given
 * network, a read-only root, no capability, no new privileges, the image's user, and its entry point as process 1.
 * As root the process really has the image's uid; otherwise that uid is what it sees in a user namespace.
 * Throws `CONTAINER_EXITED` or `CONTAINER_NOT_READY` with the last lines of its log.
 */
export async function start(
  kit: tools.Tools,
  root: string,
  config: ContainerConfig,
  options: ContainerOptions,
): Promise<Container> {
  for (const path of bubblewrap.mountPoints(options.mounts)) await makeMountPoint(root, path);
  const log = openSync(options.log, 'a', 0o600);
  let child: Isolated;
  try {
    // The image's user must be able to open /dev/stdout, which is this file.
    if (kit.root) chownSync(options.log, config.user.uid, config.user.gid);
    child = spawn([...options.network.join, ...argv(kit, root, config, options.mounts)], {
      signal: options.signal,
      output: log,
      guarded: kit.root,
    });
  } finally {
    closeSync(log);
  }
  const lines = (): Promise<string> => readFile(options.log, 'utf8');
  const pid = await child.pid.catch(async (error: unknown) => {
    if (error instanceof ForgeError && error.found === 'no message') {
      throw new ForgeError(error.code, error.message, { found: await lines(), hint: error.hint ?? '' });
    }
    throw error;
  });
  const container: Container = {
    pid,
    log: lines,
    async stop(ms) {
      if (pid !== undefined) tell(pid, config.stopSignal);
      const timer = setTimeout(() => child.kill(), ms);
      const exit = await child.exited;
      clearTimeout(timer);
      return exit;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
  try {
    await ready(container, child, config, options);
    return container;
  } catch (error) {
    await container[Symbol.asyncDispose]();
    throw error;
  }
}

/** Makes a folder to mount on, never by way of a link: the image's links may lead anywhere on this machine. */
async function makeMountPoint(root: string, path: string): Promise<void> {
  let place = root;
  for (const name of path.split('/').filter((part) => part !== '')) {
    place = join(place, name);
    await mkdir(place).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
    if (!(await lstat(place)).isDirectory()) {
      throw new ForgeError('MOUNT_POINT_UNSAFE', `${path} cannot be mounted on: the image has a link or a file there`);
    }
  }
}

/** Waits until all ports are open, which for nginx is when its configuration was good and its sockets are bound. */
async function ready(
  container: Container,
  child: Isolated,
  config: ContainerConfig,
  options: ContainerOptions,
): Promise<void> {
  const deadline = performance.now() + options.patience;
  let exit: Exit | undefined;
  void child.exited.then((value) => {
    exit = value;
  });
  for (;;) {
    options.signal.throwIfAborted();
    const missing = container.pid === undefined ? config.ports : await sockets.missing(container.pid, config.ports);
    if (missing.length === 0) return;
    if (exit !== undefined) {
      throw new ForgeError('CONTAINER_EXITED', `the container ended with ${exit.signal ?? `status ${exit.exitCode}`}`, {
        expected: `${config.ports.join(', ')} open`,
        found: `its last lines:\n${tail(await container.log())}`,
      });
    }
    if (performance.now() > deadline) {
      throw new ForgeError('CONTAINER_NOT_READY', `not open after ${options.patience} ms: ${missing.join(', ')}`, {
        expected: `${config.ports.join(', ')} open`,
        found: `its last lines:\n${tail(await container.log())}`,
      });
    }
    await sleep(10);
  }
}

/** Sends a signal to a process that may have ended. */
function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

const tail = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(-10)
    .map((line) => `    ${line}`)
    .join('\n');

/** The words that start it, after those that join the network. */
function argv(kit: tools.Tools, root: string, config: ContainerConfig, mounts: readonly Mount[]): string[] {
  const words = [...config.entrypoint, ...config.command];
  const common = { env: config.env, hostname: 'container', ownNetwork: false, asPid1: true };
  const start = tools.program(kit, tools.paths.bubblewrap);
  if (!kit.root) {
    return [
      ...start,
      ...bubblewrap.args({ ...common, root, mounts, cwd: config.workingDir, user: config.user, capabilities: [] }),
      ...words,
    ];
  }
  // Bubblewrap gives a process another uid only by a user namespace, in which every file would seem to be that user's.
  // So it mounts the container's root below the tools' root, and unshare(1) there does chroot, setgid and setuid.
  const prefix = tools.paths.mountPoint;
  return [
    ...start,
    ...bubblewrap.guard,
    ...start,
    ...bubblewrap.args({
      ...common,
      root: kit.dir,
      mounts: [
        { kind: 'bind', source: root, target: prefix, readOnly: true },
        ...mounts.map((mount) => ({ ...mount, target: `${prefix}${mount.target}` })),
      ],
      cwd: '/',
      capabilities: ['CAP_SYS_CHROOT', 'CAP_SETUID', 'CAP_SETGID'],
      prefix,
    }),
    tools.paths.unshare,
    `--root=${prefix}`,
    `--wd=${config.workingDir}`,
    `--setgid=${config.user.gid}`,
    `--setuid=${config.user.uid}`,
    '--',
    ...words,
  ];
}
