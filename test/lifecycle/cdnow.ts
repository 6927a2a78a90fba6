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

/** A customer up to a day, in days, and whether they bought nothing after it. */
export interface CutHistory {
  repeats: number;
  spanDays: number;
  ageDays: number;
  customers: number;
  /** From each purchase day to the next, up to the cut. */
  gapsDays: number[];
  stopped: boolean;
}

/** What the dropout models take, of purchases up to a day, inclusive. */
export function historiesUntil(purchases: Map<string, OrderFact[]>, date: string): CutHistory[] {
  const cut = Date.parse(`${date}T00:00Z`);
  return [...purchases.values()].map((orders) => {
    const all = purchaseDays(orders);
    const days = all.filter((at) => at <= cut);
    const first = days[0] ?? cut;
    return {
      repeats: days.length - 1,
      spanDays: ((days.at(-1) ?? first) - first) / DAY,
      ageDays: (cut - first) / DAY,
      customers: 1,
      gapsDays: days.slice(1).map((at, i) => (at - (days[i] ?? at)) / DAY),
      stopped: all.length === days.length,
    };
  });
}

/** The days on which there were orders, each once, in order. */
export function purchaseDays(orders: OrderFact[]): number[] {
  return [...new Set(orders.map((order) => order.at))].sort((a, b) => a - b);
}

/** What the spend fit takes, in cents, of the calibration period: the summary that the published fit is of. */
export function readSpends(): { repeats: number; meanMinor: number; customers: number }[] {
  const path = 'test/fixtures/cdnow/cdnow_customers_summary_with_transactions.csv';
  const [, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [, x, , , mean] = line.split(',');
    return { repeats: Number(x), meanMinor: Math.round(Number(mean) * 100), customers: 1 };
  });
}
