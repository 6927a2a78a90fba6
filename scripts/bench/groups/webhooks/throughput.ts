// Owns the measurement of how many deliveries a second one worker makes when very many wait.

import type { Bench, Group } from '../../group.js';
import { startReceiver } from '../../receiver.js';
import { atLeast, type Row } from '../../rows.js';
import { openStage } from '../../stage.js';
import { pileUp, register } from './endpoints.js';

const DELIVERIES_PER_S = 2_000;
const BACKLOG = 20_000;
const WARM_UP_DELIVERIES = 2_000;

export const throughput: Group = { name: 'webhooks:throughput', run };

async function run(bench: Bench): Promise<Row[]> {
  // A service that only answers requests lets deliveries pile up; then a worker is started.
  const stage = await openStage(bench, { environment: { ROLE: 'api' } });
  const receiver = await startReceiver(bench.lifetime);
  await register(stage, receiver.url);
  bench.say(`letting ${BACKLOG} deliveries pile up`);
  await pileUp(stage, BACKLOG);
  await stage.service.stop();
  bench.say('delivering them');
  await stage.startService({ ROLE: 'worker' });
  await receiver.waitFor(BACKLOG);
  const first = receiver.receipts[WARM_UP_DELIVERIES]?.atMs ?? 0;
  const last = receiver.receipts[BACKLOG - 1]?.atMs ?? 0;
  const value = ((BACKLOG - 1 - WARM_UP_DELIVERIES) * 1_000) / (last - first);
  const name = 'deliveries, local receiver';
  return [atLeast({ name, value, unit: 'deliveries/s', budget: DELIVERIES_PER_S })];
}
