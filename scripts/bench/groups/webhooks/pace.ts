// Owns the measurement of an endpoint's rate limit over several worker processes: how many requests start in any
// second, and how much of the limit is reached.

import type { Bench, Group } from '../../group.js';
import { startReceiver } from '../../receiver.js';
import { atLeast, atMost, type Row } from '../../rows.js';
import { openStage } from '../../stage.js';
import { pileUp, register, untilDelivered } from './endpoints.js';

const PER_S = 100;
const SECONDS = 12;
const WORKERS = 4;
const REACHED_MIN_SHARE = 0.9;
const PATIENCE_MS = 60_000;

export const pace: Group = { name: 'webhooks:pace', run };

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench, { environment: { ROLE: 'api' } });
  const receiver = await startReceiver(bench.lifetime);
  await register(stage, receiver.url, { rateLimitPerS: PER_S });
  await pileUp(stage, PER_S * SECONDS);
  await stage.service.stop();
  bench.say(`${WORKERS} workers, one endpoint that takes ${PER_S} a second`);
  await Promise.all(Array.from({ length: WORKERS }, () => stage.startService({ ROLE: 'worker' })));
  await untilDelivered(stage, PATIENCE_MS);
  // The senders' own notes, all by this machine's clock: what arrives may have been held up on its way.
  const attempts = await stage.query<{ at: string }>(
    'SELECT extract(epoch FROM started_at) * 1000 AS at FROM delivery_attempts ORDER BY started_at',
  );
  const startedMs = attempts.map(({ at }) => Number(at));
  const arrivedMs = receiver.receipts.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  bench.say(`started in each second: ${bySecond(startedMs).join(' ')}`);
  const name = `rate limit of ${PER_S}/s, ${WORKERS} workers`;
  const unit = 'requests/s';
  const reached = ((startedMs.length - 1) * 1_000) / ((startedMs.at(-1) ?? 0) - (startedMs[0] ?? 0)) / PER_S;
  return [
    atMost({
      name: `${name}: most started in any second`,
      value: mostInASecond(startedMs),
      unit,
      budget: PER_S,
    }),
    atMost({
      name: `${name}: most arrived in any second`,
      value: mostInASecond(arrivedMs),
      unit,
      budget: null,
    }),
    atLeast({ name: `${name}: share reached`, value: reached, unit: '', budget: REACHED_MIN_SHARE }),
  ];
}

/** Of all seconds that begin with one of them: no other second has more. */
function mostInASecond(sortedMs: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, atMs] of sortedMs.entries()) {
    while (atMs - (sortedMs[first] ?? atMs) >= 1_000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

function bySecond(sortedMs: readonly number[]): number[] {
  const counts: number[] = [];
  for (const atMs of sortedMs) {
    const second = Math.floor((atMs - (sortedMs[0] ?? atMs)) / 1_000);
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count ?? 0);
}
