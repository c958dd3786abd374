import type { NginxModule } from '../../libs/core/module.ts';

/** Messages from publishers to any number of subscribers. */
export const nchan: NginxModule = {
  name: 'nchan',
  summary: 'publishes messages to subscribers by WebSocket, EventSource and long polling',
  homepage: 'https://nchan.io',
  source: { debian: 'libnginx-mod-nchan' },
  link: { default: 'dynamic' },
  objects: ['ngx_nchan_module.so'],
  packages: ['libnginx-mod-nchan'],
  smoke: {
    server: `
location = /smoke/nchan {
    nchan_publisher;
    nchan_channel_id smoke;
}`,
    request: { path: '/smoke/nchan', method: 'POST', body: 'nobody listens yet' },
    expect: { status: 202, body: 'queued messages: 1' },
  },
};
