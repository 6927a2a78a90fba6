// Owns what the measurements of deliveries have in common: endpoints, orders that become events, a stream of them
// by the clock, and the wait until all is delivered. Does not own what is measured.

import { setTimeout as delay } from 'node:timers/promises';
import { BATCH_SIZE, customersOf, inlineCustomer, makeOrder } from '../../sales.js';
import type { Stage } from '../../stage.js';

type Told = Pick<Stage, 'api'>;

export async function register({ api }: Told, url: string, settings: object = {}): Promise<void> {
  await api.post('/v1/webhook-endpoints', { url, eventTypes: ['order.recorded'], ...settings });
}

/** Records orders as fast as they are answered, in batches, of so many customers in turn. */
export async function pileUp({ api }: Told, count: number, customers = count): Promise<void> {
  for (let start = 0; start < count; start += BATCH_SIZE) {
    const placedAtMs = Date.now();
    const items = Array.from({ length: Math.min(BATCH_SIZE, count - start) }, (_, index) =>
      makeOrder({
        customer: inlineCustomer((start + index) % customers),
        // No two of a customer's at one instant.
        placedAt: new Date(placedAtMs - BATCH_SIZE + index),
      }),
    );
    customersOf(await api.post('/v1/orders/batch', { items }));
  }
}

export interface Stream {
  count: number;
  perSecond: number;
  /** Ids, told of in turn. */
  customers: readonly string[];
}

/** By the clock and not by the answers: a service that falls behind is sent no less. */
export async function sendSteadily({ api }: Told, { count, perSecond, customers }: Stream): Promise<void> {
  const startedAtMs = performance.now();
  const failures: unknown[] = [];
  const sent: Promise<unknown>[] = [];
  for (let index = 0; index < count && failures.length === 0; index += 1) {
    const waitMs = startedAtMs + (index * 1_000) / perSecond - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const customer = customers[index % customers.length] ?? '';
    const sending = api.post('/v1/orders', makeOrder({ customer, placedAt: new Date() }));
    sent.push(sending.catch((error) => failures.push(error)));
  }
  await Promise.all(sent);
  if (failures.length > 0) throw failures[0];
}

const LOOK_EVERY_MS = 250;

/** Resolves once no delivery is waiting any more; rejects when that takes longer. */
export async function untilDelivered({ query }: Pick<Stage, 'query'>, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const [row] = await query<{ left: number }>(
      'SELECT count(*)::int AS left FROM deliveries WHERE finished_at IS NULL',
    );
    if (row?.left === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`${row?.left} deliveries are left after ${patienceMs} ms`);
    }
    await delay(LOOK_EVERY_MS);
  }
}
