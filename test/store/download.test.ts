import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import * as downloads from '../../libs/store/download.ts';
import * as stores from '../../libs/store/store.ts';
import { rejection } from '../support/errors.ts';
import { make as folder } from '../support/tree.ts';

const content = randomBytes(300_000);
const sha256 = digest.fromHex(createHash('sha256').update(content).digest('hex'));
const signal = new AbortController().signal;

/** A server of the test's own, on loopback. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address on which nothing listens any more. */
async function closed(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

const whole = (_request: IncomingMessage, response: ServerResponse): void => {
  response.end(content);
};

async function fetch(store: stores.Store, ...urls: string[]): Promise<void> {
  const file = { name: 'file', sha256, size: content.length, urls };
  await downloads.begin(store, [file], { signal, concurrency: 2, onBytes: () => undefined }).all;
}

/** The files of the store that may be the one that was downloaded. */
const blobs = (store: stores.Store): string[] =>
  readdirSync(store.downloads, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size === content.length);

test('a file is downloaded once, and read back', async () => {
  const store = await stores.open(folder());
  let requests = 0;
  const url = await serve((request, response) => {
    requests++;
    whole(request, response);
  });
  await fetch(store, url);
  await fetch(store, url);
  expect(requests).toBe(1);
  expect((await buffer(downloads.open(store, sha256))).equals(content)).toBe(true);
});

test('progress counts every byte once, also those of a mirror that failed half-way', async () => {
  const store = await stores.open(folder());
  const broken = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100_000), () => response.destroy());
  });
  const url = await serve(whole);
  const seen: [number, number][] = [];
  const file = { name: 'file', sha256, size: content.length, urls: [broken, url] };
  const onBytes = (done: number, total: number): void => void seen.push([done, total]);
  await downloads.begin(store, [file], { signal, concurrency: 1, onBytes }).all;
  expect(seen.at(-1)).toEqual([content.length, content.length]);
});

test.each([
  ['404', (_: IncomingMessage, response: ServerResponse) => void response.writeHead(404).end()],
  ['other bytes', (_: IncomingMessage, response: ServerResponse) => void response.end(randomBytes(content.length))],
  ['not one byte', (_: IncomingMessage, response: ServerResponse) => void response.end()],
  ['too few bytes', (_: IncomingMessage, response: ServerResponse) => void response.end(content.subarray(1))],
  [
    'too many bytes',
    (_: IncomingMessage, response: ServerResponse) => void response.end(Buffer.concat([content, content])),
  ],
  [
    'a redirect to a file',
    (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  ],
  [
    'a redirect to itself',
    (_: IncomingMessage, response: ServerResponse) => void response.writeHead(302, { location: '/' }).end(),
  ],
])('a mirror that fails is passed over: %s', async (_name, answer) => {
  const store = await stores.open(folder());
  await fetch(store, await serve(answer), await serve(whole));
  expect((await buffer(downloads.open(store, sha256))).equals(content)).toBe(true);
});

test('where every mirror fails, each is named with its reason, and nothing is kept', async () => {
  const dir = folder();
  const store = await stores.open(dir);
  const missing = await serve((_request, response) => void response.writeHead(404).end());
  const short = await serve((_request, response) => void response.end('short'));
  const error = await rejection(fetch(store, missing, short, await closed()));
  expect(error.code).toBe('DOWNLOAD_FAILED');
  expect(error.found).toContain(`${missing}/: 404`);
  expect(error.found).toContain('ended after 5 of 300000 bytes');
  expect(error.found).toContain('ECONNREFUSED');
  expect(error.hint).toContain('H3FORGE_DEBIAN_MIRROR');
  await expect(buffer(downloads.open(store, sha256))).rejects.toThrow();
});

test('wrong bytes from the only mirror are a digest mismatch', async () => {
  const store = await stores.open(folder());
  const error = await rejection(
    fetch(store, await serve((_, response) => void response.end(randomBytes(content.length)))),
  );
  expect(error.code).toBe('DIGEST_MISMATCH');
  expect(error.expected).toContain(digest.hex(sha256));
});

test.each([
  ['too large', content.length + 1],
  ['too small', content.length - 1],
])('a lock with the digest of a file and a size that is %s is not believed', async (_name, size) => {
  const store = await stores.open(folder());
  const url = await serve(whole);
  const file = { name: 'file', sha256, size, urls: [url, url] };
  const attempt = (): Promise<void> =>
    downloads.begin(store, [file], { signal, concurrency: 1, onBytes: () => undefined }).all;
  const error = await rejection(attempt());
  if (size > content.length) {
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.expected).toContain(`${size} bytes`);
    expect(error.found).toContain(`${content.length} bytes`);
    expect(error.hint).toContain('npm run lock');
  } else expect(error.code).toBe('DOWNLOAD_FAILED');
  await expect(buffer(downloads.open(store, sha256))).rejects.toThrow();
  // Nor where another lock, with the right size, has brought it.
  await fetch(store, url);
  expect((await rejection(attempt())).code).toBe('DIGEST_MISMATCH');
  expect((await buffer(downloads.open(store, sha256))).equals(content)).toBe(true);
});

test('a file that is damaged after it was checked is a digest mismatch at its end, whatever was read', async () => {
  const store = await stores.open(folder());
  await fetch(store, await serve(whole));
  const [blob = ''] = blobs(store);
  const last = Buffer.from(content);
  last[content.length - 1] = (last[content.length - 1] ?? 0) ^ 1;
  writeFileSync(blob, last);
  const read: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of downloads.open(store, sha256)) read.push(chunk as Buffer);
  })();
  expect((await rejection(reading)).code).toBe('DIGEST_MISMATCH');
  expect(Buffer.concat(read).equals(last)).toBe(true);
  // In pieces, because whole files are too much when several are read at once.
  expect(read.length).toBeGreaterThan(1);
});

test('a damaged file of the store is noticed and fetched again', async () => {
  const dir = folder();
  const store = await stores.open(dir);
  const url = await serve(whole);
  await fetch(store, url);
  for (const path of blobs(store)) writeFileSync(path, randomBytes(content.length));
  expect(blobs(store)).toHaveLength(1);
  await fetch(store, url);
  expect((await buffer(downloads.open(store, sha256))).equals(content)).toBe(true);
});

test('an aborted download ends at once and leaves no file', async () => {
  const dir = folder();
  const store = await stores.open(dir);
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1000));
  });
  const controller = new AbortController();
  const file = { name: 'file', sha256, size: content.length, urls: [url] };
  const begun = downloads.begin(store, [file], {
    signal: controller.signal,
    concurrency: 1,
    onBytes: () => controller.abort(new Error('stop')),
  });
  await expect(begun.all).rejects.toThrow('stop');
  await expect(begun.ready(sha256)).rejects.toThrow('stop');
  expect(readdirSync(join(store.downloads, 'tmp'))).toEqual([]);
});
