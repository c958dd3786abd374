import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import * as digest from '../../libs/core/digest.ts';
import * as downloads from '../../libs/store/download.ts';
import * as http from '../../libs/store/http.ts';
import * as stores from '../../libs/store/store.ts';
import { rejection } from '../support/errors.ts';
import { make as folder } from '../support/tree.ts';

const { signal } = new AbortController();
const options = { signal, maxBytes: 1000 };

/** A server of the test's own, on loopback; gives its host and what it was told of credentials, by path. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const told = new Map<string, string | undefined>();
  const server = createServer((request, response) => {
    told.set(request.url ?? '', request.headers.authorization);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, told };
}

const basic = (words: string): string => `Basic ${Buffer.from(words).toString('base64')}`;

test('a user name and password are sent to their origin, and nowhere else', async () => {
  const other = await serve((_request, response) => void response.end('other'));
  const { host, told } = await serve((request, response) => {
    if (request.url === '/here') response.writeHead(302, { location: '/file' }).end();
    else if (request.url === '/away') response.writeHead(302, { location: `http://us:er@${other.host}/file` }).end();
    else response.end('mine');
  });
  expect(await text(await http.get(`http://user:s%40cret@${host}/here`, options))).toBe('mine');
  expect(told.get('/here')).toBe(basic('user:s@cret'));
  expect(told.get('/file')).toBe(basic('user:s@cret'));
  expect(await http.exists(`http://100%@${host}/file`, signal)).toBe(true);
  expect(told.get('/file')).toBe(basic('100%:'));
  expect(await text(await http.get(`http://user:secret@${host}/away`, options))).toBe('other');
  expect(other.told.get('/file')).toBeUndefined();
  await text(await http.get(`http://${host}/file`, options));
  expect(told.get('/file')).toBeUndefined();
});

test.each<[string, (response: ServerResponse) => void]>([
  ['a status', (response) => void response.writeHead(404).end()],
  ['a redirect that is refused', (response) => void response.writeHead(302, { location: 'ftp://u:secret@a/' }).end()],
  [
    'a redirect to what is no URL',
    (response) => void response.writeHead(302, { location: 'http://u:secret@[/' }).end(),
  ],
  ['a redirect without end', (response) => void response.writeHead(302, { location: '/' }).end()],
  ['too much', (response) => void response.end('x'.repeat(2000))],
  ['too little', (response) => void response.end('x')],
  ['other bytes', (response) => void response.end('y'.repeat(1000))],
])('no message names them: %s', async (_name, answer) => {
  const { host } = await serve((_request, response) => answer(response));
  const store = await stores.open(folder());
  const file = { name: 'file', sha256: digest.of('z'), size: 1000, urls: [`http://user:secret@${host}/file`] };
  const error = await rejection(
    downloads.begin(store, [file], { signal, concurrency: 1, onBytes: () => undefined }).all,
  );
  const words = `${error.message} ${error.expected} ${error.found} ${error.hint}`;
  expect(words).toContain(host);
  expect(words).not.toContain('secret');
});

test.each(['http://[', 'http://999.999.999.999/', 'http://a:99999999/'])(
  'a redirect to %s: the next mirror',
  async (location) => {
    const { host } = await serve((_request, response) => void response.writeHead(302, { location }).end());
    expect((await rejection(http.get(`http://${host}/`, options))).code).toBe('HTTP_REDIRECT');
  },
);

test('what is no URL is said, without its credentials', async () => {
  const error = await rejection(http.get('http://user:secret@[/', options));
  expect(error).toMatchObject({ code: 'URL_INVALID', message: 'http://[/: not a URL' });
});

test.each([
  ['http://a.test/x?y#z', 'http://a.test/x?y#z'],
  ['http://user:secret@a.test/x@y', 'http://a.test/x@y'],
  ['http:user:secret@a.test/', 'http://a.test/'],
  ['//user:p@ss@a.test/', '//a.test/'],
  ['/a@b', '/a@b'],
])('%s is shown as %s', (url, expected) => {
  expect(http.shown(url)).toBe(expected);
});
