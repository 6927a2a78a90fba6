// Owns the measurement of deliveries to a local receiver: how soon after the commit each of a steady stream
// arrives, and how many a second a worker sends when very many wait.

import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Group } from '../group.js';
import { type Receiver, startReceiver } from '../receiver.js';
import { atLeast, atMost, type Row } from '../rows.js';
import { BATCH_SIZE, customersOf, inlineCustomer, makeOrder, NAMESPACE, populate } from '../sales.js';
import { openStage, type Stage } from '../stage.js';
import { percentile } from '../statistics.js';

const P50_MS = 25;
const P99_MS = 150;
const EVENTS_PER_S = 200;
/** As fast as they are answered: until the service is warm it could not keep up with the stream. */
const WARM_UP_EVENTS = 2_000;
const WARM_UP_SENDERS = 8;
const EVENTS = 3_000;
const CUSTOMERS = 2_000;

const DELIVERIES_PER_S = 2_000;
const BACKLOG = 20_000;
const WARM_UP_DELIVERIES = 2_000;

export const webhooks: Group = { name: 'webhooks', run };

async function run(bench: Bench): Promise<Row[]> {
  return [...(await measureLatency(bench)), await measureThroughput(bench)];
}

async function measureLatency(bench: Bench): Promise<Row[]> {
  // The database itself tells when each order was committed, to the microsecond.
  const stage = await openStage(bench, { postgres: { track_commit_timestamp: 'on' } });
  const receiver = await startReceiver(bench.lifetime);
  const ids = await populate(stage.api, CUSTOMERS);
  await listen(stage, receiver);
  await warmUp(stage, ids);
  await receiver.waitFor(WARM_UP_EVENTS);
  bench.say(`${EVENTS_PER_S} events a second`);
  await sendSteadily(stage, ids);
  await receiver.waitFor(WARM_UP_EVENTS + EVENTS);
  const committedAtMs = await readCommits(stage);
  const tookMs = receiver.receipts.slice(WARM_UP_EVENTS).map(({ atMs, body }) => {
    const { data } = JSON.parse(body) as { data: { order: { externalId: { id: string } } } };
    const committed = committedAtMs.get(data.order.externalId.id);
    if (committed === undefined) throw new Error('a webhook tells of an order that was never committed');
    return atMs - committed;
  });
  bench.say(`the service committed ${Math.round(rateOf([...committedAtMs.values()]))} orders a second`);
  const name = `commit to first byte at a local receiver, ${EVENTS_PER_S} events/s`;
  return [
    atMost({ name: `${name}, p50`, value: percentile(tookMs, 0.5), unit: 'ms', budget: P50_MS }),
    atMost({ name: `${name}, p99`, value: percentile(tookMs, 0.99), unit: 'ms', budget: P99_MS }),
  ];
}

async function listen({ api }: Pick<Stage, 'api'>, { url }: Receiver): Promise<void> {
  await api.post('/v1/webhook-endpoints', { url, eventTypes: ['order.recorded'] });
}

async function warmUp({ api }: Stage, ids: readonly string[]): Promise<void> {
  let left = WARM_UP_EVENTS;
  const sender = async () => {
    while (left > 0) {
      left -= 1;
      const customer = ids[left % ids.length] ?? '';
      await api.post('/v1/orders', makeOrder({ customer, placedAt: new Date() }));
    }
  };
  await Promise.all(Array.from({ length: WARM_UP_SENDERS }, sender));
}

/** By the clock and not by the answers: a service that falls behind is sent no less. */
async function sendSteadily({ api }: Stage, ids: readonly string[]): Promise<void> {
  const startedAtMs = performance.now();
  const failures: unknown[] = [];
  const sent: Promise<unknown>[] = [];
  for (let index = 0; index < EVENTS && failures.length === 0; index += 1) {
    const waitMs = startedAtMs + (index * 1_000) / EVENTS_PER_S - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const customer = ids[index % ids.length] ?? '';
    const sending = api.post('/v1/orders', makeOrder({ customer, placedAt: new Date() }));
    sent.push(sending.catch((error) => failures.push(error)));
  }
  await Promise.all(sent);
  if (failures.length > 0) throw failures[0];
}

/** When each order was committed, by its external id. */
async function readCommits({ query }: Stage): Promise<Map<string, number>> {
  const rows = await query<{ id: string; at: string }>(
    `SELECT external_id AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at
       FROM orders WHERE namespace = $1`,
    [NAMESPACE],
  );
  return new Map(rows.map(({ id, at }) => [id, Number(at)]));
}

/** A service that cannot keep up with the stream is measured at what it can. */
function rateOf(committedAtMs: readonly number[]): number {
  const inOrder = committedAtMs.toSorted((a, b) => a - b).slice(-EVENTS);
  return ((inOrder.length - 1) * 1_000) / ((inOrder.at(-1) ?? 0) - (inOrder[0] ?? 0));
}

async function measureThroughput(bench: Bench): Promise<Row> {
  // A service that only answers requests lets deliveries pile up; then a worker is started.
  const stage = await openStage(bench, { environment: { ROLE: 'api' } });
  const receiver = await startReceiver(bench.lifetime);
  await listen(stage, receiver);
  bench.say(`letting ${BACKLOG} deliveries pile up`);
  for (let start = 0; start < BACKLOG; start += BATCH_SIZE) {
    const placedAt = new Date();
    const items = Array.from({ length: BATCH_SIZE }, (_, index) =>
      makeOrder({ customer: inlineCustomer(start + index), placedAt }),
    );
    customersOf(await stage.api.post('/v1/orders/batch', { items }));
  }
  await stage.service.stop();
  bench.say('delivering them');
  await stage.startService({ ROLE: 'worker' });
  await receiver.waitFor(BACKLOG);
  const first = receiver.receipts[WARM_UP_DELIVERIES]?.atMs ?? 0;
  const last = receiver.receipts[BACKLOG - 1]?.atMs ?? 0;
  const value = ((BACKLOG - 1 - WARM_UP_DELIVERIES) * 1_000) / (last - first);
  return atLeast({
    name: 'deliveries, local receiver',
    value,
    unit: 'deliveries/s',
    budget: DELIVERIES_PER_S,
  });
}
