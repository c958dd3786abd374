import type { Recipe } from '../libs/core/recipe.ts';
import { debian } from './channels/debian.ts';

/** The image that `npm run build-image` makes: nginx with HTTP/1.1, 2 and 3, TLS, TCP proxying, Lua, and nothing else. */
const recipe: Recipe = {
  name: 'nginx-quic',
  platform: 'linux/amd64',
  channel: debian,

  cflags: [
    '-O2',
    '-g0',
    '-fstack-protector-strong',
    '-fstack-clash-protection',
    '-fcf-protection',
    '-D_FORTIFY_SOURCE=3',
    '-Wformat',
    '-Werror=format-security',
  ],
  ldflags: ['-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack', '-Wl,--as-needed'],

  luajit: {
    PREFIX: '/usr',
    MULTILIB: 'lib/x86_64-linux-gnu',
    // Only the shared library: the mixed mode compiles every file twice.
    BUILDMODE: 'dynamic',
  },

  nginx: {
    configure: [
      '--prefix=/etc/nginx',
      '--sbin-path=/usr/sbin/nginx',
      '--modules-path=/usr/lib/nginx/modules',
      '--conf-path=/etc/nginx/nginx.conf',
      '--error-log-path=stderr',
      '--http-log-path=/dev/stdout',
      '--pid-path=/run/nginx.pid',
      '--lock-path=/run/nginx.lock',
      '--http-client-body-temp-path=/var/cache/nginx/client',
      '--http-proxy-temp-path=/var/cache/nginx/proxy',
      '--http-fastcgi-temp-path=/var/cache/nginx/fastcgi',
      '--http-uwsgi-temp-path=/var/cache/nginx/uwsgi',
      '--http-scgi-temp-path=/var/cache/nginx/scgi',
      '--user=nginx',
      '--group=nginx',
      '--with-compat',
      '--with-pcre',
      '--with-pcre-jit',
      '--with-threads',
      '--with-file-aio',
      '--with-http_ssl_module',
      '--with-http_v2_module',
      '--with-http_v3_module',
      '--with-http_realip_module',
      '--with-http_stub_status_module',
      '--with-http_auth_request_module',
      '--with-http_gzip_static_module',
      '--with-http_gunzip_module',
      '--with-http_sub_module',
      '--with-http_slice_module',
      '--with-http_secure_link_module',
      '--with-http_addition_module',
    ],
  },
  modules: [{ name: 'stream' }, { name: 'ndk' }, { name: 'lua' }],
  lua: [],
  openssl: 'suite',
  packages: [],
  require: {},

  programs: ['/usr/sbin/nginx'],
  data: {},
  timezones: 'none',

  user: { name: 'nginx', uid: 101, gid: 101 },
  users: [],
  // Engines give a tmpfs the mode of the folder it covers, and root as its owner.
  writable: { '/run': 0o1777 },
  mountPoints: ['/etc/nginx/tls'],
  files: 'rootfs',

  image: {
    entrypoint: ['/usr/sbin/nginx'],
    command: ['-g', 'daemon off;'],
    env: { PATH: '/usr/sbin:/usr/bin' },
    ports: ['80/tcp', '443/tcp', '443/udp'],
    stopSignal: 'SIGQUIT',
    workingDir: '/',
    labels: {
      'org.opencontainers.image.title': 'nginx-quic',
      'org.opencontainers.image.description': 'nginx with HTTP/3',
      'org.opencontainers.image.licenses': 'BSD-2-Clause AND MIT',
    },
  },
};

export default recipe;
