import { touching } from '../advisories/report.ts';
import { explainFull } from '../store/store.ts';
import type { Context, Request } from './context.ts';
import * as inputs from './inputs.ts';
import type { BuildResult } from './result.ts';
import * as safety from './safety.ts';
import { stages as stagesOf } from './stages.ts';
import { recall, remember } from './unchanged.ts';

/** A result, and whether it is that of an earlier run with the same inputs. */
export interface Built {
  readonly result: BuildResult;
  readonly unchanged: boolean;
}

/**
 * Builds a request, or gives the earlier result where neither its inputs nor its outputs changed. When this rejects,
 * every stage has ended and has cleaned up after itself.
 */
export async function buildImage(request: Request, context: Context): Promise<Built> {
  const need = await inputs.of(request, context);
  const earlier = await recall(context.store, need.keys.build, request.outputs);
  if (earlier !== undefined) {
    // What is known of it may be more than on the day when it was built.
    const advisories = await safety.findings(request, context, need, earlier);
    safety.check(advisories, request.failOn);
    return { result: { ...inputs.asUnchanged(earlier, need), advisories: touching(advisories) }, unchanged: true };
  }

  // Loaded here: a run that has nothing to do needs none of it.
  const destination = await import('../image/destination.ts');
  await destination.check(request.outputs);
  const { produce } = await import('../pipeline.ts');
  const stop = new AbortController();
  // What fails ends the stages beside it.
  const stages = stagesOf(context.reporter, (error) => stop.abort(error));
  try {
    const signal = AbortSignal.any([context.signal, stop.signal]);
    const result = await produce(request, { ...context, signal }, need, stages);
    if (result.ok) await remember(context.store, need.keys.build, request.outputs, result);
    return { result, unchanged: false };
  } catch (error) {
    stop.abort(error);
    await stages.settled();
    const { alternatives } = await import('./obtain.ts');
    const reason = alternatives(
      stop.signal.reason,
      context.channels,
      request.recipe.channel.name,
      inputs.unserved(need),
    );
    throw await explainFull(reason, context.store.dir);
  }
}
