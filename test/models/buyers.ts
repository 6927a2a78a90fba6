// Shops of made-up customers who buy at rates of their own, for the tests of the models: who they are, and their
// orders sent over HTTP.

import type { Chance } from '../helpers/chance.js';
import type { TestService } from '../helpers/service.js';

const DAY_MS = 86_400_000;
const BATCH = 1_000;

export const START = Date.parse('2025-01-01T00:00:00Z');
/** Enough for a fit of dropout. */
export const CUSTOMERS = 600;

export interface Sale {
  customer: number;
  /** From START on. */
  day: number;
  hour?: number;
  status?: 'placed' | 'cancelled';
}

/** Every buyer at a rate of their own, from their first order to day 364; after each they stay or are lost. */
export function drawSales(chance: Chance, stays: (chance: Chance) => boolean): Sale[] {
  return Array.from({ length: CUSTOMERS }, (_, customer) => {
    const sales: Sale[] = [];
    const meanGap = 15 + 45 * chance.next();
    const gap = () => meanGap * Math.log(1 / (1 - chance.next()));
    for (let day = 60 * chance.next(); day < 364; day += gap()) {
      sales.push({ customer, day: Math.floor(day) });
      if (!stays(chance)) break;
    }
    return sales;
  }).flat();
}

/** As backfill; `name` sets the ids apart from those of other calls. */
export async function sell(shop: TestService, name: string, sales: readonly Sale[]): Promise<void> {
  const items = sales.map(({ customer, day, hour = 12, status = 'placed' }, index) => ({
    externalId: { namespace: name, id: String(index) },
    customer: { externalIds: [{ namespace: 'shop', id: `c${customer}` }] },
    placedAt: new Date(START + day * DAY_MS + hour * 3_600_000).toISOString(),
    amountMinor: 1_000 + ((index * 37) % 900),
    currency: 'EUR',
    status,
  }));
  for (let from = 0; from < items.length; from += BATCH) {
    const body = { items: items.slice(from, from + BATCH), backfill: true };
    const answer = await shop.inject('POST', '/v1/orders/batch', { body });
    const failed = answer.json().results.filter(({ status }: { status: number }) => status !== 201);
    if (failed.length > 0) throw new Error(JSON.stringify(failed[0]));
  }
}
