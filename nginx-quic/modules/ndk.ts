import type { NginxModule } from '../../libs/core/module.ts';

/** What several other modules are built upon; of its own it only has `upstream_list`. */
export const ndk: NginxModule = {
  name: 'ndk',
  summary: 'a kit that other modules are built upon',
  homepage: 'https://github.com/vision5/ngx_devel_kit',
  source: { debian: 'libnginx-mod-http-ndk' },
  link: { default: 'static' },
  objects: ['ndk_http_module.so'],
  // As Debian compiles it; the switch is off otherwise.
  cflags: ['-DNDK_UPSTREAM_LIST'],
  packages: ['libnginx-mod-http-ndk'],
  smoke: {
    // The directive is its own: without the module nginx does not start.
    http: 'upstream_list smoke_ndk one two;',
    server: `
location = /smoke/ndk {
    return 200 'the kit is there';
}`,
    request: { path: '/smoke/ndk' },
    expect: { status: 200, body: 'the kit is there' },
  },
};
