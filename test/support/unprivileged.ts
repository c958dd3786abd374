import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../../libs/core/command.ts';
import * as tools from '../../libs/sandbox/tools.ts';
import { finish } from './processes.ts';
import type { Input, Outcome } from './programs/sandbox.ts';
import * as tree from './tree.ts';

/** A user without a name or a file on most machines. */
export const ID = 65_534;

/** The words that run a command as a user without any right. Only root may. */
export const prefix = (kit: tools.Tools): string[] => [
  ...tools.program(kit, 'usr/bin/setpriv'),
  ...[`--reuid=${ID}`, `--regid=${ID}`, '--clear-groups', '--'],
];

/** The words that run one of the programs beside this file in Node. */
export const program = (name: string): string[] => [
  process.execPath,
  '--no-warnings',
  join(import.meta.dirname, 'programs', name),
];

/** Why our programs cannot be run as another user here; `undefined` where they can. */
export function obstacle(kit: tools.Tools): string | undefined {
  if (!kit.root) return 'only root may become another user';
  const can = (...argv: string[]): boolean => {
    const [command = '', ...rest] = [...prefix(kit), ...argv];
    return spawnSync(command, rest, { stdio: 'ignore' }).status === 0;
  };
  if (!can(process.execPath, '--version')) return 'another user may not run this Node';
  return can('test', '-r', join(import.meta.dirname, 'unprivileged.ts'))
    ? undefined
    : 'another user may not read this folder';
}

/** Why a user without rights gets no namespaces on this machine; `undefined` where it does. */
export async function refusal(kit: tools.Tools): Promise<string | undefined> {
  const options = { root: '/', mounts: [], log: join(folder(), 'log') };
  const command: Command = { name: 'nothing', argv: ['true'], env: { PATH: '/usr/bin:/bin' }, cwd: '/' };
  const input: Input = { kit: copy(kit), command, options };
  const { stdout } = await finish([...prefix(kit), ...program('sandbox.ts'), JSON.stringify(input)]);
  const { error } = JSON.parse(stdout) as Outcome;
  return error?.code === 'SANDBOX_FORBIDDEN' ? `users without rights get no namespaces: ${error.found}` : undefined;
}

/** The tools of a user without rights: a copy where any user may read it. */
export function copy(kit: tools.Tools): tools.Tools {
  const dir = join(folder(), 'tools');
  cpSync(kit.dir, dir, { recursive: true, verbatimSymlinks: true });
  return { ...kit, dir, root: false };
}

/** A folder that every user may write to, removed when the test is over. */
export function folder(): string {
  const top = tree.make();
  chmodSync(top, 0o777);
  return top;
}
