import type { NginxModule } from '../../libs/core/module.ts';

/** Caches answers in whatever a subrequest can reach: memcached, Redis, files. */
export const srcache: NginxModule = {
  name: 'srcache',
  summary: 'caches answers in any store that a subrequest reaches',
  homepage: 'https://github.com/openresty/srcache-nginx-module',
  source: { debian: 'libnginx-mod-http-srcache-filter' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_srcache_filter_module.so'],
  packages: ['libnginx-mod-http-srcache-filter'],
  smoke: {
    server: `
location = /smoke/srcache {
    srcache_fetch GET /smoke/srcache/stored;
}
location = /smoke/srcache/stored {
    internal;
    alias /smoke/srcache.http;
}`,
    // What is stored is a whole answer; its header becomes that of this one.
    files: { 'srcache.http': 'HTTP/1.1 200 OK\r\nX-Smoke-Srcache: stored\r\n\r\nit was stored' },
    request: { path: '/smoke/srcache' },
    expect: { status: 200, headers: { 'x-smoke-srcache': 'stored' }, body: 'it was stored' },
  },
};
