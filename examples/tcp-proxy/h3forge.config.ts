import { defineRecipe } from 'h3forge';

/** TLS passed on by the name that a client asks for, still encrypted; beside it HTTP/3 for what nginx says itself. */
export default defineRecipe({
  name: 'tcp-proxy',
  // The module `stream` is the base recipe's.
  without: ['lua', 'ndk'],
  ports: ['80/tcp', '443/tcp', '443/udp', '8443/tcp'],
  labels: {
    'org.opencontainers.image.description': 'A proxy for TLS by server name, with HTTP/3',
    'org.opencontainers.image.licenses': 'BSD-2-Clause',
  },
  // That 8443 is open is proven as well: an image is only asked when all of its ports are.
  probes: [
    { path: '/ping', body: 'pong' },
    { path: '/', status: 404 },
  ],
});
