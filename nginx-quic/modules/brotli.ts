import type { NginxModule } from '../../libs/core/module.ts';

/** Brotli compression: of answers as they are made, and of files that were compressed before. */
export const brotli: NginxModule = {
  name: 'brotli',
  summary: 'compresses answers with Brotli, and serves .br files',
  homepage: 'https://github.com/google/ngx_brotli',
  source: { debian: 'libnginx-mod-http-brotli' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_brotli_filter_module.so', 'ngx_http_brotli_static_module.so'],
  builder: ['libbrotli-dev'],
  packages: ['libnginx-mod-http-brotli-filter', 'libnginx-mod-http-brotli-static'],
  smoke: {
    // The file has no .br beside it, so the filter must answer; the other directive is the static module's.
    server: `
location = /smoke/brotli {
    alias /smoke/brotli.txt;
    default_type text/plain;
    brotli on;
    brotli_min_length 20;
    brotli_types text/plain;
    brotli_static on;
}`,
    files: { 'brotli.txt': 'compress me, '.repeat(100) },
    request: { path: '/smoke/brotli', headers: { 'Accept-Encoding': 'br' } },
    expect: { status: 200, headers: { 'content-encoding': 'br' } },
  },
};
