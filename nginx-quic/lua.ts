import type { LuaLibrary } from '../libs/core/module.ts';

/**
 * Every Lua library that `--lua` knows by name, sorted by it. Debian renames those of OpenResty: what is `resty.redis` there is
 * `nginx.redis` here, and so a script must ask for it. One package may have further files below the same name.
 */
export const lua: readonly LuaLibrary[] = [
  { name: 'cjson', summary: 'reads and writes JSON, fast', package: 'lua-cjson' },
  { name: 'nginx.cookie', summary: 'reads and sets cookies', package: 'lua-nginx-cookie' },
  { name: 'nginx.dns.resolver', summary: 'asks DNS servers', package: 'lua-nginx-dns' },
  { name: 'nginx.kafka.producer', summary: 'sends messages to Kafka', package: 'lua-nginx-kafka' },
  { name: 'nginx.memcached', summary: 'client of memcached', package: 'lua-nginx-memcached' },
  { name: 'nginx.redis', summary: 'client of Redis and Valkey', package: 'lua-nginx-redis' },
  {
    name: 'nginx.redis.connector',
    summary: 'connects to Redis by URL, and by way of sentinels',
    package: 'lua-nginx-redis-connector',
    requires: ['nginx.redis'],
  },
  {
    name: 'nginx.string',
    summary: 'strings to hexadecimal and back; beside it nginx.sha256, nginx.aes and others',
    package: 'lua-nginx-string',
  },
  {
    name: 'nginx.websocket.server',
    summary: 'serves WebSocket; beside it nginx.websocket.client',
    package: 'lua-nginx-websocket',
  },
];
