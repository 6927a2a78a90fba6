// Owns the histories of the CDNOW sample as the core takes them. Does not own the log (demo/purchases.ts).

import type { OrderFact } from '../../src/lifecycle/facts.js';
import type { History } from '../../src/lifecycle/replay.js';
import { readPurchases } from '../demo/purchases.js';

export const DAY_MS = 86_400_000;
/** 39 of the 78 weeks: the cut that the literature fits up to. */
export const CUT_MS = Date.UTC(1997, 8, 30);

export function readHistories(): History[] {
  const byCustomer = new Map<string, OrderFact[]>();
  for (const { row, customer, placedAtMs, amountMinor } of readPurchases().purchases) {
    const order = {
      id: String(row).padStart(5, '0'),
      at: placedAtMs,
      categories: ['music'],
      currency: 'USD',
      amountMinor,
    };
    byCustomer.set(customer, [...(byCustomer.get(customer) ?? []), order]);
  }
  return [...byCustomer.values()].map((orders) => {
    const createdAt = orders[0]?.at ?? 0;
    return { createdAt, orders, touchpoints: [], moves: [], changes: [] };
  });
}
