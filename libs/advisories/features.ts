/**
 * Parts of nginx that an advisory can ask for, and when configure compiles them (nginx's `auto/options` and `auto/modules`).
 * `with` only by that word, `without` always but for that word; what `needs` names must be there too.
 */
const PARTS = {
  http: { without: '--without-http' },
  http_cache: { without: '--without-http-cache', needs: ['http'] },
  http_charset: { without: '--without-http_charset_module', needs: ['http'] },
  http_dav: { with: '--with-http_dav_module', needs: ['http'] },
  http_grpc: { without: '--without-http_grpc_module', needs: ['http_v2'] },
  http_mp4: { with: '--with-http_mp4_module', needs: ['http'] },
  http_proxy: { without: '--without-http_proxy_module', needs: ['http'] },
  http_rewrite: { without: '--without-http_rewrite_module', needs: ['http'] },
  http_scgi: { without: '--without-http_scgi_module', needs: ['http'] },
  http_slice: { with: '--with-http_slice_module', needs: ['http'] },
  http_ssi: { without: '--without-http_ssi_module', needs: ['http'] },
  // HTTP/3 brings it along.
  http_ssl: { with: ['--with-http_ssl_module', '--with-http_v3_module'], needs: ['http'] },
  http_uwsgi: { without: '--without-http_uwsgi_module', needs: ['http'] },
  http_v2: { with: '--with-http_v2_module', needs: ['http'] },
  http_v3: { with: '--with-http_v3_module', needs: ['http'] },
  mail: { with: '--with-mail' },
  mail_ssl: { with: '--with-mail_ssl_module', needs: ['mail'] },
  stream: { with: '--with-stream' },
  stream_ssl: { with: '--with-stream_ssl_module', needs: ['stream'] },
  stream_ssl_preread: { with: '--with-stream_ssl_preread_module', needs: ['stream'] },
  threads: { with: '--with-threads' },
  file_aio: { with: '--with-file-aio' },
} as const satisfies Readonly<Record<string, Part>>;

interface Part {
  /** Any of these words. */
  readonly with?: string | readonly string[];
  readonly without?: string;
  readonly needs?: readonly string[];
}

/** The name of such a part, as nginx names its modules, without `ngx_` and `_module`. */
export type Feature = keyof typeof PARTS;

export const names = Object.keys(PARTS) as [Feature, ...Feature[]];

/** Whether configure, called with these words, compiles that part; `--with-stream=dynamic` counts as `--with-stream`. */
export function has(feature: Feature, words: readonly string[]): boolean {
  const given = new Set(words.map((word) => word.replace(/=.*$/s, '')));
  const there = (name: string): boolean => {
    const part: Part | undefined = (PARTS as Readonly<Record<string, Part>>)[name];
    if (part === undefined) return false;
    const asked = part.with === undefined || [part.with].flat().some((word) => given.has(word));
    const refused = part.without !== undefined && given.has(part.without);
    return asked && !refused && (part.needs ?? []).every(there);
  };
  return there(feature);
}
