import { join } from 'node:path';
import type { Lock } from '../../libs/core/lock.ts';
import type { Context } from '../../libs/pipeline/context.ts';
import * as inputs from '../../libs/pipeline/inputs.ts';
import * as keys from '../../libs/pipeline/keys.ts';
import * as locks from '../../libs/pipeline/locks.ts';
import * as materials from '../../libs/pipeline/materials.ts';
import * as obtain from '../../libs/pipeline/obtain.ts';
import * as parts from '../../libs/pipeline/parts.ts';
import { stages as stagesOf } from '../../libs/pipeline/stages.ts';
import type { Tools } from '../../libs/sandbox/tools.ts';
import { plain } from '../../libs/ui/plain.ts';
import { debian as channel } from '../../nginx-quic/channels/debian.ts';
import { lua } from '../../nginx-quic/lua.ts';
import { modules } from '../../nginx-quic/modules/index.ts';
import { tools } from '../../nginx-quic/tools.ts';
import { openContext } from '../../scripts/support/context.ts';
import { repository } from '../../scripts/support/main.ts';
import { requestOf } from '../../scripts/support/request.ts';
import * as definitions from './definitions.ts';

/** The roots that tests run real programs in. */
export type Name = 'sandbox' | 'builder' | 'client' | keyof typeof definitions.roots;

/** Where the lock of the roots that only tests use lies. */
export const lockFile = join(import.meta.dirname, 'locks', 'test.json');

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
  const [code, place] = await Promise.all([keys.codeOf(repository), origin(name)]);
  const material = materials.root({ code, ...place }, name);
  const stages = stagesOf(reporter, () => undefined);
  const toolsLock = await locks.read(locks.path(repository, locks.TOOLS));
  const xz = materials.root({ code, lock: toolsLock, parts: parts.ofRoots(tools) }, 'xz');
  const wanted = { material, lock: place.lock };
  const downloads = await obtain.fetch(from, stages, [wanted], { material: xz, lock: toolsLock });
  return await obtain.roots(from, stages, downloads, xz)(material);
}

async function origin(name: Name): Promise<{ lock: Lock; parts: parts.Parts }> {
  if (name === 'builder') {
    return { lock: await locks.read(locks.path(repository, channel.name)), parts: parts.of(channel, { modules, lua }) };
  }
  if (name === 'sandbox' || name === 'client') {
    return { lock: await locks.read(locks.path(repository, locks.TOOLS)), parts: parts.ofRoots(tools) };
  }
  return { lock: await locks.read(lockFile), parts: parts.ofRoots(definitions.roots) };
}

/** The programs that make sandboxes; as root or not, as these tests are run. */
export async function kit(): Promise<Tools> {
  const { machine, root: isRoot } = await context();
  return { dir: await root('sandbox'), platform: machine, root: isRoot };
}

/** What compiling the default channel installed, where the store has it; `undefined` before the first build. */
export async function installed(): Promise<string | undefined> {
  const from = await context();
  const { units } = await inputs.of(await requestOf({ channel: channel.name }, from, () => []), from);
  if (units === undefined || !(await from.store.has('compile', units.nginx.key))) return undefined;
  return from.store.path('compile', units.nginx.key);
}
