import { type BuiltImage, makeImage, takeImage } from './pipeline/assemble.ts';
import * as compiling from './pipeline/compile.ts';
import type { Context, Request } from './pipeline/context.ts';
import type { Needs } from './pipeline/inputs.ts';
import type { RootMaterial } from './pipeline/materials.ts';
import * as obtain from './pipeline/obtain.ts';
import { proveImage } from './pipeline/prove.ts';
import { publish } from './pipeline/publish.ts';
import type { BuildResult } from './pipeline/result.ts';
import type { Stages } from './pipeline/stages.ts';
import * as versions from './pipeline/versions.ts';
import type { Tools } from './sandbox/tools.ts';

/**
 * From a recipe and its locks to a proven image in its outputs. Nothing is resolved or guessed: what is not in the locks
 * is not fetched. A stage whose inputs did not change is taken from the store. Outputs are written only after every
 * probe passed.
 */
export async function produce(request: Request, context: Context, need: Needs, stages: Stages): Promise<BuildResult> {
  const { store } = context;
  const ready = await takeImage(context, need);
  const haveInstalled = ready !== undefined || (await store.has('compile', need.keys.compile));
  const downloads = await obtain.fetch(context, stages, need.materials(ready !== undefined, haveInstalled));
  const rootOf = (material: RootMaterial): Promise<string> => obtain.assembleRoot(context, stages, downloads, material);

  const sandbox = rootOf(need.sandbox);
  const builder = ready === undefined ? rootOf(need.builder) : undefined;
  const kit: Tools = { dir: await sandbox, platform: context.machine, root: context.root };
  const client = rootOf(need.client);

  const make = async (root: string): Promise<BuiltImage> => {
    const trees = haveInstalled ? {} : await obtain.unpackSources(context, stages, downloads, need.sources, kit, root);
    const installed = await compiling.compile(context, stages, need, kit, root, trees);
    return await makeImage(context, stages, need, request, installed, root);
  };
  const image = ready ?? (await make(await (builder ?? rootOf(need.builder))));
  const { verdicts, log } = await proveImage(context, stages, kit, image, request.recipe, await client);
  const ok = verdicts.every((verdict) => verdict.ok);
  if (ok) await publish(context, stages, need, image, request);

  const result: BuildResult = {
    schema: 1,
    channel: request.recipe.channel.name,
    nginx: versions.upstream(need.versions.nginx),
    versions: need.versions,
    heldBack: need.heldBack,
    digest: image.image.digest,
    size: image.size,
    output: ok ? request.outputs.map(({ type, path }) => `${type}:${path}`) : [],
    stages: stages.records(),
    probes: verdicts,
    log,
    ok,
  };
  return result;
}
