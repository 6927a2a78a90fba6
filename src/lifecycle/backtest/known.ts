// Owns what was known of a customer at an instant, and what they did after it. Does not own what a policy makes
// of it (observe.ts).

import type { OrderFact } from '../facts.js';
import type { History } from '../replay.js';

/**
 * The history without what came after `at`; null where the customer was not there yet. Every list of a history
 * is of facts with an `at`, so a new kind of fact is cut off like the others.
 */
export function knownAt(history: History, at: number): History | null {
  const entries = Object.entries(history).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.filter((fact: { at: number }) => fact.at <= at) : value,
  ]);
  const known: History = Object.fromEntries(entries);
  // A profile that was made later said from its making on what is taken to have been so before: see replay.ts.
  const saidAt = Math.max(at, history.createdAt);
  known.changes = history.changes.filter((change) => change.at <= saidAt);
  const isThere =
    history.createdAt <= at ||
    entries.some(([name, list]) => name !== 'changes' && Array.isArray(list) && list.length > 0);
  return isThere ? known : null;
}

/** A customer's orders around a cut, in the order of time. */
export interface Purchases {
  /** The last counting order up to the cut; null where there is none. */
  lastBeforeAt: number | null;
  /** The first one in the horizon after it; null where there is none. */
  firstAfterAt: number | null;
  /** In the horizon before the cut and in the one after it, by currency. */
  spentBefore: Map<string, number>;
  spentAfter: Map<string, number>;
}

export function purchasesAround(orders: readonly OrderFact[], at: number, horizonMs: number): Purchases {
  const purchases: Purchases = {
    lastBeforeAt: null,
    firstAfterAt: null,
    spentBefore: new Map(),
    spentAfter: new Map(),
  };
  for (const order of orders) {
    if (order.at <= at) {
      purchases.lastBeforeAt = Math.max(purchases.lastBeforeAt ?? order.at, order.at);
      if (order.at > at - horizonMs) addTo(purchases.spentBefore, order.currency, order.amountMinor);
    } else if (order.at <= at + horizonMs) {
      purchases.firstAfterAt = Math.min(purchases.firstAfterAt ?? order.at, order.at);
      addTo(purchases.spentAfter, order.currency, order.amountMinor);
    }
  }
  return purchases;
}

/** Whether an order was placed later than `after` and up to `until`. */
export function hasOrderIn(orders: readonly OrderFact[], after: number, until: number): boolean {
  return orders.some((order) => order.at > after && order.at <= until);
}

export function addTo<K>(sums: Map<K, number>, key: K, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}
