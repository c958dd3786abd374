import { join, relative, resolve } from 'node:path';
import { ForgeError } from '../../libs/core/errors.ts';
import type { Output } from '../../libs/core/output.ts';
import type { Request } from '../../libs/pipeline/context.ts';
import { channels } from '../../nginx-quic/channels/index.ts';
import recipe from '../../nginx-quic/recipe.ts';
import { repository } from './main.ts';

const place = (name: string): string => relative(process.cwd(), join(repository, 'dist', recipe.name, name)) || '.';

/** Where an image goes when the user names no other place. */
export const defaultOutputs: readonly Output[] = [
  { type: 'layout', path: place('oci') },
  { type: 'dockerfile', path: place('docker') },
];

/** An output as the user means it: npm runs a script in the project's folder, wherever it was typed. */
export const fromUser = (output: Output): Output => ({
  ...output,
  path:
    process.env.INIT_CWD === undefined
      ? output.path
      : relative(process.cwd(), resolve(process.env.INIT_CWD, output.path)) || '.',
});

/** What a command builds or speaks of: the recipe with that channel. Throws `CHANNEL_UNKNOWN`. */
export function request(channelName: string, outputs: readonly Output[]): Request {
  const channel = channels.find(({ name }) => name === channelName);
  if (channel === undefined) {
    throw new ForgeError('CHANNEL_UNKNOWN', `there is no channel ${channelName}`, {
      expected: channels.map(({ name, description }) => `${name} (${description})`).join(', '),
      found: channelName,
    });
  }
  return { recipe: { ...recipe, channel }, recipeDir: join(repository, 'nginx-quic'), outputs };
}
