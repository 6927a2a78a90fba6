// Owns the measurement of orders that come a thousand in a request, as an integration sends them.

import type { Bench, Group } from '../group.js';
import { atLeast, type Row } from '../rows.js';
import { BATCH_SIZE, customersOf, inlineCustomer, makeOrder, populate } from '../sales.js';
import { openStage } from '../stage.js';
import { median } from '../statistics.js';

const FLOOR_PER_S = 4_000;
const CUSTOMERS = 20_000;
/** Requests under way at once: enough that the service and the database work at the same time. */
const SENDERS = 4;
const REQUESTS_A_ROUND = 16;
const ROUNDS = 5;

export const batch: Group = { name: 'batch', run };

async function run(bench: Bench): Promise<Row[]> {
  const { api } = await openStage(bench);
  bench.say(`making ${CUSTOMERS} customers`);
  await populate(api, CUSTOMERS);
  const send = async (body: ReturnType<typeof makeBatch>) => {
    customersOf(await api.post('/v1/orders/batch', body));
  };
  bench.say('recording orders, 1,000 a request');
  const perSecond: number[] = [];
  let batches = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const bodies = Array.from({ length: REQUESTS_A_ROUND }, () => {
      batches += 1;
      return makeBatch(batches);
    });
    const startedAtMs = performance.now();
    const sender = async () => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) await send(body);
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    // The first round is the warm-up.
    if (round > 0)
      perSecond.push((REQUESTS_A_ROUND * BATCH_SIZE * 1_000) / (performance.now() - startedAtMs));
  }
  const value = median(perSecond);
  return [atLeast({ name: 'batch orders, 1,000 a request', value, unit: 'orders/s', budget: FLOOR_PER_S })];
}

/** Orders of now, of as many customers, who are given inline as a shop gives them. */
function makeBatch(batchIndex: number) {
  const placedAt = new Date();
  const items = Array.from({ length: BATCH_SIZE }, (_, index) =>
    makeOrder({ customer: inlineCustomer((batchIndex * BATCH_SIZE + index) % CUSTOMERS), placedAt }),
  );
  return { items };
}
