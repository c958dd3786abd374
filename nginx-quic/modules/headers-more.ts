import type { NginxModule } from '../../libs/core/module.ts';

/** Sets and clears any header, `Server` too, for every status. */
export const headersMore: NginxModule = {
  name: 'headers-more',
  summary: 'sets and clears any header of a request or answer',
  homepage: 'https://github.com/openresty/headers-more-nginx-module',
  source: { debian: 'libnginx-mod-http-headers-more-filter' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_headers_more_filter_module.so'],
  packages: ['libnginx-mod-http-headers-more-filter'],
  smoke: {
    // add_header would add a second Server, and none to a 404.
    server: `
location = /smoke/headers-more {
    more_set_headers 'Server: headers-more';
    return 404;
}`,
    request: { path: '/smoke/headers-more' },
    expect: { status: 404, headers: { server: 'headers-more' } },
  },
};
