import type { NginxModule } from '../../libs/core/module.ts';

/** The servers of an upstream, listed and changed by HTTP. Debian has no package of it. */
export const dynamicUpstream: NginxModule = {
  name: 'dynamic-upstream',
  summary: 'lists, adds and removes servers of an upstream by HTTP',
  homepage: 'https://github.com/cubicdaiya/ngx_dynamic_upstream',
  source: {
    git: 'https://github.com/cubicdaiya/ngx_dynamic_upstream.git',
    commit: 'cc5dac336d48ce184004c9dd93fce39af896587f',
    version: 'cc5dac336d48',
  },
  link: { default: 'dynamic' },
  objects: ['ngx_dynamic_upstream_module.so'],
  smoke: {
    // Nothing listens on these ports: the servers are only listed.
    http: `
upstream smoke_dynamic_upstream {
    zone smoke_dynamic_upstream 128k;
    server 127.0.0.1:8806;
    server 127.0.0.1:8807;
}`,
    server: `
location = /smoke/dynamic-upstream {
    dynamic_upstream;
}
location = /smoke/dynamic-upstream/used {
    proxy_pass http://smoke_dynamic_upstream;
}`,
    request: { path: '/smoke/dynamic-upstream?upstream=smoke_dynamic_upstream' },
    expect: { status: 200, body: 'server 127.0.0.1:8807;' },
  },
};
