import { altSvc } from './probes/alt-svc.ts';
import { lua } from './probes/lua.ts';
import { notFound } from './probes/not-found.ts';
import { ping } from './probes/ping.ts';
import type { Probe } from './types.ts';

/** What every image with this project's own configuration must answer before it counts as built. */
export const smoke: readonly Probe[] = [
  ping('HTTP/1.1'),
  ping('HTTP/2'),
  ping('HTTP/3'),
  altSvc('HTTP/1.1', 443),
  altSvc('HTTP/2', 443),
  lua('HTTP/2'),
  lua('HTTP/3'),
  notFound('HTTP/1.1'),
  notFound('HTTP/2'),
  notFound('HTTP/3'),
];
