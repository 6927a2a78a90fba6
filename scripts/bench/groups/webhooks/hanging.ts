// Owns the measurement of what one endpoint that hangs does to the others: each event goes to all of a tenant's
// endpoints, at first while all answer, then while one never does and every request to it ends by its timeout.

import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Group } from '../../group.js';
import { type Receipt, startReceiver } from '../../receiver.js';
import { atMost, type Row } from '../../rows.js';
import { populate } from '../../sales.js';
import { openStage, type Stage } from '../../stage.js';
import { percentile } from '../../statistics.js';
import { COMMITS, latenciesOf, readCommits } from './commits.js';
import { register, sendSteadily } from './endpoints.js';

const ENDPOINTS = 50;
const OTHERS = ENDPOINTS - 1;
const EVENTS_PER_S = 8;
const WARM_UP_S = 5;
/** Before and again after, so that a machine that grows slower or faster meanwhile is no endpoint's fault. */
const WELL_S = 10;
/** Longer than a request's timeout, so that the hanging ones come to their end as well. */
const HANGING_S = 20;
const MOVED_MAX_SHARE = 0.1;
const MOVED_MAX_MS = 10;
const HANGING_PATH = '/0';
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 30_000;

export const hanging: Group = { name: 'webhooks:hanging', run };

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench, { postgres: COMMITS });
  const others: Receipt[] = [];
  let isHanging = false;
  const respond = (receipt: Receipt) => {
    if (receipt.path !== HANGING_PATH) others.push(receipt);
    else if (isHanging) return null;
    return { status: 204 };
  };
  const receiver = await startReceiver(bench.lifetime, { respond });
  for (let index = 0; index < ENDPOINTS; index += 1) await register(stage, `${receiver.url}/${index}`);
  const customers = await populate(stage.api, EVENTS_PER_S * (2 * WARM_UP_S + 2 * WELL_S + HANGING_S));

  /** What the others were sent of a stream that lasts so long. */
  const observe = async (seconds: number): Promise<Receipt[]> => {
    const before = others.length;
    const stream = { count: seconds * EVENTS_PER_S, perSecond: EVENTS_PER_S };
    await sendSteadily(stage, { ...stream, customers: customers.splice(0, stream.count) });
    await untilLength(others, before + stream.count * OTHERS);
    return others.slice(before);
  };
  bench.say(`${EVENTS_PER_S} events a second to ${ENDPOINTS} endpoints each`);
  await observe(WARM_UP_S);
  const before = await observe(WELL_S);
  isHanging = true;
  bench.say('one of them hangs');
  const meanwhile = await observe(HANGING_S);
  bench.say(await tellOfHanging(stage));
  isHanging = false;
  await observe(WARM_UP_S);
  const after = await observe(WELL_S);
  const committedAtMs = await readCommits(stage);
  const wellMs = percentile(latenciesOf([...before, ...after], committedAtMs), 0.99);
  const hangingMs = percentile(latenciesOf(meanwhile, committedAtMs), 0.99);
  const budget = Math.max(wellMs * (1 + MOVED_MAX_SHARE), wellMs + MOVED_MAX_MS);
  const name = `p99 of ${OTHERS} endpoints`;
  return [
    atMost({ name: `${name}, all well`, value: wellMs, unit: 'ms', budget: null }),
    atMost({ name: `${name}, a 50th hangs until its timeout`, value: hangingMs, unit: 'ms', budget }),
  ];
}

async function untilLength(list: readonly unknown[], length: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (list.length < length) {
    if (performance.now() > deadline) throw new Error(`${list.length} of ${length} webhooks came`);
    await delay(LOOK_EVERY_MS);
  }
}

async function tellOfHanging({ query }: Stage): Promise<string> {
  const [row] = await query<{ timeouts: number }>(
    `SELECT count(*)::int AS timeouts FROM delivery_attempts WHERE status IS NULL`,
  );
  return `${row?.timeouts} requests to it have ended by their timeout`;
}
