import type { NginxModule } from '../../libs/core/module.ts';

import * as geo from './mmdb.ts';

/**
 * Variables from MaxMind DB files by a client's address. The database is the user's; h3forge brings none. Its half for stream is
 * loaded but not asked, as nginx has one stream block.
 */
export const geoip2: NginxModule = {
  name: 'geoip2',
  summary: 'looks addresses up in MaxMind DB files (GeoIP2, DB-IP)',
  homepage: 'https://github.com/leev/ngx_http_geoip2_module',
  source: { debian: 'libnginx-mod-http-geoip2' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_geoip2_module.so', 'ngx_stream_geoip2_module.so'],
  builder: ['libmaxminddb-dev'],
  packages: ['libnginx-mod-http-geoip2', 'libnginx-mod-stream-geoip2'],
  requires: ['stream'],
  smoke: {
    http: `
geoip2 /smoke/geoip2.mmdb {
    $smoke_geoip2 default=none source=$http_x_smoke_address country iso_code;
}`,
    server: `
location = /smoke/geoip2 {
    return 200 'country $smoke_geoip2';
}`,
    files: { 'geoip2.mmdb': { base64: geo.halves('AA', 'ZZ').toString('base64') } },
    request: { path: '/smoke/geoip2', headers: { 'X-Smoke-Address': '192.0.2.1' } },
    expect: { status: 200, body: 'country ZZ' },
  },
};
