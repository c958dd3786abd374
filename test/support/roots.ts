import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootDefinition } from '../../libs/core/channel.ts';
import * as locks from '../../libs/core/lock.ts';
import type { Context } from '../../libs/pipeline/context.ts';
import * as inputs from '../../libs/pipeline/inputs.ts';
import * as keys from '../../libs/pipeline/keys.ts';
import * as pinned from '../../libs/pipeline/locks.ts';
import * as materials from '../../libs/pipeline/materials.ts';
import * as obtain from '../../libs/pipeline/obtain.ts';
import { stages as stagesOf } from '../../libs/pipeline/stages.ts';
import type { Tools } from '../../libs/sandbox/tools.ts';
import { plain } from '../../libs/ui/plain.ts';
import { channels } from '../../nginx-quic/channels/index.ts';
import { tools } from '../../nginx-quic/tools.ts';
import { openContext } from '../../scripts/support/context.ts';
import { request } from '../../scripts/support/defaults.ts';
import { repository } from '../../scripts/support/main.ts';
import * as definitions from './definitions.ts';

/** The roots that tests run real programs in. */
export type Name = 'sandbox' | 'builder' | 'client' | keyof typeof definitions.roots;

/** Where the lock of the roots that only tests use lies. */
export const lockFile = join(import.meta.dirname, 'locks', 'test.json');

const channel = channels[0]?.name ?? '';
const reporter = plain(() => undefined);
const never = new AbortController().signal;

let opened: Promise<Context> | undefined;
const context = (): Promise<Context> => {
  opened ??= openContext(never, reporter);
  return opened;
};

const folders = new Map<Name, Promise<string>>();

/**
 * The folder of a root, made by our own code as a build makes it: from the store, or downloaded and assembled there.
 * Several tests, test files and builds may ask at once. It is shared: nothing may write to it.
 */
export function root(name: Name): Promise<string> {
  const folder = folders.get(name) ?? assemble(name);
  folders.set(name, folder);
  return folder;
}

async function assemble(name: Name): Promise<string> {
  const from = await context();
  const [code, { lock, definition }] = await Promise.all([keys.codeOf(repository), origin(name)]);
  const material = materials.root(code, lock, name, definition);
  const stages = stagesOf(reporter, () => undefined);
  const downloads = await obtain.fetch(from, stages, [{ material, lock }]);
  return await obtain.assembleRoot(from, stages, downloads, material);
}

async function origin(name: Name): Promise<{ lock: locks.Lock; definition: RootDefinition }> {
  if (name === 'builder') {
    const [{ name: lock, builder: definition } = unknownChannel()] = channels;
    return { lock: await pinned.read(repository, lock), definition };
  }
  if (name === 'sandbox' || name === 'client') {
    return { lock: await pinned.read(repository, pinned.TOOLS), definition: tools[name] };
  }
  return { lock: locks.parse(await readFile(lockFile, 'utf8'), lockFile), definition: definitions.roots[name] };
}

function unknownChannel(): never {
  throw new Error('there is no channel');
}

/** The programs that make sandboxes; as root or not, as these tests are run. */
export async function kit(): Promise<Tools> {
  const { machine, root: isRoot } = await context();
  return { dir: await root('sandbox'), platform: machine, root: isRoot };
}

/** What compiling the default channel installed, where the store has it; `undefined` before the first build. */
export async function installed(): Promise<string | undefined> {
  const from = await context();
  const need = await inputs.of(request(channel, []), from);
  const there = await from.store.has('compile', need.keys.compile);
  return there ? from.store.path('compile', need.keys.compile) : undefined;
}
