// Owns a tenant's customers in the form in which a likelihood reads them: equal ones merged, sorted, in columns.
// Does not own the likelihood (dropoutLikelihood.ts).

import type { PurchaseHistory } from './dropout.js';

/** How many customers have this history. */
export interface CustomerGroup extends PurchaseHistory {
  customers: number;
}

/** Columns, not objects: a search reads all of them dozens of times. */
export interface DropoutSample {
  groups: number;
  /** The first so many groups have no repeat. */
  oneTimeGroups: number;
  customers: number;
  weight: Float64Array;
  repeats: Float64Array;
  spanDays: Float64Array;
  ageDays: Float64Array;
  /** At i: how many customers have more than i repeats, so that a sum over i is taken once for all. */
  moreThan: number[];
  /** Customers with three purchase days or more. */
  repeaters: number;
  repeatsTotal: number;
  ageDaysTotal: number;
  ageDaysMax: number;
}

/** Equal customers become one; who cannot be (a last purchase before the first one) is left out. */
export function gatherHistories(groups: readonly CustomerGroup[]): DropoutSample {
  const possible = groups.filter(isPossible);
  // Sorted, so that the sums, and with them the last digits, do not depend on the order of the customers.
  const order = possible.sort(
    (a, b) => a.repeats - b.repeats || a.spanDays - b.spanDays || a.ageDays - b.ageDays,
  );
  const merged: CustomerGroup[] = [];
  for (const group of order) {
    const last = merged.at(-1);
    if (last !== undefined && isSame(last, group)) last.customers += group.customers;
    else merged.push({ ...group });
  }
  const customers = merged.reduce((sum, group) => sum + group.customers, 0);
  const moreThan: number[] = [];
  let left = customers;
  for (const group of merged) {
    while (moreThan.length < group.repeats) moreThan.push(left);
    left -= group.customers;
  }
  return {
    groups: merged.length,
    oneTimeGroups: merged.filter((group) => group.repeats === 0).length,
    customers,
    weight: Float64Array.from(merged, (group) => group.customers),
    repeats: Float64Array.from(merged, (group) => group.repeats),
    spanDays: Float64Array.from(merged, (group) => group.spanDays),
    ageDays: Float64Array.from(merged, (group) => group.ageDays),
    moreThan,
    repeaters: moreThan[1] ?? 0,
    repeatsTotal: merged.reduce((sum, group) => sum + group.customers * group.repeats, 0),
    ageDaysTotal: merged.reduce((sum, group) => sum + group.customers * group.ageDays, 0),
    ageDaysMax: merged.reduce((max, group) => Math.max(max, group.ageDays), 0),
  };
}

function isPossible({ repeats, spanDays, ageDays, customers }: CustomerGroup): boolean {
  return (
    Number.isSafeInteger(repeats) &&
    repeats >= 0 &&
    spanDays >= 0 &&
    ageDays >= spanDays &&
    Number.isFinite(ageDays) &&
    customers > 0
  );
}

function isSame(a: CustomerGroup, b: CustomerGroup): boolean {
  return a.repeats === b.repeats && a.spanDays === b.spanDays && a.ageDays === b.ageDays;
}
