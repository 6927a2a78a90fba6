// An endpoint with `per_customer` ordering: one customer's events one after the other, whatever happens to them,
// and those of others beside them.

import pg from 'pg';
import t from 'tap';
import type { Deliverer } from '../../src/outbox/deliver.js';
import type { SendInput } from '../../src/webhooks/transport.js';
import { createReceiver, type ReceivedRequest } from '../helpers/receiver.js';
import { gate, transportFor } from '../helpers/transport.js';
import { openOutbox } from '../outbox/fixture.js';

const HOUR_MS = 3_600_000;

function customer(number: number): string {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

interface Told {
  sequence: number;
  occurredAt: string;
  data: { customer: number };
}

function told({ json }: ReceivedRequest): Told {
  return json as Told;
}

/** The same chances in every run. */
function createDice(): () => number {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

t.test('in order', async (t) => {
  const outbox = await openOutbox(t);
  const { clock, endpoint, worker, sql } = outbox;
  const ordered = (tenantId: string, url: string) => endpoint(tenantId, url, { ordering: 'per_customer' });
  const publish = (tenantId: string, events: readonly (readonly [customer: number, sequence: number])[]) =>
    outbox.publish(
      tenantId,
      events.map(([number, sequence]) => ({
        customerId: customer(number),
        sequence,
        draft: { type: 'policy.activated', occurredAt: clock.now(), data: { customer: number } },
      })),
    );
  /** Until nothing is due: what was delivered lets the next one go. */
  const drain = async (deliverer: Deliverer): Promise<void> => {
    while ((await deliverer.pump(clock.now())) > 0) await deliverer.settled();
  };
  const pending = (tenantId: string) =>
    sql<{ id: string; due_at: Date; claim_token: string | null; sequence: string }>(
      `SELECT id, due_at, claim_token, sequence FROM deliveries
        WHERE tenant_id = $1 AND status = 'pending' ORDER BY sequence`,
      [tenantId],
    );
  const nextDue = async (tenantId: string): Promise<Date | undefined> => {
    const [row] = await sql<{ due: Date | null }>(
      `SELECT min(due_at) AS due FROM deliveries WHERE tenant_id = $1`,
      [tenantId],
    );
    return row?.due ?? undefined;
  };

  await t.test(
    '2,000 events of 100 customers, 4 workers, a fifth of the answers failures: no inversion',
    async (t) => {
      const dice = createDice();
      const taken = new Map<number, number>();
      const inversions: string[] = [];
      let failures = 0;
      const receiver = await createReceiver(t, {
        respond: (request) => {
          const { sequence, data } = told(request);
          const last = taken.get(data.customer) ?? 0;
          if (sequence !== last + 1) inversions.push(`customer ${data.customer}: ${sequence} after ${last}`);
          if (dice() < 0.2) {
            failures += 1;
            return { status: 500 };
          }
          taken.set(data.customer, Math.max(last, sequence));
          return { status: 200 };
        },
      });
      const tenantId = await outbox.tenant();
      await ordered(tenantId, receiver.url);
      const events = Array.from({ length: 2_000 }, (_, i) => [i % 100, Math.floor(i / 100) + 1] as const);
      const errors: unknown[] = [];
      const workers = Array.from({ length: 4 }, () => worker(t, { onError: (error) => errors.push(error) }));
      let isPublishing = true;
      const publishing = async (): Promise<void> => {
        // Not in their order within a commit: what counts is the sequence.
        for (let i = 0; i < events.length; i += 250)
          await publish(tenantId, events.slice(i, i + 250).toReversed());
        isPublishing = false;
      };
      const delivering = async (deliverer: Deliverer): Promise<void> => {
        while (isPublishing) await drain(deliverer);
      };
      await Promise.all([publishing(), ...workers.map(delivering)]);
      for (let due = await nextDue(tenantId); due !== undefined; due = await nextDue(tenantId)) {
        // All that is due within a minute comes together, as it does after a pause of the service.
        if (due > clock.now()) clock.set(new Date(due.getTime() + 60_000));
        await Promise.all(workers.map(drain));
      }
      t.same(inversions, []);
      t.ok(failures > 300, `${failures} failures`);
      t.equal(receiver.requests.length, 2_000 + failures, 'nothing was sent twice');
      t.equal(taken.size, 100);
      t.ok([...taken.values()].every((last) => last === 20));
      t.same(errors, []);
      const [deadlocks] = await sql<{ deadlocks: string }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      t.equal(Number(deadlocks?.deadlocks), 0);
    },
  );

  await t.test('the next one is sent only once the success before it is recorded', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    await ordered(tenantId, receiver.url);
    await publish(tenantId, [[1, 1]]);
    const transport = transportFor(t);
    const arrived = gate();
    const { opened, open } = gate();
    const gated = {
      send: async (input: SendInput) => {
        arrived.open();
        await opened;
        return transport.send(input);
      },
    };
    const deliverer = worker(t, { transport: gated });
    await deliverer.pump(clock.now());
    await arrived.opened;
    const client = new pg.Client({ connectionString: outbox.url });
    await client.connect();
    t.teardown(() => client.end());
    await client.query('BEGIN');
    await client.query('SELECT FROM deliveries WHERE tenant_id = $1 FOR UPDATE', [tenantId]);
    await publish(tenantId, [
      [1, 2],
      [2, 1],
    ]);
    open();
    await receiver.waitFor(1);
    await deliverer.pump(clock.now());
    await receiver.waitFor(2);
    t.same(
      receiver.requests.map((request) => told(request).data.customer),
      [1, 2],
      'others flow on',
    );
    t.equal(await worker(t).pump(clock.now()), 0, 'and what must wait can be had by nobody');
    await client.query('ROLLBACK');
    await deliverer.settled();
    t.equal(await deliverer.pump(clock.now()), 1, 'the record of the first lets the second go');
    await deliverer.settled();
    t.same(
      receiver.requests.map((request) => told(request).sequence),
      [1, 1, 2],
    );
  });

  await t.test('a thousand behind one that waits five hours are not looked at meanwhile', async (t) => {
    let isBack = false;
    const receiver = await createReceiver(t, { respond: () => ({ status: isBack ? 200 : 500 }) });
    const tenantId = await outbox.tenant();
    await ordered(tenantId, receiver.url);
    await publish(tenantId, [[1, 1]]);
    const deliverer = worker(t);
    await drain(deliverer);
    const retryAt = new Date(clock.now().getTime() + 5 * HOUR_MS);
    await sql(`UPDATE deliveries SET due_at = $2, attempts = 5 WHERE tenant_id = $1`, [tenantId, retryAt]);
    await publish(
      tenantId,
      Array.from({ length: 1_000 }, (_, i) => [1, i + 2] as const),
    );
    const before = receiver.requests.length;
    let looks = 0;
    const look = async (): Promise<void> => {
      for (let count = -1; count !== 0; looks += count) count = await deliverer.pump(clock.now());
    };
    await look();
    for (let minutes = 0; minutes < 299; minutes += 13) {
      clock.advance(13 * 60_000);
      if (clock.now() < retryAt) await look();
    }
    t.equal(looks, 1_000, 'each was looked at once');
    t.ok(
      (await pending(tenantId)).every(({ due_at, claim_token }) => due_at >= retryAt && claim_token === null),
    );
    t.equal(receiver.requests.length, before);
    isBack = true;
    clock.set(retryAt);
    for (let i = 0; i < 20; i++) {
      await deliverer.pump(clock.now());
      await deliverer.settled();
    }
    const sequences = receiver.requests.slice(before).map((request) => told(request).sequence);
    t.equal(sequences.length, 20, 'then each lets the next one go');
    t.same(
      sequences,
      sequences.map((_, i) => i + 1),
    );
    await sql('DELETE FROM deliveries WHERE tenant_id = $1', [tenantId]);
  });

  await t.test('one that is given up lets the next one go, which says so', async (t) => {
    const receiver = await createReceiver(t, {
      respond: (request) => ({ status: told(request).sequence === 1 ? 500 : 200 }),
    });
    const tenantId = await outbox.tenant();
    const endpointId = await ordered(tenantId, receiver.url);
    await publish(tenantId, [
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
    const deliverer = worker(t);
    const first = (await pending(tenantId))[0]?.id;
    for (let due = await nextDue(tenantId); due !== undefined; due = await nextDue(tenantId)) {
      if (due > clock.now()) clock.set(due);
      await drain(deliverer);
      // A breaker has a test of its own.
      await sql('DELETE FROM webhook_endpoint_health WHERE endpoint_id = $1', [endpointId]);
    }
    const rows = await sql(
      'SELECT status, after_dead_letter FROM deliveries WHERE tenant_id = $1 ORDER BY sequence',
      [tenantId],
    );
    t.same(rows, [
      { status: 'exhausted', after_dead_letter: null },
      { status: 'succeeded', after_dead_letter: first },
      { status: 'succeeded', after_dead_letter: null },
    ]);
    const headers = receiver.requests.slice(-2).map(({ headers }) => headers['perennial-after-dead-letter']);
    t.same(headers, [first, undefined]);
  });

  await t.test('what is sent again is marked', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url, { headers: { 'x-own': 'kept' } });
    await publish(tenantId, [[1, 1]]);
    await sql('UPDATE deliveries SET replay_of = $2 WHERE endpoint_id = $1', [endpointId, customer(9)]);
    await drain(worker(t));
    t.match(receiver.requests[0]?.headers, { 'perennial-replay': customer(9), 'x-own': 'kept' });
  });
});
