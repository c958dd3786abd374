import type { NginxModule } from '../../libs/core/module.ts';

/** A part of nginx: images made smaller, turned and cropped by libgd. */
export const imageFilter: NginxModule = {
  name: 'image-filter',
  summary: 'resizes, crops and turns JPEG, GIF, PNG and WebP images',
  homepage: 'https://nginx.org/en/docs/http/ngx_http_image_filter_module.html',
  source: 'nginx',
  configure: ['--with-http_image_filter_module'],
  link: { default: 'dynamic' },
  objects: ['ngx_http_image_filter_module.so'],
  builder: ['libgd-dev'],
  packages: ['libnginx-mod-http-image-filter'],
  smoke: {
    server: `
location = /smoke/image-filter {
    alias /smoke/image-filter.gif;
    image_filter size;
}`,
    // The smallest GIF: one pixel.
    files: { 'image-filter.gif': { base64: 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7' } },
    request: { path: '/smoke/image-filter' },
    expect: { status: 200, body: '{ "img" : { "width": 1, "height": 1, "type": "gif" } }' },
  },
};
