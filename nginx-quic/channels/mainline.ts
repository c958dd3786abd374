import type { CompiledChannel } from '../../libs/core/channel.ts';
import { stable } from './stable.ts';

/** nginx.org's mainline release, compiled; the rest is as in the channel `stable`. */
export const mainline: CompiledChannel = {
  ...stable,
  name: 'mainline',
  description: "nginx.org's mainline release, compiled, with OpenSSL's native QUIC",
  // 2026-09-15: nginx 1.31.6.
  epoch: 1789430400,
  sources: {
    ...stable.sources,
    nginx: {
      url: 'https://nginx.org/download/nginx-1.31.6.tar.gz',
      version: '1.31.6',
      size: 1373124,
      sha256: '974ed5298a5e398e008704ed5db284e655fc270c596493dbccada452448fc9f1',
      evidence: 'https://github.com/nginx/nginx/releases/tag/release-1.31.6',
    },
  },
};
