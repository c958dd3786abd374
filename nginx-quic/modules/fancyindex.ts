import type { NginxModule } from '../../libs/core/module.ts';

/** Listings of folders with a header, a footer, and sorting. */
export const fancyindex: NginxModule = {
  name: 'fancyindex',
  summary: 'lists folders with headers, footers and sorting by column',
  homepage: 'https://github.com/aperezdc/ngx-fancyindex',
  source: { debian: 'libnginx-mod-http-fancyindex' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_fancyindex_module.so'],
  packages: ['libnginx-mod-http-fancyindex'],
  smoke: {
    // autoindex has neither a table nor links to sort by.
    server: `
location /smoke/fancyindex/ {
    root /;
    fancyindex on;
}`,
    files: { 'fancyindex/listed.txt': 'a file to list' },
    request: { path: '/smoke/fancyindex/' },
    expect: { status: 200, body: 'class="link"><a href="listed.txt"' },
  },
};
