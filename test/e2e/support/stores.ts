import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect } from 'vitest';
import type { Digest } from '../../../libs/core/digest.ts';
import * as digest from '../../../libs/core/digest.ts';
import * as platform from '../../../libs/core/platform.ts';
import * as inputs from '../../../libs/pipeline/inputs.ts';
import type { SourceMaterial } from '../../../libs/pipeline/materials.ts';
import type { Unit } from '../../../libs/pipeline/units.ts';
import * as wanted from '../../../libs/pipeline/wanted.ts';
import * as paths from '../../../libs/store/paths.ts';
import * as stores from '../../../libs/store/store.ts';
import { lua } from '../../../nginx-quic/lua.ts';
import { modules } from '../../../nginx-quic/modules/index.ts';
import { tools } from '../../../nginx-quic/tools.ts';
import { repository } from '../../../scripts/support/main.ts';
import { recipeOf } from '../../../scripts/support/request.ts';
import * as cli from './cli.ts';
import { clone } from './project.ts';
import { folder } from './temp.ts';

/** What a store can begin with: all downloads, a root, the source trees, what was compiled, the image. */
export type Part = 'downloads' | 'xz' | 'sandbox' | 'builder' | 'client' | 'source' | 'compile' | 'image';
/** Everything that must be there so that nothing is compiled. */
export const compiled: readonly Part[] = ['sandbox', 'builder', 'client', 'compile'];
export const everything: readonly Part[] = ['downloads', 'source', 'image', ...compiled];

/** A store of a test's own. */
export interface Store {
  /** What `XDG_CACHE_HOME` must say. Its name is nowhere else on this machine. */
  readonly cache: string;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the folders of a part lie, or would. */
  paths(part: Part): string[];
  /** Takes these parts of the warm store too, as hard links: a file of it must be replaced, never written into. */
  add(...parts: Part[]): void;
}

/** The store of whoever runs the tests: what is made in it is not made again by the next run, nor by a build. */
const shared = paths.directory(process.env, homedir());

/** The digest of the image in the warm store. */
export async function warmDigest(): Promise<string> {
  const { keys } = await warm();
  const index = join(shared, 'image', digest.hex(keys.image), 'tree/oci/index.json');
  return (JSON.parse(readFileSync(index, 'utf8')) as { manifests: { digest: string }[] }).manifests[0]?.digest ?? '';
}

/** The folder of all downloads of the warm store. */
export async function warmDownloads(): Promise<string> {
  await warm();
  return join(shared, 'downloads');
}

/** A store that begins with these parts of the warm one, and with nothing else. */
export async function storeWith(...parts: Part[]): Promise<Store> {
  const need = await warm();
  // Hard links need the same file system.
  const cache = folder(dirname(shared));
  const dir = join(cache, 'h3forge');
  mkdirSync(dir);
  const store: Store = {
    cache,
    dir,
    env: { XDG_CACHE_HOME: cache },
    paths: (part) => foldersOf(dir, need, part),
    add(...more) {
      for (const from of more.flatMap((part) => foldersOf(shared, need, part))) {
        const to = join(dir, relative(shared, from));
        mkdirSync(dirname(to), { recursive: true });
        execFileSync('cp', ['--archive', '--link', from, to]);
      }
    },
  };
  // Whoever has the sandbox has what unpacked it.
  store.add(...(parts.includes('sandbox') ? (['xz'] as const) : []), ...parts);
  return store;
}

/** A digest of all that lies in a folder, with times: nothing was written where it is the same again. */
export function fingerprint(dir: string): string {
  const lines = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((path) => {
    const { size, mtimeMs, ctimeMs, mode } = lstatSync(join(dir, path));
    return `${path} ${size} ${mtimeMs} ${ctimeMs} ${mode}`;
  });
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

let ready: Promise<inputs.Needs> | undefined;
/** Makes the shared store hold everything, by a build as a user does it: the only long one where nothing is there yet. */
function warm(): Promise<inputs.Needs> {
  ready ??= prepare();
  return ready;
}

async function prepare(): Promise<inputs.Needs> {
  const machine = platform.ofMachine(process.platform, process.arch);
  const root = process.getuid?.() === 0;
  const catalogue = { modules, lua };
  const request = { ...(await recipeOf({})), sources: {}, foreign: new Map(), outputs: [] };
  const need = await inputs.of(request, { repository, machine, root, tools, catalogue });
  const store = await stores.open(shared);
  const keys: [stores.Kind, Digest][] = [
    ...[need.xz, need.sandbox, need.base, need.client, ...sources(need)].map(({ kind, key }): [stores.Kind, Digest] => [
      kind,
      key,
    ]),
    ['compile', unit(need).key],
    ['image', need.keys.image],
  ];
  const there = await Promise.all(keys.map(([kind, key]) => store.has(kind, key)));
  const files = [need.xz, ...wanted.materials(need, false, [unit(need)]).map(({ material }) => material)].flatMap(
    (material) => material.files,
  );
  if (there.every(Boolean) && files.every(({ sha256 }) => existsSync(content(sha256)))) return need;
  // A build makes only what it needs; so that it needs all, nothing is there.
  for (const [kind, key] of keys) rmSync(dirname(store.path(kind, key)), { recursive: true, force: true });
  const { exitCode, stderr } = await cli.run(clone(), 'build-image', []);
  expect(exitCode, stderr).toBe(0);
  return need;
}

/** Where `cacache` has a file. */
function content(sha256: Digest): string {
  const hex = digest.hex(sha256);
  return join(shared, 'downloads/content-v2/sha256', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
}

function foldersOf(dir: string, need: inputs.Needs, part: Part): string[] {
  const of = (kind: stores.Kind, key: Digest): string => join(dir, kind, digest.hex(key));
  if (part === 'downloads') return [join(dir, 'downloads')];
  if (part === 'source') return sources(need).map(({ key }) => of('source', key));
  if (part === 'compile') return [of('compile', unit(need).key)];
  if (part === 'image') return [of('image', need.keys.image)];
  return [of('root', (part === 'builder' ? need.base : need[part]).key)];
}

/** What the default recipe compiles: nginx, and no dynamic module. */
function unit({ units }: inputs.Needs): Unit {
  if (units === undefined) throw new Error('nothing is compiled');
  return units.nginx;
}

const sources = (need: inputs.Needs): readonly SourceMaterial[] => unit(need).sources;
