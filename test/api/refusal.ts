// The failure that a piece of work is refused with; a test fails where it is not refused, or breaks otherwise.

import { PerennialError } from '../../src/errors.js';

export function refusalOf(work: () => unknown): PerennialError {
  try {
    work();
  } catch (error) {
    if (error instanceof PerennialError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
