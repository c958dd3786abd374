import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import cacache from 'cacache';
import { onTestFinished } from 'vitest';
import type { Project } from './project.ts';
import { warmDownloads } from './stores.ts';

/** How a file is served: as it is; not at all; with other bytes; cut; its first half, and then nothing more. */
export type Answer = 'whole' | 'missing' | 'wrong' | 'cut' | 'stalled';

export interface Mirror {
  /** The setting that makes it the only place of the project's files. */
  readonly env: { readonly H3FORGE_DEBIAN_MIRROR: string };
  /** The paths that were asked for, in that order. */
  readonly requests: string[];
}

interface Pinned {
  archive: string;
  path: string;
  sha256: string;
}

const LOCKS = ['debian', 'tools'].map((name) => `nginx-quic/locks/${name}.json`);
/** An archive that no machine has among its apt sources, so that only the setting says where it lies. */
const ARCHIVE = 'test';

/**
 * A mirror on this machine, made of the warm store's downloads, and the project's locks changed so that it is the only
 * place for every file: nothing is asked of the network. Digests in the locks stay, and so do all keys of the store.
 */
export async function mirror(project: Project, answer: (path: string) => Answer = () => 'whole'): Promise<Mirror> {
  const downloads = await warmDownloads();
  const files = new Map<string, string>();
  for (const lock of LOCKS) {
    eachFile(project, lock, (file) => {
      file.path = `${file.archive}/${file.path}`;
      file.archive = ARCHIVE;
      files.set(`/${file.path}`, file.sha256);
    });
  }
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    requests.push(path);
    // The same files again below other folders: a second mirror.
    const sha256 = files.get(path) ?? files.get(path.replace(/^\/[^/]+/, ''));
    const how = answer(path);
    if (sha256 === undefined || how === 'missing') response.writeHead(404).end();
    else send(response, await cacache.get.byDigest(downloads, integrity(sha256)), how);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { requests, env: { H3FORGE_DEBIAN_MIRROR: `${ARCHIVE}=http://127.0.0.1:${port}/` } };
}

/** The setting for a mirror that nobody is at. */
export async function nobody(): Promise<Mirror['env'] & { readonly url: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  server.close();
  await once(server, 'close');
  return { url, H3FORGE_DEBIAN_MIRROR: `${ARCHIVE}=${url}` };
}

/** Changes every pinned file of a lock. */
export function eachFile(project: Project, lock: string, change: (file: Pinned) => void): void {
  project.edit(lock, (text) =>
    JSON.stringify(
      JSON.parse(text, (_key, value: unknown) => {
        if (typeof value === 'object' && value !== null && 'sha256' in value) change(value as unknown as Pinned);
        return value;
      }),
      (key, value: unknown) => (key === 'archives' ? {} : value),
    ),
  );
}

function send(response: ServerResponse, bytes: Buffer, how: Answer): void {
  const half = bytes.subarray(0, bytes.length >> 1);
  if (how === 'stalled') {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(half);
    return;
  }
  // A cut answer says that it is whole: only the digest and the size in the lock tell.
  if (how === 'cut') response.end(half);
  else response.end(how === 'wrong' ? Buffer.alloc(bytes.length, 1) : bytes);
}

const integrity = (hex: string): string => `sha256-${Buffer.from(hex, 'hex').toString('base64')}`;
