import * as output from '../core/output.ts';
import type { BuiltImage } from './assemble.ts';
import type { Request } from './context.ts';
import type { Needs } from './inputs.ts';
import type { BuildResult } from './result.ts';
import * as versionsOf from './versions.ts';

/** The result of a build of that image. */
export const of = (
  { recipe, outputs }: Request,
  need: Needs,
  { image, size, facts }: BuiltImage,
  end: Pick<BuildResult, 'advisories' | 'stages' | 'probes' | 'log' | 'ok'>,
): BuildResult => ({
  schema: 1,
  channel: recipe.channel.name,
  nginx: versionsOf.upstream(need.versions.nginx),
  versions: need.versions,
  quic: facts.quic,
  configure: facts.configure,
  modules: need.modules.map(({ module, link, origin }) => ({ name: module.name, link, origin })),
  heldBack: need.heldBack,
  writable: ['/tmp', ...Object.keys({ ...recipe.writable, ...recipe.channel.writable })],
  digest: image.digest,
  size,
  output: end.ok ? outputs.map(output.format) : [],
  ...end,
});
