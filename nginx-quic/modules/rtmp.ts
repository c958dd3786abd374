import type { NginxModule } from '../../libs/core/module.ts';

/** Live video: receives RTMP, and makes HLS and DASH of it. */
export const rtmp: NginxModule = {
  name: 'rtmp',
  summary: 'receives live video by RTMP, makes HLS and DASH of it',
  homepage: 'https://github.com/arut/nginx-rtmp-module',
  source: { debian: 'libnginx-mod-rtmp' },
  link: { default: 'dynamic' },
  objects: ['ngx_rtmp_module.so'],
  packages: ['libnginx-mod-rtmp'],
  smoke: {
    main: `
rtmp {
    server {
        listen 127.0.0.1:8805;
        application smoke_rtmp {
            live on;
        }
    }
}`,
    server: `
location = /smoke/rtmp {
    rtmp_stat all;
}`,
    request: { path: '/smoke/rtmp' },
    expect: { status: 200, body: '<name>smoke_rtmp</name>' },
  },
};
