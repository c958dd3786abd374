import * as container from '../../../libs/engine/container.ts';
import { isolate } from '../../../libs/sandbox/network.ts';
import type { Exit } from '../../../libs/sandbox/process.ts';
import type { Tools } from '../../../libs/sandbox/tools.ts';
import { eventually } from '../processes.ts';

/** What to run, as JSON in the first argument. */
export interface Input {
  readonly kit: Tools;
  readonly root: string;
  readonly config: container.ContainerConfig;
  readonly options: Pick<container.ContainerOptions, 'mounts' | 'log' | 'patience'>;
  /** What its log must have before it is stopped. */
  readonly until: string;
  /** Milliseconds that it has to stop. */
  readonly grace: number;
}

/** What became of it, as JSON on standard output. */
export interface Outcome {
  readonly log: string;
  readonly exit: Exit;
}

/** Runs a container in a network of its own until it has said something, then stops it. */
export async function perform({ kit, root, config, options, until, grace }: Input): Promise<Outcome> {
  const { signal } = new AbortController();
  await using network = await isolate(kit, signal);
  await using running = await container.start(kit, root, config, { ...options, network, signal });
  await eventually(`the log has ${until}`, async () => (await running.log()).includes(until) || undefined);
  const exit = await running.stop(grace);
  return { log: await running.log(), exit };
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await perform(JSON.parse(process.argv[2] ?? '') as Input)));
}
