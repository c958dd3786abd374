import { inspect } from 'node:util';
import type { z } from 'zod';
import { ForgeError } from '../core/errors.ts';
import type { RecipeInput } from './input.ts';
import { schema } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** As much of a wrong value as is shown. */
const SHOWN = 80;

/**
 * What a recipe's file exports, when it is one; `file` is for messages. Throws `RECIPE_INVALID` with the first thing that
 * is wrong: where (`probes.0.path`), what was expected there and what was found.
 */
export function read(value: unknown, file: string): RecipeInput {
  if (!isPlain(value)) {
    throw new ForgeError('RECIPE_INVALID', `${file}: what it exports by default is no recipe`, {
      expected: 'export default defineRecipe({ ... })',
      found: shown(value),
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // What is missing may be what has a name that is not known.
  const issues = result.error.issues.map(innermost).sort((a, b) => Number(isUnknown(b)) - Number(isUnknown(a)));
  const [first] = issues;
  if (first === undefined) throw result.error;
  const unknown = isUnknown(first) ? first.keys[0] : undefined;
  const place = [...first.path, ...(unknown === undefined ? [] : [unknown])].join('.');
  const wrong = unknown === undefined ? 'is not right' : 'is no field';
  const others = issues.length === 1 ? '' : `; and ${issues.length - 1} more`;
  throw new ForgeError('RECIPE_INVALID', `${file}: ${place} ${wrong}${others}`, {
    expected: first.code === 'invalid_key' ? (first.issues[0]?.message ?? first.message) : first.message,
    found: unknown ?? shown(first.code === 'invalid_key' ? first.path.at(-1) : at(value, first.path)),
  });
}

const isUnknown = (issue: Issue): issue is z.core.$ZodIssueUnrecognizedKeys => issue.code === 'unrecognized_keys';

/** Not a promise, a class or a list, whose own fields could be as few as a recipe's. */
const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** Of a value that fits none of several types, what is wrong in the type that it most resembles: where it got deepest. */
function innermost(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const inside = issue.errors
    .map(([first]) => first)
    .filter((first) => first !== undefined)
    // A type that it is not at all says so of the value itself.
    .filter((first) => first.path.length > 0 || isUnknown(first))
    .sort((a, b) => b.path.length - a.path.length);
  const [best] = inside;
  return best === undefined ? issue : innermost({ ...best, path: [...issue.path, ...best.path] });
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`;
}
