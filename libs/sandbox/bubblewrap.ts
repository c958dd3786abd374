import type { Mount } from '../core/command.ts';

/** What bubblewrap is asked for; bwrap(1) has the meaning of each. */
export interface Isolation {
  /** The host folder that becomes `/`. */
  readonly root: string;
  /** Laid over the root, in this order. */
  readonly mounts: readonly Mount[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hostname: string;
  /** A network namespace of its own with only `lo`; false keeps the one that the caller is in. */
  readonly ownNetwork: boolean;
  /** The user in a new user namespace; absent where the caller is root and stays root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Capabilities that are kept (`CAP_SETUID`); all others are dropped. */
  readonly capabilities: readonly string[];
  /** Run the program itself as process 1 instead of below bubblewrap's small init. */
  readonly asPid1: boolean;
  /** Where `/proc` and `/dev` go; `''` for the root itself. */
  readonly prefix?: string;
}

/** The file descriptor on which bubblewrap tells the child's pid and exit status. */
export const STATUS_FD = 3;

/** The arguments of `bwrap` for that isolation, up to and without the command. The root is always read-only. */
export function args(isolation: Isolation): string[] {
  const prefix = isolation.prefix ?? '';
  return [
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    ...(isolation.ownNetwork ? ['--unshare-net'] : []),
    ...(isolation.user === undefined
      ? []
      : ['--unshare-user', '--uid', String(isolation.user.uid), '--gid', String(isolation.user.gid)]),
    '--die-with-parent',
    '--new-session',
    ...(isolation.asPid1 ? ['--as-pid-1'] : []),
    '--json-status-fd',
    String(STATUS_FD),
    ...['--hostname', isolation.hostname],
    '--clearenv',
    ...Object.entries(isolation.env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--ro-bind', isolation.root, '/'],
    ...isolation.mounts.filter(({ target }) => target === (prefix || undefined)).flatMap(mount),
    ...['--proc', `${prefix}/proc`],
    // Without a user namespace uid 0 owns the kernel's settings (one of them names a program that the kernel runs as
    // root outside), and needs no capability to write most of them.
    ...(isolation.user === undefined ? ['--ro-bind', '/proc/sys', `${prefix}/proc/sys`] : []),
    ...['--dev', `${prefix}/dev`],
    ...isolation.mounts.filter(({ target }) => target !== (prefix || undefined)).flatMap(mount),
    ...['--chdir', isolation.cwd],
    ...['--cap-drop', 'ALL'],
    ...isolation.capabilities.flatMap((name) => ['--cap-add', name]),
    '--',
  ];
}

/**
 * The arguments of a `bwrap` around another one that runs as root and changes its user: the kernel then forgets that the
 * process is to die with its parent. This one keeps its user and its promise, and when process 1 of its pid namespace is
 * killed, so is all that is in it. Nothing else is changed.
 */
export const guard: readonly string[] = [
  ...['--unshare-pid', '--die-with-parent'],
  ...['--dev-bind', '/', '/'],
  // The inner one looks processes up by numbers of this namespace.
  ...['--proc', '/proc'],
  '--',
];

function mount(item: Mount): string[] {
  if (item.kind === 'tmpfs') {
    return [...(item.mode === undefined ? [] : ['--perms', item.mode.toString(8)]), '--tmpfs', item.target];
  }
  return [item.readOnly ? '--ro-bind' : '--bind', item.source, item.target];
}

/** The folders that must exist in a read-only root for that isolation to be mounted. */
export const mountPoints = (mounts: readonly Mount[]): string[] => [
  '/proc',
  '/dev',
  ...mounts.map(({ target }) => target),
];
