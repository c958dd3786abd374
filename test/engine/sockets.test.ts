import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import * as sockets from '../../libs/engine/sockets.ts';

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 14233 1 0000000000000000
   1: 0100007F:01BB 0100007F:C350 01 00000000:00000000 00:00000000 00000000   101        0 14234 1 0000000000000000
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 14235 1 0000000000000000
`;
const udp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue
  311: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000
`;

test('of TCP the sockets that listen count, not those that are connected', () => {
  expect(sockets.listening(tcp, 'tcp')).toEqual(['80/tcp', '8080/tcp']);
});

test('of UDP every bound one counts, in tables of both families', () => {
  expect(sockets.listening(udp6, 'udp')).toEqual(['443/udp']);
  expect(sockets.listening('', 'udp')).toEqual([]);
});

test.skipIf(process.platform !== 'linux')('sockets of a process, by its own tables', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = createSocket('udp6').bind(0, '::1');
  await once(socket, 'listening');
  const open = [`${(server.address() as AddressInfo).port}/tcp`, `${socket.address().port}/udp`];
  expect(await sockets.missing(process.pid, [...open, '0/udp'])).toEqual(['0/udp']);
  server.close();
  socket.close();
});

test('a process that is gone has no open port', async () => {
  expect(await sockets.missing(2 ** 30, ['80/tcp', '443/udp'])).toEqual(['80/tcp', '443/udp']);
});
