import type { NginxModule } from '../../libs/core/module.ts';

/**
 * Zstandard compression: of answers as they are made, and of files that were compressed before. Debian stable has no such
 * package. It takes libzstd's static archive where there is one, and Debian's cannot be linked into a shared object.
 */
export const zstd: NginxModule = {
  name: 'zstd',
  summary: 'compresses answers with Zstandard, and serves .zst files',
  homepage: 'https://github.com/tokers/zstd-nginx-module',
  source: {
    git: 'https://github.com/tokers/zstd-nginx-module.git',
    commit: 'f4ba115e0b0eaecde545e5f37db6aa18917d8f4b',
    version: '0.1.1-f4ba115',
  },
  link: { default: 'static', only: true },
  objects: ['ngx_http_zstd_filter_module.so', 'ngx_http_zstd_static_module.so'],
  builder: ['libzstd-dev'],
  packages: ['libnginx-mod-http-zstd-filter', 'libnginx-mod-http-zstd-static'],
  smoke: {
    // The file has no .zst beside it, so the filter must answer; the other directive is the static module's.
    server: `
location = /smoke/zstd {
    alias /smoke/zstd.txt;
    default_type text/plain;
    zstd on;
    zstd_min_length 20;
    zstd_types text/plain;
    zstd_static on;
}`,
    files: { 'zstd.txt': 'compress me, '.repeat(100) },
    request: { path: '/smoke/zstd', headers: { 'Accept-Encoding': 'zstd' } },
    expect: { status: 200, headers: { 'content-encoding': 'zstd' } },
  },
};
