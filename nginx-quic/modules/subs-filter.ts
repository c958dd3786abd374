import type { NginxModule } from '../../libs/core/module.ts';

/**
 * Replaces texts in answers, by regular expressions too. A commit and not Debian's source: the last release knows neither
 * PCRE2 nor dynamic modules, which Debian's patches add.
 */
export const subsFilter: NginxModule = {
  name: 'subs-filter',
  summary: 'replaces texts in answers, by regular expressions too',
  homepage: 'https://github.com/yaoweibin/ngx_http_substitutions_filter_module',
  source: {
    git: 'https://github.com/yaoweibin/ngx_http_substitutions_filter_module.git',
    commit: 'e12e965ac1837ca709709f9a26f572a54d83430e',
    version: '0.6.4-2022-01-24',
  },
  link: { default: 'dynamic' },
  objects: ['ngx_http_subs_filter_module.so'],
  packages: ['libnginx-mod-http-subs-filter'],
  smoke: {
    // nginx's own sub_filter has no regular expressions.
    server: `
location = /smoke/subs-filter {
    alias /smoke/subs-filter.txt;
    default_type text/plain;
    subs_filter_types text/plain;
    subs_filter '(h[0-9])' '<$1>' r;
}`,
    files: { 'subs-filter.txt': 'from h1 by way of h2 to h3\n' },
    request: { path: '/smoke/subs-filter' },
    expect: { status: 200, body: 'from <h1> by way of <h2> to <h3>' },
  },
};
