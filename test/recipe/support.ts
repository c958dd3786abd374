import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Loaded } from '../../libs/recipe/load.ts';

export const repository = join(import.meta.dirname, '../..');
const loader = join(repository, 'libs/recipe/load.ts');
const forge = join(repository, 'h3forge.ts');

/** What loading a recipe's folder came to, and what was written meanwhile. */
export interface Outcome {
  readonly loaded?: Loaded;
  readonly error?: { readonly code?: string; readonly message: string; readonly [detail: string]: unknown };
  readonly stderr: string;
}

/** In a Node of its own, because here the test runner imports files its own way; `cwd` is another folder on purpose. */
export async function load(dir: string): Promise<Outcome> {
  const program = `
    import { load } from ${JSON.stringify(loader)};
    const outcome = await load(${JSON.stringify(dir)}, ${JSON.stringify(forge)}).then(
      (loaded) => ({ loaded }),
      ({ name, code, message, expected, found, hint }) => ({ error: { name, code, message, expected, found, hint } }),
    );
    process.stdout.write(JSON.stringify(outcome));`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: '/',
  });
  return { ...(JSON.parse(stdout) as Omit<Outcome, 'stderr'>), stderr };
}
