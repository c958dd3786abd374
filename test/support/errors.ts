import { ForgeError } from '../../libs/core/errors.ts';

/** The error that a promise rejects with; fails when it does not, or with one that is not ours. */
export async function rejection(promise: Promise<unknown>): Promise<ForgeError> {
  const outcome = await promise.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
  if (outcome instanceof ForgeError) return outcome;
  throw new Error('expected a ForgeError', { cause: outcome });
}
