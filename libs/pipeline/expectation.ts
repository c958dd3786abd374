import { plan } from '../compile/plan.ts';
import { takeImage } from './assemble.ts';
import type { Context, Request } from './context.ts';
import type { Needs } from './inputs.ts';
import type { Built } from './safety.ts';
import * as versions from './versions.ts';

/** The first nginx and OpenSSL that speak QUIC with each other by OpenSSL's own API. */
const NATIVE = { nginx: [1, 29, 1], openssl: [3, 5, 1] } as const;

/** What Debian compiles into its nginx beside what this project's recipe asks for. */
const DEBIAN = ['dav', 'flv', 'mp4', 'random_index'].map((name) => `--with-http_${name}_module`);

/** What is known of a build: read from its image where there is one, else what its words and versions let expect. */
export async function expectedFacts(
  request: Request,
  context: Context,
  need: Needs,
): Promise<{ readonly facts: Built; readonly isBuilt: boolean }> {
  const image = await takeImage(context, need);
  if (image !== undefined) return { facts: image.facts, isBuilt: true };
  const { nginx, openssl } = need.versions;
  const native = atLeast(nginx, NATIVE.nginx) && atLeast(openssl ?? '', NATIVE.openssl);
  const more = request.recipe.channel.kind === 'packaged' ? DEBIAN : [];
  const argv = plan(request.recipe, need.modules).steps.find(({ name }) => name === 'nginx-configure')?.argv ?? [];
  return {
    facts: {
      quic: native ? 'native' : 'compat',
      configure: [...argv.filter((word) => word.startsWith('--')), ...more],
    },
    isBuilt: false,
  };
}

function atLeast(version: string, least: readonly number[]): boolean {
  const numbers = versions
    .upstream(version)
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of least.entries()) {
    const found = numbers[index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}
