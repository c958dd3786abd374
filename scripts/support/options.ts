import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Output } from '../../libs/core/output.ts';

/** What is built: the options that every command about an image has. */
export interface RecipeOptions {
  readonly channel?: string;
  readonly recipe?: string;
  readonly module?: string[];
  readonly lua?: string[];
  readonly openssl?: string;
  readonly source?: string[];
  readonly require?: string[];
}

const repeated = (text: string, earlier: string[] = []): string[] => [...earlier, text];

/** Adds those options to a command. */
export const withRecipeOptions = (program: Command): Command =>
  program
    .option('--channel <name>', 'where nginx comes from: debian (default), packaged, stable, mainline')
    .option('--recipe <dir>', 'a folder with a h3forge.config.ts of your own')
    .option(
      '--module <name[=link]>',
      'a module (npm run modules), ./FOLDER, ./OBJECT.so or git+URL#COMMIT; repeatable',
      repeated,
    )
    .option('--lua <name>', 'a Lua library (npm run modules) or ./FOLDER; repeatable', repeated)
    .option('--openssl <name>', 'where libssl comes from: suite, or testing')
    .option('--source <name=place>', 'compile this instead: nginx=DIR, ARCHIVE or URL@COMMIT; repeatable', repeated)
    .option('--require <quic=name>', 'fail unless nginx was compiled so: quic=native', repeated);

/** A path as the user means it: npm runs a script in the project's folder, wherever it was typed. */
export const fromUser = (path: string): string => resolve(process.env.INIT_CWD ?? process.cwd(), path);

/** A path for messages: as short as it can be. */
export const shown = (path: string): string => relative(process.cwd(), path) || '.';

/** An output with its path as the user means it. */
export const outputFromUser = (output: Output): Output => ({ ...output, path: shown(fromUser(output.path)) });
