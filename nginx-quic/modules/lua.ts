import type { NginxModule } from '../../libs/core/module.ts';

/**
 * Lua in every phase of a request, run by LuaJIT. Its Lua side, lua-resty-core, belongs to it: without it nginx does not start.
 */
export const lua: NginxModule = {
  name: 'lua',
  summary: 'runs Lua in every phase of a request',
  homepage: 'https://github.com/openresty/lua-nginx-module',
  source: { debian: 'libnginx-mod-http-lua' },
  link: { default: 'static' },
  objects: ['ngx_http_lua_module.so'],
  packages: ['libnginx-mod-http-lua'],
  requires: ['ndk'],
  needsLuajit: true,
  data: {
    '/usr/share/lua/5.1/ngx': 'lua-resty-core: the ngx.* modules',
    '/usr/share/lua/5.1/resty/core': 'lua-resty-core: the Lua side of lua-nginx-module',
    '/usr/share/lua/5.1/resty/core.lua': 'lua-resty-core: the Lua side of lua-nginx-module',
    '/usr/share/lua/5.1/resty/lrucache': 'lua-resty-lrucache: lua-resty-core needs it',
    '/usr/share/lua/5.1/resty/lrucache.lua': 'lua-resty-lrucache: lua-resty-core needs it',
  },
  smoke: {
    // lua-resty-core's regular expressions go through LuaJIT's FFI.
    server: `
location = /smoke/lua {
    content_by_lua_block {
        local found = ngx.re.match("six times seven is 42", "[0-9]+", "jo")
        ngx.print(jit.version:match("^LuaJIT"), " found ", found[0])
    }
}`,
    request: { path: '/smoke/lua' },
    expect: { status: 200, body: 'LuaJIT found 42' },
  },
};
