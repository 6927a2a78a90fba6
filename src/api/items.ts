// Owns working a batch item by item: one item's failure is a value, its pointers lead into the batch, and it
// reads as a problem in the result. Does not own the failure of a whole request (plugins/errors).

import { type Fault, PerennialError } from '../errors.js';
import { type ProblemBody, problemOf } from './problem.js';

/** Runs `work`; gives back the failure that the caller may be told, and throws on any other. */
export function attempt<T>(work: () => T): T | PerennialError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PerennialError) return error;
    throw error;
  }
}

/** The same failure with its pointers below `prefix`. */
export function below(prefix: string, error: PerennialError): PerennialError {
  const faults = error.faults?.map(
    ({ pointer, detail }): Fault => ({ pointer: `${prefix}${pointer}`, detail }),
  );
  return new PerennialError(error.kind, error.code, error.message, { faults, members: error.members });
}

export type ItemResult<Data> = { status: number; data: Data } | { status: number; problem: ProblemBody };

/** Each result at its item's place: `outcomes` has one for each item that passed its check. */
export function itemResults<Outcome, Data>(
  checked: readonly unknown[],
  outcomes: readonly (Outcome | PerennialError | undefined)[],
  resultOf: (outcome: Outcome) => { status: number; data: Data },
): ItemResult<Data>[] {
  let place = 0;
  return checked.map((item, index) => {
    const outcome = item instanceof PerennialError ? item : outcomes[place++];
    if (outcome === undefined) throw new Error('one item in, one result out');
    return outcome instanceof PerennialError ? failedItem(index, outcome) : resultOf(outcome);
  });
}

/** What the result of a batch says of a failed item at `index` of its `items`. */
function failedItem(index: number, error: PerennialError): { status: number; problem: ProblemBody } {
  const pointer = `/items/${index}`;
  const problem = problemOf(below(pointer, error));
  problem.errors ??= [{ pointer, detail: error.message }];
  return { status: problem.status, problem };
}
