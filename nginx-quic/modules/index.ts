import type { NginxModule } from '../../libs/core/module.ts';
import { brotli } from './brotli.ts';
import { cachePurge } from './cache-purge.ts';
import { davExt } from './dav-ext.ts';
import { dynamicUpstream } from './dynamic-upstream.ts';
import { echo } from './echo.ts';
import { fancyindex } from './fancyindex.ts';
import { geoip2 } from './geoip2.ts';
import { googlePerftools } from './google-perftools.ts';
import { headersMore } from './headers-more.ts';
import { imageFilter } from './image-filter.ts';
import { lua } from './lua.ts';
import { nchan } from './nchan.ts';
import { ndk } from './ndk.ts';
import { njs } from './njs.ts';
import { pushStream } from './push-stream.ts';
import { rtmp } from './rtmp.ts';
import { setMisc } from './set-misc.ts';
import { srcache } from './srcache.ts';
import { stream } from './stream.ts';
import { subsFilter } from './subs-filter.ts';
import { uploadProgress } from './upload-progress.ts';
import { upstreamDynamicServers } from './upstream-dynamic-servers.ts';
import { xslt } from './xslt.ts';
import { zstd } from './zstd.ts';

/** Every module that `--module` knows by name, sorted by it. */
export const modules: readonly NginxModule[] = [
  brotli,
  cachePurge,
  davExt,
  dynamicUpstream,
  echo,
  fancyindex,
  geoip2,
  googlePerftools,
  headersMore,
  imageFilter,
  lua,
  nchan,
  ndk,
  njs,
  pushStream,
  rtmp,
  setMisc,
  srcache,
  stream,
  subsFilter,
  uploadProgress,
  upstreamDynamicServers,
  xslt,
  zstd,
];
