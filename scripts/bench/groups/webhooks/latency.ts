// Owns the measurement of how soon after the commit each event of a steady stream arrives at a local receiver.

import type { Bench, Group } from '../../group.js';
import { startReceiver } from '../../receiver.js';
import { atMost, type Row } from '../../rows.js';
import { makeOrder, populate } from '../../sales.js';
import { openStage, type Stage } from '../../stage.js';
import { percentile } from '../../statistics.js';
import { COMMITS, latenciesOf, readCommits } from './commits.js';
import { register, sendSteadily } from './endpoints.js';

const P50_MS = 25;
const P99_MS = 150;
const EVENTS_PER_S = 200;
const EVENTS = 3_000;
const CUSTOMERS = 2_000;
/** As fast as they are answered: until the service is warm it could not keep up with the stream. */
const WARM_UP_EVENTS = 2_000;
const WARM_UP_SENDERS = 8;

export const latency: Group = { name: 'webhooks:latency', run };

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench, { postgres: COMMITS });
  const receiver = await startReceiver(bench.lifetime);
  const customers = await populate(stage.api, CUSTOMERS);
  await register(stage, receiver.url);
  await warmUp(stage, customers);
  await receiver.waitFor(WARM_UP_EVENTS);
  bench.say(`${EVENTS_PER_S} events a second`);
  await sendSteadily(stage, { count: EVENTS, perSecond: EVENTS_PER_S, customers });
  await receiver.waitFor(WARM_UP_EVENTS + EVENTS);
  const committedAtMs = await readCommits(stage);
  const tookMs = latenciesOf(receiver.receipts.slice(WARM_UP_EVENTS), committedAtMs);
  bench.say(`the service committed ${Math.round(rateOf([...committedAtMs.values()]))} orders a second`);
  const name = `commit to first byte at a local receiver, ${EVENTS_PER_S} events/s`;
  return [
    atMost({ name: `${name}, p50`, value: percentile(tookMs, 0.5), unit: 'ms', budget: P50_MS }),
    atMost({ name: `${name}, p99`, value: percentile(tookMs, 0.99), unit: 'ms', budget: P99_MS }),
  ];
}

async function warmUp({ api }: Stage, customers: readonly string[]): Promise<void> {
  let left = WARM_UP_EVENTS;
  const sender = async () => {
    while (left > 0) {
      left -= 1;
      const customer = customers[left % customers.length] ?? '';
      await api.post('/v1/orders', makeOrder({ customer, placedAt: new Date() }));
    }
  };
  await Promise.all(Array.from({ length: WARM_UP_SENDERS }, sender));
}

/** A service that cannot keep up with the stream is measured at what it can. */
function rateOf(committedAtMs: readonly number[]): number {
  const inOrder = committedAtMs.toSorted((a, b) => a - b).slice(-EVENTS);
  return ((inOrder.length - 1) * 1_000) / ((inOrder.at(-1) ?? 0) - (inOrder[0] ?? 0));
}
