import { chown, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Mount } from '../core/command.ts';
import type { Digest } from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import type { Recipe } from '../core/recipe.ts';
import * as container from '../engine/container.ts';
import { unpack } from '../image/unpack.ts';
import { capture } from '../sandbox/capture.ts';
import { isolate } from '../sandbox/network.ts';
import { run } from '../sandbox/run.ts';
import type { Tools } from '../sandbox/tools.ts';
import * as certificate from '../verify/certificate.ts';
import * as curl from '../verify/curl.ts';
import * as expected from '../verify/expected.ts';
import * as modules from '../verify/modules.ts';
import { altSvc } from '../verify/probes/alt-svc.ts';
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

/** Of records: what was said of the same modules in the same nginx. */
const KIND = 'modules';

/** What was found, and what the server wrote meanwhile. */
export interface Proof {
  readonly verdicts: readonly Verdict[];
  /** The path of the container's standard output and error. */
  readonly log: string;
}

/** What is proven of an image. */
export interface Subject {
  readonly recipe: Recipe;
  readonly proofs: readonly modules.Proof[];
  /** By which good verdicts on those are remembered. */
  readonly key: Digest;
}

/**
 * Unpacks an image from its layers and proves it. The image itself is not touched: what is run is what its digests name.
 * Its modules are proven in a second container with a configuration of ours, whatever the recipe's own says.
 */
export const proveImage = (
  context: Context,
  stages: Stages,
  kit: Tools,
  built: BuiltImage,
  subject: Subject,
  client: Promise<string>,
): Promise<Proof> =>
  stages.run('prove', async (progress) => {
    await using temp = await context.store.temporary();
    const root = join(temp.path, 'root');
    progress.status('unpacking the image');
    const [, from] = await both(
      unpack(built.image, root, { preserveOwner: kit.root, signal: context.signal }),
      client.then((dir) => makeClient(kit, dir, subject.recipe, temp.path, context.signal)),
    );
    progress.status('probing the running image');
    const log = join(context.store.logs, 'prove', 'container.log');
    await mkdir(dirname(log), { recursive: true });
    await Promise.all([log, modulesLog(log)].map((file) => rm(file, { force: true })));
    const { recipe, proofs, key } = subject;
    const earlier = (await context.store.readRecord(KIND, key)) as Verdict[] | undefined;
    const [own, others] = await both(
      prove(kit, { root, recipe, mounts: [] }, from, probesOf(recipe), log, context.signal),
      proofs.length === 0
        ? []
        : (earlier ?? proveModules(kit, { root, recipe }, from, proofs, temp.path, log, context.signal)),
    );
    if (others.every(({ ok }) => ok)) await context.store.writeRecord(KIND, key, others);
    return { value: { verdicts: [...own, ...others], log }, cached: false };
  });

/** The questions that a recipe's image must answer: its own, or those for the configuration that comes with this project. */
export function probesOf({ probes }: Recipe): readonly Probe[] {
  const [first] = probes ?? [];
  if (probes === undefined || first === undefined) return smoke;
  return [
    ...probes.flatMap(({ path, status = 200, ...rest }) =>
      expected.VERSIONS.map((version) => expected.probe(path, { version, path }, { status, ...rest })),
    ),
    // An image whose HTTP/3 nobody hears of is one that nobody uses.
    altSvc('HTTP/1.1', 443, first.path),
    altSvc('HTTP/2', 443, first.path),
  ];
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

/** Whoever asks: the root of the client, and the folders with the server's certificate and with the one that it trusts. */
export interface Client {
  readonly root: string;
  readonly tls: string;
  readonly ca: string;
}

/** Makes a throw-away certificate in `temporary`, its key readable by the recipe's user. */
async function makeClient(
  kit: Tools,
  root: string,
  { user }: Recipe,
  temporary: string,
  signal: AbortSignal,
): Promise<Client> {
  const [tls, ca] = [join(temporary, 'tls'), join(temporary, 'ca')];
  await Promise.all([tls, ca].map((dir) => mkdir(dir, { mode: 0o755 })));
  await run(kit, certificate.command('/client'), {
    root,
    mounts: [
      { kind: 'tmpfs', target: '/tmp' },
      { kind: 'bind', source: tls, target: '/client', readOnly: false },
    ],
    log: join(temporary, 'certificate.log'),
    signal,
  });
  await copyFile(join(tls, certificate.files.certificate), join(ca, basename(curl.CA)));
  if (kit.root) await chown(join(tls, certificate.files.key), user.uid, user.gid);
  return { root, tls, ca };
}

/**
 * Runs an unpacked image in a network of its own, asks every probe, and stops it as its orchestrator would. That it ends
 * with status 0 is part of the proof.
 */
export async function prove(
  kit: Tools,
  subject: {
    readonly root: string;
    readonly recipe: Recipe;
    readonly mounts: readonly Mount[];
    readonly command?: readonly string[];
    readonly ports?: readonly string[];
  },
  client: Client,
  probes: readonly Probe[],
  log: string,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const { recipe } = subject;
  const { command = recipe.image.command, ports = recipe.image.ports } = subject;
  await using network = await isolate(kit, signal);
  await using server = await container.start(
    kit,
    subject.root,
    { ...config(recipe), command, ports },
    {
      network,
      mounts: [
        { kind: 'bind', source: client.tls, target: TLS, readOnly: true },
        // As Docker does: root's, with the mode of the folder that it covers.
        ...Object.entries({ '/tmp': 0o1777, ...recipe.channel.writable, ...recipe.writable }).map(
          ([target, mode]): Mount => ({ kind: 'tmpfs', target, mode }),
        ),
        ...subject.mounts,
      ],
      log,
      signal,
      patience: PATIENCE.ready,
    },
  );
  const verdicts = await verify(probes, (asked) =>
    capture(kit, asked, {
      root: client.root,
      network,
      mounts: [
        { kind: 'tmpfs', target: '/tmp' },
        { kind: 'bind', source: client.ca, target: dirname(curl.CA), readOnly: true },
      ],
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

/** What both give, when both have ended: their folder is removed after that. */
async function both<A, B>(first: Promise<A>, second: B | Promise<B>): Promise<[A, B]> {
  const [one, other] = await Promise.allSettled([first, second]);
  if (one.status === 'rejected') throw one.reason;
  if (other.status === 'rejected') throw other.reason;
  return [one.value, other.value];
}

/** Where the server with the modules' own configuration writes. */
const modulesLog = (log: string): string => log.replace(/\.log$/, '-modules.log');

/** Every module's own request, asked of one nginx with all of them. */
async function proveModules(
  kit: Tools,
  { root, recipe }: { readonly root: string; readonly recipe: Recipe },
  client: Client,
  proofs: readonly modules.Proof[],
  temporary: string,
  log: string,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const dir = join(temporary, 'smoke');
  const all = new Map([['nginx.conf', Buffer.from(modules.configuration(proofs))], ...modules.files(proofs)]);
  for (const [path, content] of all) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  const mounts: Mount[] = [{ kind: 'bind', source: dir, target: modules.SMOKE, readOnly: true }];
  const command = ['-c', `${modules.SMOKE}/nginx.conf`, '-g', 'daemon off;'];
  const entrypoint = recipe.programs[0] ?? '/usr/sbin/nginx';
  const subject = {
    root,
    recipe: { ...recipe, image: { ...recipe.image, entrypoint: [entrypoint] } },
    mounts,
    command,
    ports: ['80/tcp', '443/tcp', '443/udp'],
  };
  try {
    const verdicts = await prove(kit, subject, client, modules.probes(proofs), modulesLog(log), signal);
    return verdicts.filter(({ ok, name }) => !ok || name.startsWith('module '));
  } catch (error) {
    if (!(error instanceof ForgeError) || !error.code.startsWith('CONTAINER_')) throw error;
    throw new ForgeError('MODULES_UNPROVEN', 'nginx does not start with the configuration that proves its modules', {
      expected: `${proofs.map(({ name }) => name).join(', ')} loaded and configured`,
      found: `${error.message}: ${error.found ?? ''}`,
      cause: error,
    });
  }
}
