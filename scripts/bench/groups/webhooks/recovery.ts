// Owns the measurement of how deliveries come back by themselves after the database has failed them: what the rate
// was, how long until it is that again, and what it is from then on. Does not own the failures (failures.ts).

import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Group } from '../../group.js';
import { type Receipt, startReceiver } from '../../receiver.js';
import { atLeast, atMost, type Row } from '../../rows.js';
import { openStage } from '../../stage.js';
import { pileUp, register } from './endpoints.js';
import { FAILURES } from './failures.js';

/**
 * One endpoint that takes so long to answer, eight requests at a time: about 700 deliveries a second, whatever
 * else the machine does. An unbounded rate would tell of the machine's noise.
 */
const ANSWER_MS = 10;
const EVENTS = 44_000;
/** Answered at once, until the worker is warm: what it takes an endpoint for at first, it goes by for a while. */
const WARM_UP_DELIVERIES = 4_000;
/** As many as there are jobs that will not let go: claiming, and the numbering of events. */
const POOL_MAX = 2;

const SETTLING_MS = 2_000;
const BEFORE_MS = 3_000;
/** After the failure has begun: within this the rate must be back. */
const OBSERVED_MS = 12_000;
const WINDOW_MS = 1_000;
const STEP_MS = 100;
/** Below this share of the rate before, deliveries count as held up. */
const HELD_UP_SHARE = 0.5;
const BACK_SHARE = 0.95;

export const recovery: Group = { name: 'webhooks:recovery', run };

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench, { environment: { ROLE: 'api' } });
  const receiver = await startReceiver(bench.lifetime, {
    respond: () => ({
      status: 204,
      delayMs: receiver.receipts.length < WARM_UP_DELIVERIES ? undefined : ANSWER_MS,
    }),
  });
  await register(stage, receiver.url);
  bench.say(`letting ${EVENTS} deliveries pile up`);
  await pileUp(stage, EVENTS);
  await stage.service.stop();
  await stage.startService({ ROLE: 'worker', DATABASE_POOL_MAX: String(POOL_MAX) });
  await receiver.waitFor(WARM_UP_DELIVERIES);
  await delay(SETTLING_MS);
  const rows: Row[] = [];
  for (const { name, strike } of FAILURES) {
    await delay(BEFORE_MS);
    const atMs = wallMs();
    await strike(stage);
    const struckMs = wallMs();
    await delay(Math.max(0, atMs + OBSERVED_MS - wallMs()));
    const { before, backMs, share } = judge(receiver.receipts, atMs);
    const backAfterS = Math.max(0, backMs - struckMs) / 1_000;
    bench.say(`${name}: ${Math.round(before)} deliveries/s before`);
    rows.push(
      atMost({ name: `${name}: until the rate is back`, value: backAfterS, unit: 's', budget: null }),
      atLeast({ name: `${name}: rate after / before`, value: share, unit: '', budget: BACK_SHARE }),
    );
  }
  return rows;
}

const wallMs = () => performance.timeOrigin + performance.now();

/**
 * The rate is back with the first second, after the last in which deliveries were held up, that has as many as
 * before. What is sent at first goes on from memory, so a failure shows only some time after it was made.
 */
function judge(receipts: readonly Receipt[], atMs: number) {
  const arrivedMs = receipts.map((receipt) => receipt.atMs);
  const rateOf = (fromMs: number, lengthMs: number) =>
    (arrivedMs.filter((at) => at >= fromMs && at < fromMs + lengthMs).length * 1_000) / lengthMs;
  const before = rateOf(atMs - BEFORE_MS, BEFORE_MS);
  const endMs = atMs + OBSERVED_MS;
  let heldUpMs = atMs;
  let backMs: number | undefined;
  for (let fromMs = atMs; fromMs + WINDOW_MS <= endMs; fromMs += STEP_MS) {
    const share = rateOf(fromMs, WINDOW_MS) / before;
    if (share < HELD_UP_SHARE) {
      heldUpMs = fromMs;
      backMs = undefined;
    } else if (share >= BACK_SHARE) backMs ??= fromMs;
  }
  const sinceMs = backMs ?? heldUpMs;
  return { before, backMs: sinceMs, share: rateOf(sinceMs, endMs - sinceMs) / before };
}
