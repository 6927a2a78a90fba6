// Owns the comparison of the ledger in force with what a replay gives: what is to be taken back, what is to
// be added, and what stands but says something else. Does not own writing any of it (transitions/).

import { sameJson } from './json.js';
import type { Transition } from './transition.js';

export interface Reconciliation<Row> {
  /** No longer true; newest first. */
  retract: Row[];
  /** True and not yet recorded; oldest first. */
  add: Transition[];
  /** The same transition, recorded with other evidence (or another order behind it, or calibration). */
  refresh: { row: Row; transition: Transition }[];
}

/**
 * Rows are matched by (effectiveAt, from, to, cause, policyVersion). Both lists hold at most one row an
 * instant, so one pass over both in the order of time finds all.
 */
export function reconcile<Row extends Transition & { id: string }>(
  inForce: readonly Row[],
  replayed: readonly Transition[],
): Reconciliation<Row> {
  const rows = inTime(inForce);
  const found = inTime(replayed);
  const result: Reconciliation<Row> = { retract: [], add: [], refresh: [] };
  let i = 0;
  let j = 0;
  for (;;) {
    const row = rows[i];
    const transition = found[j];
    if (row === undefined && transition === undefined) break;
    if (row !== undefined && transition !== undefined && isSame(row, transition)) {
      if (!saysSame(row, transition)) result.refresh.push({ row, transition });
      i += 1;
      j += 1;
    } else if (row !== undefined && row.effectiveAt <= (transition?.effectiveAt ?? Infinity)) {
      result.retract.push(row);
      i += 1;
    } else if (transition !== undefined) {
      result.add.push(transition);
      j += 1;
    }
  }
  result.retract.reverse();
  return result;
}

function isSame(row: Transition, transition: Transition): boolean {
  return (
    row.effectiveAt === transition.effectiveAt &&
    row.from === transition.from &&
    row.to === transition.to &&
    row.cause === transition.cause &&
    row.policyVersion === transition.policyVersion
  );
}

function saysSame(row: Transition, transition: Transition): boolean {
  return (
    row.causeId === transition.causeId &&
    row.calibrationVersion === transition.calibrationVersion &&
    row.actor === transition.actor &&
    row.reason === transition.reason &&
    sameJson(row.evidence, transition.evidence)
  );
}

function inTime<T extends Transition>(transitions: readonly T[]): readonly T[] {
  const isBefore = (t: T, i: number) => i === 0 || (transitions[i - 1]?.effectiveAt ?? 0) <= t.effectiveAt;
  return transitions.every(isBefore)
    ? transitions
    : transitions.toSorted((a, b) => a.effectiveAt - b.effectiveAt);
}
