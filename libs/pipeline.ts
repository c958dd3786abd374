import { touching } from './advisories/report.ts';
import { ForgeError } from './core/errors.ts';
import { type BuiltImage, makeImage, takeImage } from './pipeline/assemble.ts';
import type { Places } from './pipeline/collect.ts';
import * as compiling from './pipeline/compile.ts';
import type { Context, Request } from './pipeline/context.ts';
import type { Needs } from './pipeline/inputs.ts';
import { unmet } from './pipeline/labels.ts';
import type { RootMaterial } from './pipeline/materials.ts';
import * as obtain from './pipeline/obtain.ts';
import * as outcome from './pipeline/outcome.ts';
import { proveImage } from './pipeline/prove.ts';
import { publish } from './pipeline/publish.ts';
import type { BuildResult } from './pipeline/result.ts';
import * as safety from './pipeline/safety.ts';
import type { Stages } from './pipeline/stages.ts';
import * as wanted from './pipeline/wanted.ts';
import type { Tools } from './sandbox/tools.ts';
import * as modules from './verify/modules.ts';

/**
 * From a recipe and its locks to a proven image in its outputs. Nothing is resolved or guessed: what is not in the locks
 * is not fetched. A stage whose inputs did not change is taken from the store. Outputs are written only after every
 * probe passed.
 */
export async function produce(request: Request, context: Context, need: Needs, stages: Stages): Promise<BuildResult> {
  const ready = await takeImage(context, need);
  const todo = ready === undefined ? await wanted.units(context, need) : [];
  const xz = { material: need.xz, lock: need.toolsBook.lock };
  const downloads = await obtain.fetch(context, stages, wanted.materials(need, ready !== undefined, todo), xz);
  const rootOf = obtain.roots(context, stages, downloads, need.xz);

  const sandbox = rootOf(need.sandbox);
  // They go on beside each other, and are waited for where they are used.
  if (ready === undefined) wanted.roots(need, todo).map(rootOf);
  const kit: Tools = { dir: await sandbox, platform: context.machine, root: context.root };
  const client = rootOf(need.client);

  const make = async (): Promise<BuiltImage> => {
    const base = rootOf(need.base);
    const sources = todo.flatMap((unit) => unit.sources);
    const trees =
      sources.length === 0 ? {} : await obtain.unpackSources(context, stages, downloads, sources, kit, await base);
    const workshop = { kit, root: (unit: { root: RootMaterial }) => rootOf(unit.root), trees };
    const installed =
      need.units === undefined ? undefined : await compiling.compile(context, stages, need.units, workshop);
    const places: Places = await wanted.places(context, need, installed, rootOf);
    return await makeImage(context, stages, need, request, places);
  };
  const image = ready ?? (await make());
  for (const { expected, found } of unmet(request, image.facts)) {
    throw new ForgeError('REQUIREMENT_UNMET', 'what was built is not what is required', {
      expected,
      found,
      hint: 'another channel or OpenSSL: --channel packaged, --channel stable (see docs/channels.md)',
    });
  }
  const advisories = await safety.findings(request, context, need, image.facts);
  safety.check(advisories, request.failOn);
  const subject = { recipe: request.recipe, proofs: modules.proofs(need.modules), key: need.keys.proofs };
  const { verdicts, log } = await proveImage(context, stages, kit, image, subject, client);
  const ok = verdicts.every((verdict) => verdict.ok);
  if (ok) await publish(context, stages, need, image, request);
  return outcome.of(request, need, image, {
    advisories: touching(advisories),
    stages: stages.records(),
    probes: verdicts,
    log,
    ok,
  });
}
