import type { NginxFacts } from '../collect/nginx.ts';
import { epochOf } from '../compile/plan.ts';
import { timestamp } from '../image/config.ts';
import type { Request } from './context.ts';
import type { Needs } from './inputs.ts';
import * as versions from './versions.ts';

/** What was built, for whoever has only the image: OCI's own keys, and ours for the rest. */
export const labelsOf = (
  { recipe, sources }: Request,
  { versions: all, modules }: Needs,
  { quic }: NginxFacts,
): Record<string, string> => ({
  'org.opencontainers.image.created': timestamp(epochOf(recipe)),
  'org.opencontainers.image.version': versions.upstream(all.nginx),
  'org.h3forge.channel': recipe.channel.name,
  'org.h3forge.quic': quic,
  'org.h3forge.modules': modules.map(({ module, link }) => `${module.name}=${link}`).join(' '),
  ...Object.fromEntries(Object.entries(all).map(([name, version]) => [`org.h3forge.version.${name}`, version])),
  ...Object.fromEntries(Object.entries(sources).map(([name, { given }]) => [`org.h3forge.source.${name}`, given])),
});

/** The requirements of a recipe that a build does not meet, each with what it has instead. */
export const unmet = ({ recipe }: Request, { quic }: NginxFacts): readonly { expected: string; found: string }[] =>
  recipe.require.quic === undefined || recipe.require.quic === quic
    ? []
    : [{ expected: `quic=${recipe.require.quic}`, found: `quic=${quic}` }];
