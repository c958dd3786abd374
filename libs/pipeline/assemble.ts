import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { NginxFacts } from '../collect/nginx.ts';
import { epochOf } from '../compile/plan.ts';
import type { Closure } from '../core/closure.ts';
import type { Entry } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';
import * as platform from '../core/platform.ts';
import type { Recipe } from '../core/recipe.ts';
import { create, type Image } from '../image/image.ts';
import type * as layer from '../image/layer.ts';
import * as layout from '../image/layout.ts';
import { assemble } from '../rootfs/assemble.ts';
import * as certificates from '../rootfs/certificates.ts';
import * as generated from '../rootfs/generated.ts';
import * as layers from '../rootfs/layers.ts';
import * as overlay from '../rootfs/overlay.ts';
import * as timezones from '../rootfs/timezones.ts';
import * as users from '../rootfs/users.ts';
import type { Collected, Places } from './collect.ts';
import { collect } from './collect.ts';
import type { Context, Request } from './context.ts';
import type { Needs } from './inputs.ts';
import { labelsOf } from './labels.ts';
import { take } from './layers.ts';
import type { Stages } from './stages.ts';
import * as versions from './versions.ts';

/** An image in the store. */
export interface BuiltImage {
  readonly image: Image;
  /** The folder of the OCI layout. */
  readonly layout: string;
  /** The file that says why each file is there: a `Closure` as JSON. */
  readonly closure: string;
  /** Of the nginx in it. */
  readonly facts: NginxFacts;
  /** Bytes of all layers. */
  readonly size: { readonly raw: number; readonly compressed: number };
}

const LAYOUT = 'oci';
const CLOSURE = 'closure.json';
const FACTS = 'nginx.json';

/** Where `load_module` lines are, for nginx.conf to include. */
const MODULES = '/etc/nginx/modules.d';
/** Where `lua_package_path` of nginx.conf looks first. */
const LUA = '/etc/nginx/lua';

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
 * Makes the image of a request: what the programs need is collected from several roots seen as one, laid out, and written
 * as layers.
 */
export async function makeImage(
  context: Context,
  stages: Stages,
  need: Needs,
  request: Request,
  places: Places,
): Promise<BuiltImage> {
  const { recipe } = request;
  const { collected, entries } = await stages.run('collect', async (progress) => {
    progress.status('what the programs need');
    const found = collect(recipe, need.modules, places);
    return { value: { collected: found, entries: layOut(request, found, places.base) }, cached: false };
  });
  return await stages.run('image', async (progress) => {
    const { path, cached } = await context.store.directory('image', need.keys.image, async (dir) => {
      progress.status(`${entries.length} files, links and folders`);
      await writeFile(join(dir, CLOSURE), JSON.stringify(withEntries(collected.closure, entries)));
      await writeFile(join(dir, FACTS), JSON.stringify(collected.facts));
      const image = await pack(context, need, request, collected, split(entries, collected.closure, places));
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
    facts: JSON.parse(await readFile(join(path, FACTS), 'utf8')) as NginxFacts,
    size: { raw: sum(({ rawSize }) => rawSize), compressed: sum(({ size }) => size) },
  };
}

function layOut({ recipe, recipeDir }: Request, { closure, objects }: Collected, base: string): Entry[] {
  const { uid, gid } = recipe.user;
  const files = { directory: join(recipeDir, recipe.files), name: FILES };
  const entries = assemble({
    closure,
    generated: [
      ...users.entries([
        ...users.standard,
        ...[recipe.user, ...recipe.users].map((user) => ({ ...user, home: '/nonexistent' })),
      ]),
      ...certificates.caBundle(base),
      ...(recipe.timezones === 'none' ? [] : timezones.entries(base, recipe.timezones)),
      ...objects.map(({ module, paths }, index) => loading(module, paths, index)),
      ...recipe.lua.filter((name) => name.startsWith('/')).flatMap(luaFolder),
    ],
    files,
    directories: [
      { path: '/tmp', mode: 0o1777, reason: 'programs expect it' },
      ...Object.entries({ ...recipe.channel.writable, ...recipe.writable }).map(([path, mode]) => ({
        path,
        mode,
        uid,
        gid,
        reason: 'the recipe: writable',
      })),
      ...recipe.mountPoints.map((path) => ({ path, reason: 'the recipe: mounted on' })),
    ],
    // A file of the recipe takes the place of one that was installed; both may lay out the same folder.
    overrides: ['files'],
  });
  checkLoaded(objects, overlay.read(files.directory, files.name));
  return entries;
}

/** The file that loads a module; its number keeps the order. */
const loading = (module: string, paths: readonly string[], index: number): Entry =>
  generated.file(
    `${MODULES}/${String(10 + index)}-${module}.conf`,
    paths.map((path) => `load_module ${path};\n`).join(''),
    `the module ${module}`,
  );

const luaFolder = (dir: string): Entry[] =>
  overlay
    .read(dir, `the recipe\u2019s Lua folder ${posix.basename(dir)}`)
    .map((entry) => ({ ...entry, path: posix.join(LUA, entry.path) }));

/** A configuration that loads no modules makes no error by itself: their directives would be unknown, or do nothing. */
function checkLoaded(objects: Collected['objects'], files: readonly Entry[]): void {
  const entry = files.find(({ path }) => path === '/etc/nginx/nginx.conf');
  if (objects.length === 0 || entry?.type !== 'file' || !('file' in entry.content)) return;
  const { file } = entry.content;
  if (/^\s*(include\s+\S*modules\.d\/|load_module\s)/m.test(readFileSync(file, 'utf8'))) return;
  throw new ForgeError('MODULES_NOT_LOADED', `${file} loads no modules`, {
    expected: `include ${MODULES}/*.conf; at its top, for ${objects.map(({ module }) => module).join(', ')}`,
    hint: `add the line, or link statically: --module ${objects[0]?.module}=static`,
  });
}

/** Lowest first: what changes seldom is below what changes often. */
function split(entries: readonly Entry[], closure: Closure, places: Places): layers.Layer[] {
  const compiled = [places.nginx, ...places.modules.values()].filter((dir) => dir !== undefined);
  const made = new Set(
    closure.flatMap((item) =>
      item.type === 'file' && compiled.some((dir) => item.source.startsWith(`${dir}/`)) ? [item.path] : [],
    ),
  );
  return layers.split(entries, [
    { name: 'system', matches: ({ path, reason }) => reason !== FILES && !made.has(path) },
    { name: 'nginx', matches: ({ reason }) => reason !== FILES },
    { name: 'files', matches: () => true },
  ]);
}

async function pack(
  context: Context,
  need: Needs,
  request: Request,
  { facts }: Collected,
  groups: readonly layers.Layer[],
): Promise<Image> {
  const { recipe } = request;
  const epoch = epochOf(recipe);
  const code = need.book.code('libs/image', 'libs/pipeline/layers.ts');
  const written = await Promise.all(
    groups.map(async (group) => ({
      layer: await take(context, code, group, epoch),
      createdBy: `h3forge: ${group.name}`,
    })),
  );
  const labels = { ...labelsOf(request, need, facts), ...recipe.image.labels };
  return create({
    platform: platform.parse(recipe.platform),
    created: epoch,
    layers: written,
    config: configOf(recipe, labels),
    annotations: labels,
  });
}

const configOf = (
  recipe: Recipe,
  labels: Readonly<Record<string, string>>,
): Parameters<typeof create>[0]['config'] => ({
  user: `${recipe.user.uid}:${recipe.user.gid}`,
  exposedPorts: recipe.image.ports,
  env: recipe.image.env,
  entrypoint: recipe.image.entrypoint,
  cmd: recipe.image.command,
  workingDir: recipe.image.workingDir,
  stopSignal: recipe.image.stopSignal,
  labels,
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
