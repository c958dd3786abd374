import { chown, copyFile, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Mount } from '../core/command.ts';
import type { Recipe } from '../core/recipe.ts';
import * as container from '../engine/container.ts';
import { unpack } from '../image/unpack.ts';
import { capture } from '../sandbox/capture.ts';
import { isolate } from '../sandbox/network.ts';
import { run } from '../sandbox/run.ts';
import type { Tools } from '../sandbox/tools.ts';
import * as certificate from '../verify/certificate.ts';
import * as curl from '../verify/curl.ts';
import { smoke } from '../verify/smoke.ts';
import type { Probe, Verdict } from '../verify/types.ts';
import { verify } from '../verify/verify.ts';
import type { BuiltImage } from './assemble.ts';
import type { Context } from './context.ts';
import type { Stages } from './stages.ts';

/** Where the image looks for its certificate and key. */
const TLS = '/etc/nginx/tls';
/** Milliseconds. */
const PATIENCE = { ready: 10_000, stop: 10_000, probe: 10_000 };

/**
 * Unpacks an image from its layers and proves it. The image itself is not touched: what is run is what its digests name.
 */
export const proveImage = (
  context: Context,
  stages: Stages,
  kit: Tools,
  built: BuiltImage,
  recipe: Recipe,
  client: string,
): Promise<Proof> =>
  stages.run('prove', async (progress) => {
    await using temp = await context.store.temporary();
    const root = join(temp.path, 'root');
    progress.status('unpacking the image');
    await unpack(built.image, root, { preserveOwner: kit.root, signal: context.signal });
    progress.status('probing the running image');
    const log = join(context.store.logs, 'prove', 'container.log');
    await mkdir(dirname(log), { recursive: true });
    await rm(log, { force: true });
    const options = { temporary: temp.path, log, signal: context.signal };
    return { value: { verdicts: await prove(kit, { root, recipe }, client, smoke, options), log }, cached: false };
  });

/** What was found, and what the server wrote meanwhile. */
export interface Proof {
  readonly verdicts: readonly Verdict[];
  /** The path of the container's standard output and error. */
  readonly log: string;
}

/** What the image is run with. */
export const config = (recipe: Recipe): container.ContainerConfig => ({
  entrypoint: recipe.image.entrypoint,
  command: recipe.image.command,
  env: recipe.image.env,
  workingDir: recipe.image.workingDir,
  user: recipe.user,
  stopSignal: recipe.image.stopSignal as NodeJS.Signals,
  ports: recipe.image.ports,
});

/**
 * Runs an unpacked image in a network of its own with a throw-away certificate, asks every probe from the client's root,
 * and stops it as its orchestrator would. That it ends with status 0 is part of the proof.
 */
export async function prove(
  kit: Tools,
  subject: { readonly root: string; readonly recipe: Recipe },
  client: string,
  probes: readonly Probe[],
  options: { readonly temporary: string; readonly log: string; readonly signal: AbortSignal },
): Promise<Verdict[]> {
  const { recipe } = subject;
  const { signal } = options;
  const tls = join(options.temporary, 'tls');
  await mkdir(tls, { mode: 0o755 });
  const scratch: Mount = { kind: 'tmpfs', target: '/tmp' };
  await run(kit, certificate.command('/client'), {
    root: client,
    mounts: [scratch, { kind: 'bind', source: tls, target: '/client', readOnly: false }],
    log: join(options.temporary, 'certificate.log'),
    signal,
  });
  const ca = join(options.temporary, 'ca');
  await mkdir(ca);
  await copyFile(join(tls, certificate.files.certificate), join(ca, basename(curl.CA)));
  if (kit.root) await chown(join(tls, certificate.files.key), recipe.user.uid, recipe.user.gid);

  await using network = await isolate(kit, signal);
  await using server = await container.start(kit, subject.root, config(recipe), {
    network,
    mounts: [
      { kind: 'bind', source: tls, target: TLS, readOnly: true },
      // As Docker does: root's, with the mode of the folder that it covers.
      ...Object.entries({ '/tmp': 0o1777, ...recipe.writable }).map(
        ([target, mode]): Mount => ({ kind: 'tmpfs', target, mode }),
      ),
    ],
    log: options.log,
    signal,
    patience: PATIENCE.ready,
  });
  const verdicts = await verify(probes, (command) =>
    capture(kit, command, {
      root: client,
      network,
      mounts: [scratch, { kind: 'bind', source: ca, target: dirname(curl.CA), readOnly: true }],
      signal,
      timeout: PATIENCE.probe,
    }),
  );
  const exit = await server.stop(PATIENCE.stop);
  const clean = exit.exitCode === 0;
  return [
    ...verdicts,
    {
      name: `stop ${recipe.image.stopSignal}`,
      ok: clean,
      detail: clean ? 'ended with status 0' : `ended with ${exit.signal ?? `status ${exit.exitCode}`}`,
    },
  ];
}
