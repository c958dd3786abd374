import { dirname } from 'node:path';
import type { Output } from '../core/output.ts';
import * as archive from '../image/archive.ts';
import * as dockerfile from '../image/dockerfile.ts';
import * as layout from '../image/layout.ts';
import { explainFull } from '../store/store.ts';
import type { BuiltImage } from './assemble.ts';
import type { Context, Request } from './context.ts';
import type { Needs } from './inputs.ts';
import type { Stages } from './stages.ts';
import * as versions from './versions.ts';

/** What Docker takes for the registry of a name without one. */
const REGISTRY = 'docker.io';

/** Writes a proven image to every output; each is replaced whole or not at all. */
export const publish = (
  { signal }: Context,
  stages: Stages,
  need: Needs,
  { image }: BuiltImage,
  { recipe, outputs }: Request,
): Promise<void> =>
  stages.run('output', async (progress) => {
    const version = versions.upstream(need.versions.nginx);
    const write = async ({ type, path }: Output): Promise<void> => {
      if (type === 'layout') await layout.write(image, path, { ref: version, signal });
      if (type === 'dockerfile') await dockerfile.writeContext(image, path, { signal });
      if (type === 'archive') {
        const tags = [version, 'latest'].map((tag) => `${recipe.name}:${tag}`);
        await archive.write(image, path, { tags, registry: REGISTRY, signal });
      }
    };
    for (const output of outputs) {
      progress.status(output.path);
      try {
        await write(output);
      } catch (error) {
        throw await explainFull(error, dirname(output.path), 'output');
      }
    }
    return { value: undefined, cached: false };
  });
