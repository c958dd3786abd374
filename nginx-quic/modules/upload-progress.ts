import type { NginxModule } from '../../libs/core/module.ts';

/** Says how far an upload is. */
export const uploadProgress: NginxModule = {
  name: 'upload-progress',
  summary: 'says how far an upload is, as JSON',
  homepage: 'https://github.com/masterzen/nginx-upload-progress-module',
  source: { debian: 'libnginx-mod-http-uploadprogress' },
  link: { default: 'dynamic' },
  objects: ['ngx_http_uploadprogress_module.so'],
  packages: ['libnginx-mod-http-uploadprogress'],
  smoke: {
    http: 'upload_progress smoke_upload_progress 1m;',
    server: `
location = /smoke/upload-progress {
    report_uploads smoke_upload_progress;
    upload_progress_json_output;
}`,
    request: { path: '/smoke/upload-progress?X-Progress-ID=unknown' },
    expect: { status: 200, body: '"state" : "starting"' },
  },
};
