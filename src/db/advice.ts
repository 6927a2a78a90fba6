// Owns telling the planner, for one transaction, which ways of running a statement it may not take. Does not own
// the settings that hold for all of them (database.ts).

import type { Transaction } from './executor.js';

type Way = 'sort' | 'hashjoin' | 'mergejoin';

/**
 * Travels with the statement that is sent after it. A failure is told by that statement, which the server then
 * passes over.
 */
export function planWith(tx: Transaction, setting: 'on' | 'off', ways: readonly Way[]): void {
  for (const way of ways) {
    const name = `perennial_${way}_${setting}`;
    tx.rows({ name, text: `SET LOCAL enable_${way} = ${setting}` }).catch(() => undefined);
  }
}
