import type { NginxModule } from '../../libs/core/module.ts';

/** A part of nginx: proxying of TCP and UDP. */
export const stream: NginxModule = {
  name: 'stream',
  summary: 'proxies TCP and UDP, with TLS, by the name that a TLS client asks for',
  homepage: 'https://nginx.org/en/docs/stream/ngx_stream_core_module.html',
  source: 'nginx',
  configure: [
    '--with-stream',
    '--with-stream_ssl_module',
    '--with-stream_ssl_preread_module',
    '--with-stream_realip_module',
  ],
  link: { default: 'static' },
  objects: ['ngx_stream_module.so'],
  packages: ['libnginx-mod-stream'],
  smoke: {
    // nginx allows one stream block, so no other module of the catalogue has one in its smoke.
    main: `
stream {
    server {
        listen 127.0.0.1:8801;
        proxy_pass 127.0.0.1:8802;
    }
}`,
    http: `
server {
    listen 127.0.0.1:8802;
    return 200 'behind a TCP proxy on port $server_port';
}`,
    server: `
location = /smoke/stream {
    proxy_pass http://127.0.0.1:8801;
}`,
    request: { path: '/smoke/stream' },
    expect: { status: 200, body: 'behind a TCP proxy on port 8802' },
  },
};
