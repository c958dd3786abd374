import { expect, test } from 'vitest';
import * as features from '../../libs/advisories/features.ts';

test.each<[features.Feature, string[], boolean]>([
  ['http_mp4', [], false],
  ['http_mp4', ['--with-http_mp4_module'], true],
  ['http_charset', [], true],
  ['http_charset', ['--without-http_charset_module'], false],
  ['http_charset', ['--without-http'], false],
  ['http_mp4', ['--with-http_mp4_module', '--without-http'], false],
  ['http_ssl', ['--with-http_v3_module'], true],
  // gRPC is HTTP/2, and is not compiled without it.
  ['http_grpc', [], false],
  ['http_grpc', ['--with-http_v2_module'], true],
  ['stream_ssl', ['--with-stream_ssl_module'], false],
  ['stream_ssl', ['--with-stream=dynamic', '--with-stream_ssl_module'], true],
  ['mail', ['--with-mail_ssl_module'], false],
  ['http_slice', ['--with-http_slice_module_x'], false],
])('%s with %j: %s', (feature, words, expected) => {
  expect(features.has(feature, words)).toBe(expected);
});
