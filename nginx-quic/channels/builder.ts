import type { Preference, RootDefinition } from '../../libs/core/channel.ts';
import { documentation, forky, mergedUsr, trixie } from '../suites.ts';

/** What compiles nginx and its modules, and what the image's libraries come from: Debian stable. */
export const builder: RootDefinition = {
  suites: trixie,
  packages: [
    // To compile.
    'binutils',
    'gcc',
    'libc6-dev',
    'make',
    // The tools that configure scripts and makefiles call.
    'coreutils',
    'dash',
    'diffutils',
    'findutils',
    'grep',
    'mawk',
    'patch',
    'pkgconf',
    'sed',
    // Headers and libraries.
    'libcrypt-dev',
    'libpcre2-dev',
    'libssl-dev',
    'zlib1g-dev',
    // For the image only.
    'ca-certificates',
    'lua-resty-core',
    'lua-resty-lrucache',
    'tzdata',
  ],
  // lua-resty-core asks for Debian's own nginx with Lua, which is what is compiled here.
  without: [
    'libnginx-mod-http-lua',
    'libnginx-mod-http-ndk',
    'nginx',
    'nginx-common',
    'nginx-extras',
    'iproute2',
    'debconf',
  ],
  folderLinks: mergedUsr,
  links: {
    '/usr/bin/awk': 'mawk',
    '/usr/bin/cc': 'gcc',
    '/usr/bin/c99': 'gcc',
  },
  directories: ['/build', '/proc', '/dev', '/tmp'],
  exclude: documentation,
};

/** OpenSSL from elsewhere than Debian stable, by the name that a recipe uses. */
export const openssl: Readonly<Record<string, Preference>> = {
  testing: { suites: forky, packages: ['libssl3t64', 'libssl-dev', 'openssl-provider-legacy'] },
};

/** Files that every image has although no program names them, wherever its nginx is from. */
export const common: Readonly<Record<string, string>> = {
  '/etc/nginx/fastcgi.conf': "nginx's own, to include",
  '/etc/nginx/fastcgi_params': "nginx's own, to include",
  '/etc/nginx/mime.types': "nginx's own, included by nginx.conf",
  '/etc/nginx/scgi_params': "nginx's own, to include",
  '/etc/nginx/uwsgi_params': "nginx's own, to include",
  '/usr/lib/x86_64-linux-gnu/libgcc_s.so.1': 'libc loads it by dlopen when a thread ends',
};

/** Those of a compiled image. */
export const data: Readonly<Record<string, string>> = {
  ...common,
  '/usr/lib/ssl/openssl.cnf': "libcrypto's configuration",
};

/** Where the configure words of the recipe put nginx's temporary files. Engines give a tmpfs the mode of the folder it covers. */
export const writable: Readonly<Record<string, number>> = { '/var/cache/nginx': 0o1777 };
