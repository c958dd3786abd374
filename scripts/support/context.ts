import { availableParallelism, homedir } from 'node:os';
import * as platform from '../../libs/core/platform.ts';
import * as apt from '../../libs/debian/apt.ts';
import type { Context } from '../../libs/pipeline/context.ts';
import { mirrorsOf } from '../../libs/pipeline/mirrors.ts';
import * as paths from '../../libs/store/paths.ts';
import * as stores from '../../libs/store/store.ts';
import type { Reporter } from '../../libs/ui/reporter.ts';
import { channels } from '../../nginx-quic/channels/index.ts';
import { lua } from '../../nginx-quic/lua.ts';
import { modules } from '../../nginx-quic/modules/index.ts';
import { tools } from '../../nginx-quic/tools.ts';
import { repository } from './main.ts';

/** Reads from this machine, once and only here, all that a run depends on. */
export async function openContext(signal: AbortSignal, reporter: Reporter): Promise<Context> {
  return {
    repository,
    signal,
    reporter,
    tools,
    catalogue: { modules, lua },
    channels: channels.map(({ name }) => name),
    store: await stores.open(paths.directory(process.env, homedir())),
    mirrors: mirrorsOf(await apt.read('/etc/apt'), process.env.H3FORGE_DEBIAN_MIRROR),
    machine: platform.ofMachine(process.platform, process.arch),
    jobs: availableParallelism(),
    root: process.getuid?.() === 0,
  };
}
