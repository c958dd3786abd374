import * as bubblewrap from './bubblewrap.ts';
import * as lines from './lines.ts';
import { refused, spawn } from './process.ts';
import * as tools from './tools.ts';

/** A network namespace with only `lo`, which is up. It lives until disposed of, or until this process ends. */
export interface Network extends AsyncDisposable {
  /** Words that, put before a command, run it in this network. */
  readonly join: readonly string[];
}

/**
 * Makes a network of its own for a container and its probes, as a pod has one. As in a container of Docker's, any user may
 * listen on any port (`net.ipv4.ip_unprivileged_port_start=0`).
 */
export async function isolate(kit: tools.Tools, signal: AbortSignal): Promise<Network> {
  const script = 'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start && echo ready; read _';
  const holder = spawn(
    [
      ...tools.program(kit, tools.paths.bubblewrap),
      '--unshare-net',
      ...(kit.root ? [] : ['--unshare-user', '--uid', '0', '--gid', '0']),
      ...['--cap-drop', 'ALL', '--cap-add', 'CAP_NET_ADMIN'],
      '--die-with-parent',
      ...['--json-status-fd', String(bubblewrap.STATUS_FD)],
      ...['--dev-bind', '/', '/'],
      '--',
      ...tools.program(kit, tools.paths.shell),
      '-c',
      script,
    ],
    { signal, holdInput: true },
  );
  let first = '';
  for await (const line of lines.of(holder.output())) {
    first = line;
    break;
  }
  const pid = await holder.pid;
  if (first !== 'ready' || pid === undefined) {
    holder.kill();
    throw refused(first);
  }
  return {
    join: [
      ...tools.program(kit, tools.paths.nsenter),
      `--target=${pid}`,
      '--net',
      ...(kit.root ? [] : ['--user', '--preserve-credentials']),
      '--',
    ],
    async [Symbol.asyncDispose]() {
      holder.kill();
      await holder.exited;
    },
  };
}
