import { basename } from 'node:path';
import type { Command } from '../core/command.ts';
import * as command from '../core/command.ts';
import { format } from '../core/output.ts';
import * as git from '../source/git.ts';
import * as series from '../source/series.ts';
import { TREE } from '../source/unpack.ts';
import * as certificate from '../verify/certificate.ts';
import * as curl from '../verify/curl.ts';
import * as modules from '../verify/modules.ts';
import type { Context, Request } from './context.ts';
import * as inputs from './inputs.ts';
import type { RootMaterial, SourceMaterial } from './materials.ts';
import { config, probesOf } from './prove.ts';
import type { Unit } from './units.ts';
import * as wanted from './wanted.ts';

/**
 * Every command that a build of the request would run from an empty store, as text that a shell reads: comments say in
 * which root, and what is done without a command. Nothing is run or downloaded.
 */
export async function planText(request: Request, context: Context): Promise<string> {
  const need = await inputs.of(request, context);
  const { recipe } = request;
  const units = need.units === undefined ? [] : [need.units.nginx, ...need.units.modules.values()];
  const all = [need.xz, ...wanted.materials(need, false, units).map(({ material }) => material)];
  const files = all.flatMap((material) => material.files);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const roots = [
    ...new Map(
      [need.xz, need.sandbox, ...wanted.roots(need, units), need.client].map((one) => [one.key, one]),
    ).values(),
  ];
  const sources = [...new Map(units.flatMap((unit) => unit.sources).map((one) => [one.key, one])).values()];
  const container = config(recipe);
  const proofs = modules.proofs(need.modules);
  return [
    `# download: ${files.length} files, ${bytes} bytes`,
    ...files.map(({ path, sha256 }) => `#   ${path} ${sha256}`),
    '',
    ...roots.map(root),
    '',
    ...sources.flatMap(source),
    '',
    '# compile: those that do not need each other run side by side',
    ...units.flatMap(steps),
    '',
    `# collect and write: ${request.outputs.map(format).join(', ') || 'no output'}`,
    '',
    '# prove: the certificate and the probes in the client root, the server in the image',
    command.toShell(certificate.command('/client')),
    command.toShell({
      name: 'server',
      argv: [...container.entrypoint, ...container.command] as unknown as Command['argv'],
      env: container.env,
      cwd: container.workingDir,
    }),
    ...new Set(
      [...probesOf(recipe), ...modules.probes(proofs)].map((probe) => command.toShell(curl.command(probe.request))),
    ),
    '',
  ].join('\n');
}

const root = ({ name, files, base }: RootMaterial): string =>
  `# root ${name}: ${files.length} packages unpacked${base === undefined ? '' : ` onto ${base.name}`}`;

function source({ name, origin }: SourceMaterial): string[] {
  if (origin.type === 'local') return [`# source ${name}: ${origin.path}`];
  if (origin.type === 'git') return [`# source ${name}: commit ${origin.pin.commit} of ${git.shown(origin.pin.git)}`];
  const { pinned } = origin;
  return [
    `# source ${name}: ${basename(pinned.orig.path)} unpacked at ${TREE}; in the builder root`,
    ...series.plan(pinned.patches ?? [], TREE).map(command.toShell),
  ];
}

const steps = (unit: Unit): string[] => [
  `# ${unit.name}, in the root ${unit.root.name}`,
  ...unit.steps.map((step) => `${command.toShell(step)}${step.needs.length > 0 ? `  # after ${step.needs}` : ''}`),
];
