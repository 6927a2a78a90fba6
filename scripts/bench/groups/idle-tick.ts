// Owns the measurement of a tick that finds nothing to do, with few customers and with very many: every job that
// runs each second, once. The customers are copies of one whom the product has made, due at some time to come.

import { advanceDueCustomers } from '../../../src/jobs/advance-due-customers.js';
import { advanceShadows } from '../../../src/jobs/advance-shadows.js';
import { deliverDueWebhooks } from '../../../src/jobs/deliver-due-webhooks.js';
import { numberEvents } from '../../../src/jobs/number-events.js';
import { recomputeCustomers } from '../../../src/jobs/recompute-customers.js';
import { createDeliverer } from '../../../src/outbox/deliver.js';
import { createTransport } from '../../../src/webhooks/transport.js';
import { multiply } from '../crowd.js';
import type { Bench, Group } from '../group.js';
import { buildInside, type Inside } from '../inside.js';
import { atMost, type Row } from '../rows.js';
import { startPostgres } from '../stage.js';
import { median } from '../statistics.js';

const CEILING_MS = 5;
const POPULATIONS = [10_000, 1_000_000];
const WARM_UP_TICKS = 20;
const TICKS = 300;

export const idleTick: Group = { name: 'idle-tick', run };

async function run(bench: Bench): Promise<Row[]> {
  // What is made here is only read, and a million customers are soon made where commits wait for no disk.
  // Nobody tidies up meanwhile, which would be somebody else's work in our figures.
  const url = await startPostgres(bench, { autovacuum: 'off', max_wal_size: '4GB' }, false);
  const inside = await buildInside(bench, url);
  const now = new Date();
  const tenantId = await inside.openTenant(now);
  await inside.sell(tenantId, now, { from: 0, count: 1 });
  const tick = createTick(bench, inside);
  const rows: Row[] = [];
  let customers = 1;
  for (const population of POPULATIONS) {
    bench.say(`making ${population.toLocaleString('en')} customers`);
    await multiply(url, { from: customers, to: population });
    customers = population;
    bench.say('ticking');
    const value = await measure(tick);
    const name = `an idle tick, ${population.toLocaleString('en')} customers`;
    rows.push(atMost({ name, value, unit: 'ms', budget: CEILING_MS }));
  }
  return rows;
}

/** Answers how many found something to do. */
type Tick = () => Promise<number>;

function createTick({ lifetime }: Bench, { database, services }: Inside): Tick {
  const transport = createTransport({ allowPrivate: true, allowHttp: true });
  lifetime.atEnd(() => transport.close());
  const clock = () => new Date();
  const onError = (error: unknown) => {
    throw error;
  };
  const targets = services.webhooks;
  const deliverer = createDeliverer({ database, transport, targets, clock, wallClock: clock, onError });
  lifetime.atEnd(() => deliverer.stop());
  const jobs = [
    advanceDueCustomers(services),
    recomputeCustomers(services),
    advanceShadows(services),
    numberEvents({ database }),
    deliverDueWebhooks({ deliverer, databases: [database] }),
  ];
  return async () => {
    let found = 0;
    for (const job of jobs) {
      const { counts } = await job.runOnce(clock());
      found += Object.values(counts).reduce((sum, count) => sum + count, 0);
    }
    return found;
  };
}

async function measure(tick: Tick): Promise<number> {
  // The events of whom the others are copied from are given their places first.
  for (let index = 0; index < WARM_UP_TICKS; index += 1) await tick();
  const tookMs: number[] = [];
  for (let index = 0; index < TICKS; index += 1) {
    const startedAtMs = performance.now();
    const found = await tick();
    tookMs.push(performance.now() - startedAtMs);
    if (found > 0) throw new Error('a tick that was to be idle has found something to do');
  }
  return median(tookMs);
}
