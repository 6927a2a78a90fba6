// Owns the measurement of starts: from the start of the process to its listening, on a database that has been
// served before, and on a fresh one of the service's own.

import { throwawayDir } from '../../throwaway-postgres.js';
import { startServer } from '../child.js';
import type { Bench, Group } from '../group.js';
import { atMost, type Row } from '../rows.js';
import { openStage } from '../stage.js';
import { median } from '../statistics.js';

const EXISTING_S = 1;
const FRESH_S = 5;
const STARTS = 5;
const FRESH_STARTS = 3;
const SERVICE = new URL('../../../src/server.js', import.meta.url);

export const starting: Group = { name: 'start', run };

async function run(bench: Bench): Promise<Row[]> {
  const existing = await startOnExisting(bench);
  const fresh = await startOnFresh(bench);
  return [
    atMost({ name: 'start to listening, existing database', value: existing, unit: 's', budget: EXISTING_S }),
    atMost({ name: 'start to listening, fresh embedded one', value: fresh, unit: 's', budget: FRESH_S }),
  ];
}

async function startOnExisting(bench: Bench): Promise<number> {
  const stage = await openStage(bench);
  await stage.service.stop();
  bench.say('an existing database');
  const tookS: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const { startedInMs, stop } = await stage.startService({});
    tookS.push(startedInMs / 1_000);
    await stop();
  }
  return median(tookS);
}

async function startOnFresh({ lifetime, say }: Bench): Promise<number> {
  say('a fresh embedded one');
  const tookS: number[] = [];
  for (let start = 0; start < FRESH_STARTS; start += 1) {
    const environment = { DATA_DIR: throwawayDir(lifetime, 'data') };
    const { startedInMs, stop } = await startServer(lifetime, { entry: SERVICE, environment });
    tookS.push(startedInMs / 1_000);
    await stop();
  }
  return median(tookS);
}
