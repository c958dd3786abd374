import { expect } from 'vitest';
import { ForgeError } from '../../libs/core/errors.ts';

/** The ForgeError that a function throws; the test fails if it throws none. */
export function thrown(work: () => unknown): ForgeError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ForgeError);
    return error as ForgeError;
  }
  return expect.fail('nothing was thrown');
}
