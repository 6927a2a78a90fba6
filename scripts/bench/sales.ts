// Owns the orders that the service is measured with: what they look like, and a population of customers made by
// sending them, as an importer would. Does not own what is measured.

import type { Api } from '../api-client.js';

export const NAMESPACE = 'bench';
export const BATCH_SIZE = 1_000;
const DAY_MS = 86_400_000;
/** Customers have bought once by then: most orders that follow are a reason to decide anew. */
const FIRST_ORDER_AGE_MS = 10 * DAY_MS;

let orders = 0;

export interface OrderOptions {
  /** A reference, or a customer inline. */
  customer: string | { externalIds: { namespace: string; id: string }[] };
  placedAt: Date;
}

/** An order of two lines; each has an external id of its own. */
export function makeOrder({ customer, placedAt }: OrderOptions) {
  orders += 1;
  const isEven = orders % 2 === 0;
  return {
    externalId: { namespace: NAMESPACE, id: `o-${orders}` },
    customer,
    placedAt: placedAt.toISOString(),
    amountMinor: 4_980,
    currency: 'EUR',
    lines: [
      {
        product: `sku-${orders % 997}`,
        category: isEven ? 'music' : 'books',
        quantity: 1,
        unitPriceMinor: 1_990,
      },
      { product: `sku-${orders % 499}`, category: 'music', quantity: 2, unitPriceMinor: 1_495 },
    ],
  };
}

export function inlineCustomer(index: number) {
  return { externalIds: [{ namespace: NAMESPACE, id: `c-${index}` }] };
}

interface BatchResult {
  results: { status: number; data?: { customerId: string }; problem?: object }[];
}

/** Makes customers who have bought once, and answers their ids. No webhook goes out. */
export async function populate(api: Api, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < count; start += BATCH_SIZE) {
    const placedAt = new Date(Date.now() - FIRST_ORDER_AGE_MS);
    const items = Array.from({ length: Math.min(BATCH_SIZE, count - start) }, (_, index) =>
      makeOrder({ customer: inlineCustomer(start + index), placedAt }),
    );
    const result = await api.post<BatchResult>('/v1/orders/batch', { items, backfill: true });
    ids.push(...customersOf(result));
  }
  return ids;
}

/** Throws unless each order of a batch was recorded. */
export function customersOf({ results }: BatchResult): string[] {
  return results.map(({ status, data, problem }) => {
    if (status === 201 && data !== undefined) return data.customerId;
    throw new Error(`an order of a batch was answered ${status}: ${JSON.stringify(problem)}`);
  });
}
