import { defineRecipe } from 'h3forge';

/** HTTP/3 in front of an application that has none, with Brotli. */
export default defineRecipe({
  name: 'reverse-proxy-brotli',
  modules: ['brotli'],
  without: ['lua', 'ndk', 'stream'],
  labels: {
    'org.opencontainers.image.description': 'A reverse proxy with HTTP/3 and Brotli',
    'org.opencontainers.image.licenses': 'BSD-2-Clause AND MIT',
  },
  // Nothing answers behind the proxy while it is proven, so most questions are ones that it answers itself.
  probes: [
    { path: '/ping', body: 'pong' },
    { path: '/static/', body: 'Welcome', headers: { 'content-type': 'text/html', vary: 'Accept-Encoding' } },
    // The application is not there: nginx runs all the same, and says so in words of its own.
    { path: '/', status: 502, body: 'not available' },
  ],
});
