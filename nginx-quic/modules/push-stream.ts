import type { NginxModule } from '../../libs/core/module.ts';

/** Messages pushed to clients that wait for them. */
export const pushStream: NginxModule = {
  name: 'push-stream',
  summary: 'pushes messages to waiting clients by streaming, EventSource and WebSocket',
  homepage: 'https://github.com/wandenberg/nginx-push-stream-module',
  source: { debian: 'libnginx-mod-http-push-stream' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_push_stream_module.so'],
  packages: ['libnginx-mod-http-push-stream'],
  smoke: {
    http: 'push_stream_shared_memory_size 8m;',
    server: `
location = /smoke/push-stream {
    push_stream_publisher admin;
    push_stream_channels_path smoke;
}`,
    request: { path: '/smoke/push-stream', method: 'POST', body: 'nobody listens yet' },
    expect: { status: 200, body: '"published_messages": 1' },
  },
};
