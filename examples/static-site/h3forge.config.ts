import { defineRecipe } from 'h3forge';

/** A folder of files over HTTP/1.1, 2 and 3, and nothing that such a server does not need. */
export default defineRecipe({
  name: 'static-site',
  // Neither Lua nor TCP proxying: fewer files in the image, and less to keep up to date.
  without: ['lua', 'ndk', 'stream'],
  labels: {
    'org.opencontainers.image.description': 'A static site with HTTP/3',
    'org.opencontainers.image.licenses': 'BSD-2-Clause',
  },
  probes: [
    { path: '/', body: 'Welcome', headers: { 'content-type': 'text/html', 'cache-control': 'no-cache' } },
    { path: '/style.css', headers: { 'content-type': 'text/css', 'cache-control': 'max-age=3600' } },
    { path: '/no-such-page', status: 404, body: 'not here' },
    // A file whose name begins with a dot is never served.
    { path: '/.git/config', status: 404 },
    { path: '/ping', body: 'pong' },
  ],
});
