// An endpoint's rate limit, which holds in all processes together, and its slowing down when it is asked too much.

import pg from 'pg';
import t from 'tap';
import type { Deliverer } from '../../src/outbox/deliver.js';
import type { SendInput } from '../../src/webhooks/transport.js';
import { createReceiver } from '../helpers/receiver.js';
import { transportFor } from '../helpers/transport.js';
import { openOutbox } from '../outbox/fixture.js';

const RATE = 50;
const SECONDS = 5;
const ROUNDS = 3;

interface Pace {
  most: number;
  perS: number;
}

/** The most that began within any one second, and how many did on average. */
function paceOf(startsMs: readonly number[]): Pace {
  const sorted = [...startsMs].sort((a, b) => a - b);
  let most = 0;
  let from = 0;
  sorted.forEach((startMs, index) => {
    while (startMs - (sorted[from] ?? 0) >= 1000) from += 1;
    most = Math.max(most, index - from + 1);
  });
  const lastedMs = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  return { most, perS: ((sorted.length - 1) * 1000) / lastedMs };
}

t.test('pace', async (t) => {
  const outbox = await openOutbox(t);
  const { endpoint, worker, sql, clock } = outbox;
  const realClock = () => new Date();

  await t.test(
    'four workers together never start more than the limit in any second, and reach it',
    async (t) => {
      const transport = transportFor(t);
      const paces: Pace[] = [];
      // A machine that is busy with other things oversleeps slots: the limit must hold in every round, and be
      // reached in one.
      for (let round = 0; round < ROUNDS && !paces.some(({ perS }) => perS >= 0.9 * RATE); round++) {
        const arrivalsMs: number[] = [];
        const receiver = await createReceiver(t, {
          respond: () => {
            arrivalsMs.push(performance.now());
            return { status: 200 };
          },
        });
        const tenantId = await outbox.tenant();
        await endpoint(tenantId, receiver.url, { rateLimitPerS: RATE });
        await outbox.publish(
          tenantId,
          Array.from({ length: RATE * (SECONDS + 3) }, () => ({ recordedAt: realClock() })),
        );
        const startsMs: number[] = [];
        const measured = {
          send: (input: SendInput) => {
            startsMs.push(performance.now());
            return transport.send(input);
          },
        };
        let isOver = false;
        const drive = async (deliverer: Deliverer): Promise<void> => {
          // As the job does it: again at once where there was something, else after a tenth of a second.
          while (!isOver) {
            if ((await deliverer.pump(realClock())) > 0) continue;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        };
        const workers = Array.from({ length: 4 }, () => worker(t, { clock: realClock, transport: measured }));
        const driven = workers.map(drive);
        await receiver.waitFor(RATE * SECONDS);
        isOver = true;
        await Promise.all(workers.map((one) => one.stop(5_000)));
        await Promise.all(driven);
        const pace = paceOf(startsMs);
        const arrived = paceOf(arrivalsMs);
        t.comment(
          `started ${pace.perS.toFixed(1)}/s, ${pace.most} in a second at most; at the receiver ${arrived.most}`,
        );
        t.ok(pace.most <= RATE, `${pace.most} starts in a second`);
        paces.push(pace);
        await sql('DELETE FROM deliveries');
      }
      t.ok(paces.some(({ perS }) => perS >= 0.9 * RATE));
    },
  );

  await t.test('an endpoint without a limit beside it does not wait for it', async (t) => {
    const slow = await createReceiver(t);
    const quick = await createReceiver(t);
    const tenantId = await outbox.tenant();
    await endpoint(tenantId, slow.url, { rateLimitPerS: 1 });
    await endpoint(tenantId, quick.url);
    await outbox.publish(
      tenantId,
      Array.from({ length: 300 }, () => ({})),
    );
    const deliverer = worker(t);
    while ((await deliverer.pump(clock.now())) > 0);
    await quick.waitFor(300);
    t.ok(slow.requests.length <= 3, `${slow.requests.length} to the limited one`);
    await deliverer.stop(0);
    const [put] = await sql<{ late: number }>(
      `SELECT count(*)::int AS late FROM deliveries WHERE tenant_id = $1 AND status = 'pending' AND due_at > $2`,
      [tenantId, new Date(clock.now().getTime() + 30_000)],
    );
    t.ok((put?.late ?? 0) > 200, 'what its rate does not allow for is not looked at again and again');
    await sql('DELETE FROM deliveries');
  });

  await t.test('where no slot can be had, that endpoint alone waits', async (t) => {
    const limited = await createReceiver(t);
    const quick = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const limitedId = await endpoint(tenantId, limited.url, { rateLimitPerS: 1_000 });
    await endpoint(tenantId, quick.url);
    await sql(
      'INSERT INTO webhook_endpoint_health (tenant_id, endpoint_id, failures, openings) VALUES ($1, $2, 0, 0)',
      [tenantId, limitedId],
    );
    const client = new pg.Client({ connectionString: outbox.url });
    await client.connect();
    t.teardown(() => client.end());
    await client.query('BEGIN');
    await client.query('SELECT FROM webhook_endpoint_health WHERE endpoint_id = $1 FOR UPDATE', [limitedId]);
    await outbox.publish(
      tenantId,
      Array.from({ length: 20 }, () => ({})),
    );
    const deliverer = worker(t);
    while ((await deliverer.pump(clock.now())) > 0);
    await quick.waitFor(20);
    t.equal(limited.requests.length, 0);
    await client.query('ROLLBACK');
    await limited.waitFor(20);
    await deliverer.settled();
  });

  await t.test('an endpoint that is asked too much is left alone for as long as it says', async (t) => {
    const receiver = await createReceiver(t, {
      respond: () => ({ status: 429, headers: { 'retry-after': '30' } }),
    });
    const tenantId = await outbox.tenant();
    await endpoint(tenantId, receiver.url);
    await outbox.publish(
      tenantId,
      Array.from({ length: 100 }, () => ({})),
    );
    const deliverer = worker(t);
    while ((await deliverer.pump(clock.now())) > 0);
    await deliverer.settled();
    t.ok(receiver.requests.length <= 8, `${receiver.requests.length} of 100 were sent before it said so`);
    const [row] = await sql<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM deliveries WHERE tenant_id = $1 AND attempts = 0 AND due_at >= $2`,
      [tenantId, new Date(clock.now().getTime() + 29_000)],
    );
    t.equal(row?.waiting, 100 - receiver.requests.length);
  });
});
