// Owns the measurement of ordered delivery: whether any event overtakes an earlier one of its customer while very
// many wait, workers share them and requests fail.

import type { Bench, Group } from '../../group.js';
import { type Receipt, startReceiver } from '../../receiver.js';
import { atMost, type Row } from '../../rows.js';
import { openStage, type Stage } from '../../stage.js';
import { pileUp, register, untilDelivered } from './endpoints.js';

const EVENTS = 10_000;
const CUSTOMERS = 100;
const EACH = EVENTS / CUSTOMERS;
/** Of each customer's: the first attempt fails, so that the next is made after some five seconds. */
const FAILING_EACH = EACH * 0.2;
const WORKERS = 4;
const PATIENCE_MS = 240_000;

export const ordering: Group = { name: 'webhooks:ordering', run };

interface Note {
  id: string;
  isTaken: boolean;
}

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench, { environment: { ROLE: 'api' } });
  const notes: Note[] = [];
  const isToFail = createFailures();
  const respond = (receipt: Receipt) => {
    const isTaken = !isToFail(receipt);
    notes.push({ id: receipt.id, isTaken });
    return { status: isTaken ? 204 : 500 };
  };
  const receiver = await startReceiver(bench.lifetime, { respond });
  await register(stage, receiver.url, { ordering: 'per_customer' });
  await pileUp(stage, EVENTS, CUSTOMERS);
  await stage.service.stop();
  bench.say(`${WORKERS} workers deliver ${EVENTS} events, a fifth of which fail at first`);
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: WORKERS }, () => stage.startService({ ROLE: 'worker' })));
  await untilDelivered(stage, PATIENCE_MS);
  const tookS = (performance.now() - startedMs) / 1_000;
  const { inversions, missing, failures } = judge(notes, await readOrder(stage));
  bench.say(`${failures} attempts failed, ${notes.length - failures - EVENTS} were repeated`);
  const name = `${EVENTS} events of ${CUSTOMERS} customers in their order, ${WORKERS} workers, 20 % failures`;
  return [
    atMost({ name: `${name}: inversions`, value: inversions, unit: 'events', budget: 0 }),
    atMost({ name: `${name}: lost`, value: missing, unit: 'events', budget: 0 }),
    atMost({ name: `${name}: time`, value: tookS, unit: 's', budget: null }),
  ];
}

/** Which first attempts fail: so many of each customer's, picked by chance. */
function createFailures(): (receipt: Receipt) => boolean {
  const seen = new Set<string>();
  const plans = new Map<string, boolean[]>();
  return ({ id, body }) => {
    if (seen.has(id)) return false;
    seen.add(id);
    const { data } = JSON.parse(body) as { data: { order: { customerId: string } } };
    const { customerId } = data.order;
    const plan = plans.get(customerId) ?? drawPlan();
    plans.set(customerId, plan);
    return plan.pop() ?? false;
  };
}

function drawPlan(): boolean[] {
  return Array.from({ length: EACH }, (_, index) => ({ fails: index < FAILING_EACH, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ fails }) => fails);
}

/** The events of each customer, in their order. */
async function readOrder({ query }: Stage): Promise<string[][]> {
  const rows = await query<{ ids: string[] }>(
    `SELECT array_agg(id::text ORDER BY sequence) AS ids FROM events
      WHERE type = 'order.recorded' GROUP BY customer_id`,
  );
  return rows.map(({ ids }) => ids);
}

/** An inversion is an event that came while an earlier one of its customer had not been taken yet. */
function judge(notes: readonly Note[], order: readonly string[][]) {
  const before = new Map(order.flatMap((ids) => ids.map((id, index) => [id, ids[index - 1]] as const)));
  const taken = new Set<string>();
  let inversions = 0;
  let failures = 0;
  for (const { id, isTaken } of notes) {
    const earlier = before.get(id);
    // Each is held against the one before it, which was held against its own.
    if (!before.has(id) || (earlier !== undefined && !taken.has(earlier))) inversions += 1;
    if (isTaken) taken.add(id);
    else failures += 1;
  }
  return { inversions, failures, missing: before.size - taken.size };
}
