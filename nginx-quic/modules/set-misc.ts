import type { NginxModule } from '../../libs/core/module.ts';

/** Directives that compute variables: hashes, encodings, quoting. */
export const setMisc: NginxModule = {
  name: 'set-misc',
  summary: 'variables by hashing, encoding, quoting and random numbers',
  homepage: 'https://github.com/openresty/set-misc-nginx-module',
  source: { debian: 'libnginx-mod-http-set-misc' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_set_misc_module.so'],
  packages: ['libnginx-mod-http-set-misc'],
  requires: ['ndk'],
  smoke: {
    server: `
location = /smoke/set-misc {
    set_unescape_uri $smoke_set_misc $arg_text;
    set_encode_base32 $smoke_set_misc_base32 $smoke_set_misc;
    return 200 '$smoke_set_misc is $smoke_set_misc_base32';
}`,
    request: { path: '/smoke/set-misc?text=http%2F3' },
    expect: { status: 200, body: 'http/3 is d1q78s1f6c======' },
  },
};
