import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { ForgeError, hasCode } from '../core/errors.ts';

/** What a recipe's file threw when it was run, in terms of that file: its line, and no stack of ours. */
export async function explain(error: unknown, file: string): Promise<ForgeError> {
  const { name, message } = error instanceof Error ? error : { name: 'thrown', message: String(error) };
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const place = placeIn(stack, file) ?? (error instanceof SyntaxError ? await placeOfSyntax(file) : undefined);
  return new ForgeError('RECIPE_FAILED', `${place ?? file} cannot be run: ${name}: ${firstLine(message)}`, {
    ...advice(error, message),
    cause: error,
  });
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

function advice(error: unknown, message: string): { expected?: string; hint?: string } {
  if (hasCode(error, 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')) {
    return {
      expected: 'TypeScript that is JavaScript once its types are taken away',
      hint: 'instead of an enum or a namespace use an object (`as const`); instead of a parameter property, a field',
    };
  }
  if (hasCode(error, 'ERR_MODULE_NOT_FOUND')) {
    return message.startsWith('Cannot find package')
      ? { hint: "a recipe needs no package but 'h3forge'; what else it imports must be installed in its folder" }
      : { hint: 'an import of a file has its ending: ./labels.ts' };
  }
  return {};
}

/** The first line of a stack that is in the recipe's folder: `/home/me/shop/h3forge.config.ts:3:15`. */
function placeIn(stack: string, file: string): string | undefined {
  const top = dirname(file);
  const url = pathToFileURL(top).href;
  for (const line of stack.split('\n')) {
    for (const start of [`${url}/`, `${top}/`]) {
      const at = line.indexOf(start);
      const [, name, numbers] =
        at < 0 ? [] : (/^([^:]*\.[cm]?[jt]s)(:\d+(:\d+)?)/.exec(line.slice(at + start.length)) ?? []);
      if (name !== undefined) return `${top}/${start === `${url}/` ? decodeURIComponent(name) : name}${numbers}`;
    }
  }
  return undefined;
}

/** An error of V8's parser does not say where; `node --check` does. */
async function placeOfSyntax(file: string): Promise<string | undefined> {
  const { stderr } = await execa(process.execPath, ['--check', basename(file)], { cwd: dirname(file), reject: false });
  return placeIn(stderr, file);
}
