import type { NginxModule } from '../../libs/core/module.ts';

/** Answers from the configuration itself, for tests and for joining locations. */
export const echo: NginxModule = {
  name: 'echo',
  summary: 'answers with words of the configuration, subrequests and timings',
  homepage: 'https://github.com/openresty/echo-nginx-module',
  source: { debian: 'libnginx-mod-http-echo' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_echo_module.so'],
  packages: ['libnginx-mod-http-echo'],
  smoke: {
    server: `
location = /smoke/echo {
    echo_read_request_body;
    echo_duplicate 2 'echo ';
    echo_request_body;
}`,
    request: { path: '/smoke/echo', method: 'POST', body: 'of the body' },
    expect: { status: 200, body: 'echo echo of the body' },
  },
};
