import type { NginxModule } from '../../libs/core/module.ts';

/** A part of nginx: profiles of its workers. nginx's configure script only knows it linked into nginx. */
export const googlePerftools: NginxModule = {
  name: 'google-perftools',
  summary: 'profiles the workers with gperftools',
  homepage: 'https://nginx.org/en/docs/ngx_google_perftools_module.html',
  source: 'nginx',
  configure: ['--with-google_perftools_module'],
  link: { default: 'static', only: true },
  objects: [],
  builder: ['libgoogle-perftools-dev'],
  smoke: {
    // A worker makes its profile when it starts, and names it by its process.
    main: 'google_perftools_profiles /tmp/smoke-google-perftools;',
    server: `
location = /smoke/google-perftools {
    if (-f /tmp/smoke-google-perftools.$pid) {
        return 200 'this worker is profiled';
    }
    return 404;
}`,
    request: { path: '/smoke/google-perftools' },
    expect: { status: 200, body: 'this worker is profiled' },
  },
};
