import type { NginxModule } from '../../libs/core/module.ts';

/**
 * DNS asked again for the servers of an upstream. It replaces the directive `server`, for which it must come before nginx's own
 * module, and its configure script can only arrange that for what is linked into nginx. Debian has no package of it.
 */
export const upstreamDynamicServers: NginxModule = {
  name: 'upstream-dynamic-servers',
  summary: 'asks DNS again for the servers of an upstream, while nginx runs',
  homepage: 'https://github.com/GUI/nginx-upstream-dynamic-servers',
  source: {
    git: 'https://github.com/GUI/nginx-upstream-dynamic-servers.git',
    commit: '4bb92db2d6f4bfcfbee9357f06bcaf3f66de9a85',
    version: '4bb92db2d6f4',
  },
  link: { default: 'static', only: true },
  objects: [],
  smoke: {
    // nginx itself does not start where a server has no address; the module takes such a server for down.
    http: `
resolver 127.0.0.1:8809;
upstream smoke_upstream_dynamic_servers {
    server upstream-dynamic-servers.invalid:8808 resolve;
    server 127.0.0.1:8808 backup;
}
server {
    listen 127.0.0.1:8808;
    return 200 'from the server that has an address';
}`,
    server: `
location = /smoke/upstream-dynamic-servers {
    proxy_pass http://smoke_upstream_dynamic_servers;
}`,
    request: { path: '/smoke/upstream-dynamic-servers' },
    expect: { status: 200, body: 'from the server that has an address' },
  },
};
