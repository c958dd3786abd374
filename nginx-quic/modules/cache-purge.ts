import type { NginxModule } from '../../libs/core/module.ts';

/** Removes entries from nginx's caches on request. */
export const cachePurge: NginxModule = {
  name: 'cache-purge',
  summary: "removes answers from nginx's proxy, FastCGI, SCGI and uwsgi caches",
  homepage: 'https://github.com/nginx-modules/ngx_cache_purge',
  source: { debian: 'libnginx-mod-http-cache-purge' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_cache_purge_module.so'],
  packages: ['libnginx-mod-http-cache-purge'],
  smoke: {
    // Only what is cached can be purged: the subrequest of auth_request caches it first.
    http: `
proxy_cache_path /tmp/smoke-cache-purge keys_zone=smoke_cache_purge:1m;
server {
    listen 127.0.0.1:8803;
    return 200 'to be cached';
}`,
    server: `
location = /smoke/cache-purge {
    auth_request /smoke/cache-purge/fill;
    proxy_cache_purge smoke_cache_purge smoke;
}
location = /smoke/cache-purge/fill {
    proxy_pass http://127.0.0.1:8803;
    proxy_cache smoke_cache_purge;
    proxy_cache_key smoke;
    proxy_cache_valid 1m;
}`,
    request: { path: '/smoke/cache-purge' },
    // 2.5 says "Successful purge", 3.0 "Status: purged"; a miss is a 404 or 412 of both.
    expect: { status: 200, body: 'purge' },
  },
};
