import type { NginxModule } from '../../libs/core/module.ts';

/**
 * The methods of WebDAV that nginx's own module lacks. Only nginx's own module makes nginx read `Depth`, and the word that turns
 * it on reaches nginx only with what is linked into it; therefore static.
 */
export const davExt: NginxModule = {
  name: 'dav-ext',
  summary: 'WebDAV methods PROPFIND, OPTIONS, LOCK and UNLOCK',
  homepage: 'https://github.com/arut/nginx-dav-ext-module',
  source: { debian: 'libnginx-mod-http-dav-ext' },
  configure: ['--with-http_dav_module'],
  link: { default: 'static', only: true },
  objects: ['ngx_http_dav_ext_module.so'],
  builder: ['libxml2-dev', 'libxslt1-dev'],
  packages: ['libnginx-mod-http-dav-ext'],
  smoke: {
    http: 'dav_ext_lock_zone zone=smoke_dav_ext:1m;',
    server: `
location = /smoke/dav-ext.txt {
    root /;
    dav_methods PUT;
    dav_ext_methods PROPFIND LOCK UNLOCK;
    dav_ext_lock zone=smoke_dav_ext;
}`,
    files: { 'dav-ext.txt': '18 bytes of WebDAV' },
    request: { path: '/smoke/dav-ext.txt', method: 'PROPFIND', headers: { Depth: '0' } },
    expect: { status: 207, body: '<D:getcontentlength>18</D:getcontentlength>' },
  },
};
