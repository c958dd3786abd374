import type { NginxModule } from '../../libs/core/module.ts';

/** A part of nginx: XML answers changed by XSLT style sheets. */
export const xslt: NginxModule = {
  name: 'xslt',
  summary: 'changes XML answers by XSLT style sheets',
  homepage: 'https://nginx.org/en/docs/http/ngx_http_xslt_module.html',
  source: 'nginx',
  configure: ['--with-http_xslt_module'],
  link: { default: 'dynamic' },
  objects: ['ngx_http_xslt_filter_module.so'],
  builder: ['libxml2-dev', 'libxslt1-dev'],
  packages: ['libnginx-mod-http-xslt-filter'],
  smoke: {
    server: `
location = /smoke/xslt {
    alias /smoke/xslt.xml;
    default_type text/xml;
    xslt_stylesheet /smoke/xslt.xsl;
}`,
    files: {
      'xslt.xml': '<versions><http>1</http><http>2</http><http>3</http></versions>',
      'xslt.xsl': `
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text"/>
  <xsl:template match="/">the sum is <xsl:value-of select="sum(//http)"/></xsl:template>
</xsl:stylesheet>
`.trimStart(),
    },
    request: { path: '/smoke/xslt' },
    expect: { status: 200, body: 'the sum is 6' },
  },
};
