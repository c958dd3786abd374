import { basename } from 'node:path';
import type { Command } from '../core/command.ts';
import * as command from '../core/command.ts';
import { format } from '../core/output.ts';
import * as series from '../source/series.ts';
import { TREE } from '../source/unpack.ts';
import * as certificate from '../verify/certificate.ts';
import * as curl from '../verify/curl.ts';
import { smoke } from '../verify/smoke.ts';
import type { Context, Request } from './context.ts';
import * as inputs from './inputs.ts';
import type { Material } from './materials.ts';
import { config } from './prove.ts';

/**
 * Every command that a build of the request would run from an empty store, as text that a shell reads: comments say in
 * which root, and what is done without a command. Nothing is run or downloaded.
 */
export async function planText(request: Request, context: Context): Promise<string> {
  const need = await inputs.of(request, context);
  const { recipe } = request;
  const wanted = need.materials(false, false);
  const bytes = wanted.flatMap(({ material }) => material.files).reduce((sum, { size }) => sum + size, 0);
  const container = config(recipe);
  return [
    `# download: ${wanted.reduce((sum, { material }) => sum + material.files.length, 0)} files, ${bytes} bytes`,
    ...wanted.flatMap(({ material }) => material.files.map(({ path, sha256 }) => `#   ${path} ${sha256}`)),
    '',
    ...[need.sandbox, need.builder, need.client].map(root),
    '',
    ...need.sources.flatMap(({ name, pinned }) => [
      `# source ${name}: ${basename(pinned.orig.path)} unpacked at ${TREE}; in the builder root`,
      ...series.plan(pinned.patches ?? [], TREE).map(command.toShell),
    ]),
    '',
    '# compile: in the builder root; those that do not need each other run side by side',
    ...need.steps.map((step) => `${command.toShell(step)}${step.needs.length > 0 ? `  # after ${step.needs}` : ''}`),
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
    ...new Set(smoke.map(({ request: asked }) => command.toShell(curl.command(asked)))),
    '',
  ].join('\n');
}

const root = ({ name, files }: Material): string => `# root ${name}: ${files.length} packages unpacked`;
