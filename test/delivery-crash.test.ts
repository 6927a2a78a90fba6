// What kills of workers and failures of the database may not do to deliveries: nothing that was committed is lost,
// nothing is sent that was not, and everything goes on by itself.

import { setTimeout as moment } from 'node:timers/promises';
import pg from 'pg';
import t from 'tap';
import { drawChance } from './helpers/chance.js';
import { type DeliveryTrial, openDeliveryTrial } from './helpers/delivery-trial.js';
import { startOwnServer } from './helpers/own-server.js';
import { createEmptyDatabase } from './helpers/postgres.js';
import { openSql } from './helpers/trial.js';

const WORKERS = 2;
const KILLS_EACH = 8;
/** A machine that is busy with other things gets fewer kills, not a longer test. */
const KILLING_MAX_MS = 12_000;
/** A worker looks for what others have committed ten times a second. */
const LOOK_MS = 110;
const SEND_MS = 25;
const POOL_MAX = 2;

const WAITING = 'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted';

t.setTimeout(120_000);

t.test(
  'workers are killed after the commit, after a claim, while they send and before they record',
  async (t) => {
    const chance = drawChance(t);
    const { url: databaseUrl } = await createEmptyDatabase(t);
    const trial = await openDeliveryTrial(t, { chance: chance.fork(), databaseUrl, workers: WORKERS });
    const { moments } = trial;
    const deadline = performance.now() + KILLING_MAX_MS;
    let kills = 0;
    const killing = trial.workers.map(async (worker) => {
      for (let turn = 0; turn < KILLS_EACH && performance.now() < deadline; turn += 1) {
        const { ready, exited } = worker.start();
        await ready;
        const sight = chance.pick(['booked', 'delivery'] as const);
        await moments.after(1 + chance.below(3), sight);
        await moment(chance.below(sight === 'booked' ? LOOK_MS : SEND_MS));
        worker.process.kill('SIGKILL');
        t.same(await exited, { code: null, signal: 'SIGKILL' }, 'until then it has lived');
        kills += 1;
      }
      await worker.start().ready;
    });
    await trial.whileTrading(Promise.all(killing));
    t.comment(`kills ${kills}`);
    await trial.conclude();
    for (const worker of trial.workers) {
      t.same(await worker.stop(), { code: 0, signal: null });
      t.same(worker.failures, [], 'and no life of it has failed at anything');
    }
  },
);

/** What is committed from now on has reached the partner. */
async function untilDelivered({ receiver, moments, whileTrading }: DeliveryTrial): Promise<void> {
  const begun = new Date();
  const isNew = ({ json }: { json: unknown }) =>
    new Date((json as { recordedAt: string }).recordedAt) > begun;
  while (receiver.requests.filter(isNew).length < 10) await whileTrading(moments.after(1, 'delivery'));
}

t.test('deliveries go on by themselves after the database has failed them', async (t) => {
  const server = await startOwnServer(t);
  const databaseUrl = await server.createDatabase('recovery');
  const trial = await openDeliveryTrial(t, {
    ...{ chance: drawChance(t), databaseUrl, workers: 1 },
    environment: { DATABASE_POOL_MAX: String(POOL_MAX) },
  });
  const [worker] = trial.workers;
  await worker?.start().ready;
  await untilDelivered(trial);

  await t.test('it was restarted', async () => {
    await server.stop();
    await server.start();
    await untilDelivered(trial);
  });

  await t.test('every session was ended', async (t) => {
    const sql = openSql(t, server.url);
    for (let round = 0; round < 5; round += 1) {
      await sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perennial'`,
      );
      await trial.whileTrading(trial.moments.after(1, 'booked'));
    }
    await untilDelivered(trial);
  });

  await t.test('every connection of the pool was held up', async (t) => {
    const blocker = new pg.Client({ connectionString: databaseUrl });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE deliveries, events IN ACCESS EXCLUSIVE MODE');
    // The claim and the numbering of the worker, and the order of whoever trades.
    for (let waiting = 0; waiting < POOL_MAX + 1; ) {
      const { rows } = await blocker.query<{ n: number }>(WAITING);
      waiting = rows[0]?.n ?? 0;
      await moment(10);
    }
    await blocker.query('ROLLBACK');
    await blocker.end();
    await untilDelivered(trial);
    t.pass('they went on');
  });

  await trial.conclude();
  t.same(await worker?.stop(), { code: 0, signal: null }, 'it is the process that was there before');
});
