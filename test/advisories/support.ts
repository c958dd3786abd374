import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildFacts } from '../../libs/advisories/evaluate.ts';
import { type Advisory, parse } from '../../libs/advisories/schema.ts';

const file = join(import.meta.dirname, '../../nginx-quic/advisories.json');
export const advisories = parse(readFileSync(file, 'utf8'), 'advisories.json');

/** Upstream's 1.30.4 with TLS, HTTP/2 and HTTP/3. */
export const plain: BuildFacts = {
  nginx: '1.30.4',
  openssl: '3.5.7-1~deb13u3',
  quic: 'native',
  features: ['--with-http_ssl_module', '--with-http_v2_module', '--with-http_v3_module'],
  modules: {},
};
/** That of Debian 13, by the number of its update. */
export const trixie = (revision: number, ...patches: string[]): BuildFacts => ({
  ...plain,
  nginx: '1.26.3',
  quic: 'compat',
  debian: { suite: 'trixie', version: `1.26.3-3+deb13u${revision}`, patches },
});
/** An advisory that is fixed in 1.30.5 and 1.31.6. */
export const made = (change: Partial<Advisory> = {}): Advisory => ({
  id: 'CVE-2026-1234',
  component: 'nginx',
  title: 'Something',
  severity: 'medium',
  affected: [{ from: '1.25.0', to: '1.31.5' }],
  fixed: ['1.31.6', '1.30.5'],
  debian: {},
  patches: [],
  condition: [],
  links: ['https://nginx.org/'],
  ...change,
});
