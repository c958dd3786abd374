import { readFile } from 'node:fs/promises';
import { hasCode } from '../core/errors.ts';

/** The state of a listening socket in proc(5)'s `net/tcp`. */
const LISTEN = '0A';

/**
 * Those of the ports (`443/tcp`, `443/udp`) on which nothing listens in the network of that process, read from proc(5)'s
 * socket tables: nothing is sent, so nothing is disturbed. All of them when the process is gone.
 */
export async function missing(pid: number, ports: readonly string[]): Promise<string[]> {
  const open = new Set<string>();
  await Promise.all(
    ['tcp', 'udp'].flatMap((protocol) =>
      [protocol, `${protocol}6`].map(async (table) => {
        for (const port of listening(await read(`/proc/${pid}/net/${table}`), protocol)) open.add(port);
      }),
    ),
  );
  return ports.filter((port) => !open.has(port));
}

/** The ports of one table: for TCP the listening ones, for UDP the bound ones. */
export function listening(table: string, protocol: string): string[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => protocol === 'udp' || fields[3] === LISTEN)
    .flatMap((fields) => {
      const port = /:([0-9A-F]{4})$/.exec(fields[1] ?? '')?.[1];
      return port === undefined ? [] : [`${Number.parseInt(port, 16)}/${protocol}`];
    });
}

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EINVAL')) return '';
    throw error;
  });
