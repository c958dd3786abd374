import type { NginxModule } from '../../libs/core/module.ts';

/** nginx's own JavaScript, for http and for stream; only what is in http is asked, as nginx has one stream block. */
export const njs: NginxModule = {
  name: 'njs',
  summary: "runs JavaScript: nginx's own engine, for http and stream",
  homepage: 'https://nginx.org/en/docs/njs/',
  source: { debian: 'libnginx-mod-js' },
  folder: 'nginx',
  link: { default: 'dynamic' },
  objects: ['ngx_http_js_module.so', 'ngx_stream_js_module.so'],
  // Its xml object is there unless told, and its configure script looks for both libraries then.
  builder: ['libxml2-dev', 'libxslt1-dev'],
  packages: ['libnginx-mod-http-js', 'libnginx-mod-stream-js'],
  requires: ['stream'],
  smoke: {
    http: 'js_import smoke_njs from /smoke/njs.js;',
    server: `
location = /smoke/njs {
    js_content smoke_njs.answer;
}`,
    files: {
      'njs.js': `
function answer(r) {
    const words = r.args.words.split(' ').map((word) => word.length);
    r.return(200, JSON.stringify({ words }));
}
export default { answer };
`.trimStart(),
    },
    request: { path: '/smoke/njs?words=http%20over%20quic' },
    expect: { status: 200, body: '{"words":[4,4,4]}' },
  },
};
