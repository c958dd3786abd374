import type { ChosenModule, ModuleSmoke } from '../core/module.ts';
import * as expected from './expected.ts';
import type { Probe } from './types.ts';

/** Where the files of module proofs lie in the container. */
export const SMOKE = '/smoke';
/** Where the certificate and key are mounted. */
const TLS = '/etc/nginx/tls';

/** Where lua-resty-core lies, without which lua-nginx-module does not start. */
const LUA_PATH = 'lua_package_path "/etc/nginx/lua/?.lua;/usr/share/lua/5.1/?.lua;;";';

/** A module with what proves it. */
export interface Proof {
  readonly name: string;
  readonly smoke: ModuleSmoke;
}

/** The modules of a build that can be proven by a request. */
export const proofs = (modules: readonly ChosenModule[]): Proof[] =>
  modules.flatMap(({ module }) => (module.smoke === undefined ? [] : [{ name: module.name, smoke: module.smoke }]));

/** The request of every proof, over HTTP/3. */
export const probes = (all: readonly Proof[]): Probe[] =>
  all.map(({ name, smoke }) => expected.probe(`module ${name}`, { version: 'HTTP/3', ...smoke.request }, smoke.expect));

/**
 * The configuration that all proofs are asked of: every module's own lines in one nginx, so that modules which do not go
 * together are found out. `load_module` lines are those of the image.
 */
export const configuration = (all: readonly Proof[]): string => {
  const lines = (text: string | undefined, indent: string): string[] =>
    text === undefined
      ? []
      : text
          .trim()
          .split('\n')
          .map((line) => (line === '' ? '' : `${indent}${line}`));
  return [
    'include /etc/nginx/modules.d/*.conf;',
    'worker_processes 1;',
    'pid /run/nginx.pid;',
    'error_log stderr notice;',
    'events {}',
    ...all.flatMap(({ smoke }) => lines(smoke.main, '')),
    'http {',
    '    include /etc/nginx/mime.types;',
    '    access_log /dev/stdout;',
    ...(all.some(({ name }) => name === 'lua') ? [`    ${LUA_PATH}`] : []),
    ...all.flatMap(({ smoke }) => lines(smoke.http, '    ')),
    '    server {',
    '        listen 80;',
    '        listen 443 ssl;',
    '        listen 443 quic reuseport;',
    '        http2 on;',
    '        server_name localhost;',
    `        ssl_certificate ${TLS}/tls.crt;`,
    `        ssl_certificate_key ${TLS}/tls.key;`,
    ...all.flatMap(({ smoke }) => lines(smoke.server, '        ')),
    '    }',
    '}',
    '',
  ].join('\n');
};

/** The files of all proofs: path below {@link SMOKE}, and content. */
export const files = (all: readonly Proof[]): Map<string, Buffer> =>
  new Map(
    all.flatMap(({ smoke }) =>
      Object.entries(smoke.files ?? {}).map(([path, content]): [string, Buffer] => [
        path,
        typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64'),
      ]),
    ),
  );
