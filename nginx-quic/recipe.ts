import { defineRecipe } from '../libs/core/recipe.ts';
import { debian } from './channels/debian.ts';

/** The image that `npm run build-image` makes: nginx with HTTP/1.1, 2 and 3, TLS, Lua, and nothing else. */
export default defineRecipe({
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
      '--with-stream',
      '--with-stream_ssl_module',
      '--with-stream_ssl_preread_module',
      '--with-stream_realip_module',
    ],
    modules: [{ source: 'ndk' }, { source: 'lua', needsLuajit: true }],
  },

  programs: ['/usr/sbin/nginx'],
  data: {
    '/etc/nginx/fastcgi.conf': "nginx's own, to include",
    '/etc/nginx/fastcgi_params': "nginx's own, to include",
    '/etc/nginx/mime.types': "nginx's own, included by nginx.conf",
    '/etc/nginx/scgi_params': "nginx's own, to include",
    '/etc/nginx/uwsgi_params': "nginx's own, to include",
    '/usr/lib/x86_64-linux-gnu/libgcc_s.so.1': 'libc loads it by dlopen when a thread ends',
    '/usr/share/lua/5.1/resty/core': 'lua-resty-core: the Lua side of lua-nginx-module',
    '/usr/share/lua/5.1/resty/core.lua': 'lua-resty-core: the Lua side of lua-nginx-module',
    '/usr/share/lua/5.1/resty/lrucache': 'lua-resty-lrucache: lua-resty-core needs it',
    '/usr/share/lua/5.1/resty/lrucache.lua': 'lua-resty-lrucache: lua-resty-core needs it',
    '/usr/share/lua/5.1/ngx': 'lua-resty-core: the ngx.* modules',
    '/usr/lib/ssl/openssl.cnf': "libcrypto's configuration",
  },
  timezones: 'none',

  user: { name: 'nginx', uid: 101, gid: 101 },
  // Engines give a tmpfs the mode of the folder it covers, and root as its owner.
  writable: { '/run': 0o1777, '/var/cache/nginx': 0o1777 },
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
      'org.opencontainers.image.description': 'nginx with HTTP/3 and Lua',
      'org.opencontainers.image.licenses': 'BSD-2-Clause AND MIT',
    },
  },

  // 2025-02-05: nginx 1.26.3.
  epoch: 1738713600,
});
