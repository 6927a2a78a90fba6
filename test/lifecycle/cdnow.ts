// Reads the CDNOW purchases of test/fixtures for the tests of the core.

import { readFileSync } from 'node:fs';
import type { OrderFact } from '../../src/lifecycle/facts.js';
import type { CustomerGaps } from '../../src/lifecycle/models/cadenceFit.js';

const DAY = 86_400_000;

/** The orders of each customer, each at 00:00Z of its day; the row number is the id. */
export function readPurchases(): Map<string, OrderFact[]> {
  const text = readFileSync('test/fixtures/cdnow/CDNOW_sample.txt', 'utf8');
  const customers = new Map<string, OrderFact[]>();
  for (const [row, line] of text.trimEnd().split('\n').entries()) {
    const [master, , date = '', , dollars] = line.trim().split(/\s+/);
    const at = Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00Z`);
    const amountMinor = Math.round(Number(dollars) * 100);
    const order = { id: String(row).padStart(5, '0'), at, categories: [], currency: 'USD', amountMinor };
    const orders = customers.get(master ?? '');
    if (orders === undefined) customers.set(master ?? '', [order]);
    else orders.push(order);
  }
  return customers;
}

/** What the cadence fit takes, of purchases up to a day, inclusive. */
export function gapsUntil(purchases: Map<string, OrderFact[]>, date: string): CustomerGaps[] {
  const until = Date.parse(`${date}T00:00Z`);
  return [...purchases.values()].map((orders) => {
    const days = new Set(orders.map((order) => order.at).filter((at) => at <= until));
    return { gaps: days.size - 1, totalDays: (Math.max(...days) - Math.min(...days)) / DAY };
  });
}
