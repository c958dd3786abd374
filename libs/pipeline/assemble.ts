import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolve } from '../collect/closure.ts';
import * as elf from '../collect/elf.ts';
import * as hardening from '../collect/hardening.ts';
import type { Closure } from '../core/closure.ts';
import type { Entry } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';
import * as platform from '../core/platform.ts';
import type { Recipe } from '../core/recipe.ts';
import { timestamp } from '../image/config.ts';
import { create, type Image } from '../image/image.ts';
import * as layer from '../image/layer.ts';
import * as layout from '../image/layout.ts';
import { assemble } from '../rootfs/assemble.ts';
import * as certificates from '../rootfs/certificates.ts';
import * as layers from '../rootfs/layers.ts';
import * as timezones from '../rootfs/timezones.ts';
import * as users from '../rootfs/users.ts';
import type { Context, Request } from './context.ts';
import type { Needs } from './inputs.ts';
import type { Stages } from './stages.ts';
import * as versions from './versions.ts';

/** An image in the store. */
export interface BuiltImage {
  readonly image: Image;
  /** The folder of the OCI layout. */
  readonly layout: string;
  /** The file that says why each file is there: a `Closure` as JSON. */
  readonly closure: string;
  /** Bytes of all layers. */
  readonly size: { readonly raw: number; readonly compressed: number };
}

const LAYOUT = 'oci';
const CLOSURE = 'closure.json';

/** The names that the reasons of entries begin with, where they are not the closure's. */
const FILES = 'the recipe\u2019s files';

/** Takes the image of a request from the store; `undefined` where it is not there, or its bytes are not those of its digests. */
export async function takeImage({ store }: Context, need: Needs): Promise<BuiltImage | undefined> {
  const { image: key } = need.keys;
  if (!(await store.has('image', key))) return undefined;
  try {
    return await read(store.path('image', key));
  } catch (error) {
    if (!(error instanceof ForgeError) || !['IMAGE_INVALID', 'DIGEST_MISMATCH'].includes(error.code)) throw error;
    await store.discard('image', key);
    return undefined;
  }
}

/**
 * Makes the image of a request: what the programs need is collected from two roots seen as one (what was installed, and
 * the builder below it), laid out, and written as layers.
 */
export async function makeImage(
  context: Context,
  stages: Stages,
  need: Needs,
  request: Request,
  installed: string,
  builder: string,
): Promise<BuiltImage> {
  const { recipe } = request;
  const { closure, entries } = await stages.run('collect', async (progress) => {
    progress.status('what the programs need');
    const found = collect(recipe, installed, builder);
    checkHardened(found, installed);
    return { value: { closure: found, entries: layOut(request, found, builder) }, cached: false };
  });
  return await stages.run('image', async (progress) => {
    const { path, cached } = await context.store.directory('image', need.keys.image, async (dir) => {
      progress.status(`${entries.length} files, links and folders`);
      await writeFile(join(dir, CLOSURE), JSON.stringify(withEntries(closure, entries)));
      await using blobs = await context.store.temporary();
      const image = await pack(context, need, recipe, split(entries, closure, installed), blobs.path);
      await layout.write(image, join(dir, LAYOUT), {
        ref: versions.upstream(need.versions.nginx),
        signal: context.signal,
      });
    });
    return { value: await read(path), cached };
  });
}

async function read(path: string): Promise<BuiltImage> {
  const image = await layout.read(join(path, LAYOUT));
  const sum = (of: (one: layer.Layer) => number): number => image.layers.reduce((total, one) => total + of(one), 0);
  return {
    image,
    layout: join(path, LAYOUT),
    closure: join(path, CLOSURE),
    size: { raw: sum(({ rawSize }) => rawSize), compressed: sum(({ size }) => size) },
  };
}

const collect = (recipe: Recipe, installed: string, builder: string): Closure =>
  resolve({
    roots: [installed, builder],
    platform: platform.parse(recipe.platform),
    start: [
      ...recipe.programs.map((path) => ({ path, via: 'the recipe runs it' })),
      ...Object.entries(recipe.data).map(([path, via]) => ({ path, via })),
    ],
  });

/** What was compiled here must be as the recipe's flags mean it; what Debian compiled is Debian's decision. */
function checkHardened(closure: Closure, installed: string): void {
  for (const item of closure) {
    if (item.type !== 'file' || !item.source.startsWith(`${installed}/`) || !/\.so(\.|$)|\/s?bin\//.test(item.path))
      continue;
    const { pie, relro, nx } = hardening.of(elf.read(item.source));
    if (pie && relro === 'full' && nx) continue;
    throw new ForgeError('NOT_HARDENED', `${item.path} was compiled without protection`, {
      expected: 'position-independent, full RELRO, a stack that is not executable',
      found: `position-independent: ${pie}, RELRO: ${relro}, stack not executable: ${nx}`,
      hint: 'look at cflags and ldflags in the recipe',
    });
  }
}

function layOut({ recipe, recipeDir }: Request, closure: Closure, builder: string): Entry[] {
  const { uid, gid } = recipe.user;
  return assemble({
    closure,
    generated: [
      ...users.entries([...users.standard, { ...recipe.user, home: '/nonexistent' }]),
      ...certificates.caBundle(builder),
      ...(recipe.timezones === 'none' ? [] : timezones.entries(builder, recipe.timezones)),
    ],
    files: { directory: join(recipeDir, recipe.files), name: FILES },
    directories: [
      { path: '/tmp', mode: 0o1777, reason: 'programs expect it' },
      ...Object.entries(recipe.writable).map(([path, mode]) => ({
        path,
        mode,
        uid,
        gid,
        reason: 'the recipe: writable',
      })),
      ...recipe.mountPoints.map((path) => ({ path, reason: 'the recipe: mounted on' })),
    ],
    // A file of the recipe takes the place of one that was installed.
    overrides: ['files'],
  });
}

/** Lowest first: what changes seldom is below what changes often. */
function split(entries: readonly Entry[], closure: Closure, installed: string): layers.Layer[] {
  const compiled = new Set(
    closure.flatMap((item) => (item.type === 'file' && item.source.startsWith(`${installed}/`) ? [item.path] : [])),
  );
  return layers.split(entries, [
    { name: 'system', matches: ({ path, reason }) => reason !== FILES && !compiled.has(path) },
    { name: 'nginx', matches: ({ reason }) => reason !== FILES },
    { name: 'files', matches: () => true },
  ]);
}

async function pack(
  context: Context,
  need: Needs,
  recipe: Recipe,
  groups: readonly layers.Layer[],
  dir: string,
): Promise<Image> {
  const written = await Promise.all(
    groups.map(async ({ name, entries }) => ({
      layer: await layer.write(entries, {
        dir,
        compression: 'gzip',
        level: 9,
        mtime: recipe.epoch,
        signal: context.signal,
      }),
      createdBy: `h3forge: ${name}`,
    })),
  );
  const labels = { ...recipe.image.labels, ...labelsOf(recipe, need.versions) };
  return create({
    platform: platform.parse(recipe.platform),
    created: recipe.epoch,
    layers: written,
    config: {
      user: `${recipe.user.uid}:${recipe.user.gid}`,
      exposedPorts: recipe.image.ports,
      env: recipe.image.env,
      entrypoint: recipe.image.entrypoint,
      cmd: recipe.image.command,
      workingDir: recipe.image.workingDir,
      stopSignal: recipe.image.stopSignal,
      labels,
    },
    annotations: labels,
  });
}

/** What was built, for whoever has only the image: OCI's own keys, and one of ours per version. */
const labelsOf = (recipe: Recipe, all: versions.Versions): Record<string, string> => ({
  'org.opencontainers.image.created': timestamp(recipe.epoch),
  'org.opencontainers.image.version': versions.upstream(all.nginx),
  'org.h3forge.channel': recipe.channel.name,
  ...Object.fromEntries(Object.entries(all).map(([name, version]) => [`org.h3forge.version.${name}`, version])),
});

/** The closure with the entries that are not of it, so that `why` answers for every file of the image. */
function withEntries(closure: Closure, entries: readonly Entry[]): Closure {
  const source = new Map(entries.map((entry) => [entry.path, 'content' in entry ? entry.content : undefined]));
  // A file of the recipe that took the place of a collected one is there for the recipe's reason.
  const collected = closure.filter((item) => {
    const content = source.get(item.path);
    return (
      source.has(item.path) &&
      (item.type === 'symlink' || content === undefined || ('file' in content && content.file === item.source))
    );
  });
  const known = new Set(collected.map(({ path }) => path));
  const others = entries.flatMap((entry): Closure[number][] => {
    if (known.has(entry.path) || (entry.type === 'directory' && entry.reason === undefined)) return [];
    const reasons = [{ via: entry.reason ?? 'the root file system' }];
    return entry.type === 'symlink'
      ? [{ type: 'symlink', path: entry.path, target: entry.target, reasons }]
      : [{ type: 'file', path: entry.path, source: '', reasons }];
  });
  return [...collected, ...others];
}
