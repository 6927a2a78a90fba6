import t from 'tap';
import { createReceiver } from '../helpers/receiver.js';
import { openOutbox, SECRET } from '../outbox/fixture.js';

t.test('deliveries', async (t) => {
  const outbox = await openOutbox(t);
  const { clock, publish, endpoint, worker, sql } = outbox;

  const deliveryOf = async (endpointId: string) => {
    const [row] = await sql<{
      id: string;
      status: string;
      attempts: number;
      due_at: Date | null;
      claim_token: string;
    }>('SELECT id, status, attempts, due_at, claim_token FROM deliveries WHERE endpoint_id = $1', [
      endpointId,
    ]);
    if (row === undefined) throw new Error('no delivery');
    return row;
  };

  await t.test(
    'what is sent is the very text of the event, signed so that a partner can verify it',
    async (t) => {
      const receiver = await createReceiver(t, { secret: SECRET });
      const tenantId = await outbox.tenant();
      await endpoint(tenantId, receiver.url);
      const [eventId] = await publish(tenantId, [{}]);
      const deliverer = worker(t);
      t.equal(await deliverer.pump(clock.now()), 1);
      await deliverer.settled();
      const [request] = receiver.requests;
      t.equal(request?.verified, true);
      t.equal(request?.headers['webhook-id'], eventId);
      const [event] = await sql<{ body: string }>('SELECT body FROM events WHERE id = $1', [eventId]);
      t.equal(request?.body, event?.body);
    },
  );

  await t.test('the timestamp is wall-clock time, whatever the application’s clock says', async (t) => {
    const receiver = await createReceiver(t, { secret: SECRET });
    const tenantId = await outbox.tenant();
    await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}]);
    const wall = new Date('2031-01-01T00:00:00.900Z');
    const deliverer = worker(t, { wallClock: () => wall });
    await deliverer.pump(clock.now());
    await deliverer.settled();
    t.equal(receiver.requests[0]?.headers['webhook-timestamp'], String(Date.UTC(2031, 0, 1) / 1000));
  });

  await t.test('a success is recorded with its attempt, and nothing is sent again', async (t) => {
    const receiver = await createReceiver(t, { respond: () => ({ status: 202, body: 'taken\u0000' }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}]);
    const deliverer = worker(t);
    await deliverer.pump(clock.now());
    await deliverer.settled();
    const { id } = await deliveryOf(endpointId);
    const delivery = await outbox.deliveries.get(outbox.context(tenantId), id);
    t.match(delivery, { status: 'succeeded', attemptCount: 1, nextAttemptAt: null });
    t.equal(delivery.finishedAt, clock.now().toISOString());
    t.match(delivery.attempts, [{ number: 1, status: 202, error: null, responseBody: 'taken\u{fffd}' }]);
    clock.advance(7 * 24 * 3_600_000);
    t.equal(await deliverer.pump(clock.now()), 0);
    t.equal(receiver.requests.length, 1);
  });

  await t.test('a failure is tried again when the schedule says so, under the same webhook-id', async (t) => {
    let answers = 0;
    const receiver = await createReceiver(t, {
      secret: SECRET,
      respond: () => ({ status: answers++ === 0 ? 500 : 200 }),
    });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}]);
    const deliverer = worker(t);
    await deliverer.pump(clock.now());
    await deliverer.settled();
    const failed = await deliveryOf(endpointId);
    t.match(failed, { status: 'pending', attempts: 1, claim_token: null });
    t.equal(
      failed.due_at?.getTime(),
      clock.now().getTime() + 5_000,
      'five seconds, the jitter being in the middle',
    );
    clock.advance(4_999);
    t.equal(await deliverer.pump(clock.now()), 0, 'not a moment earlier');
    clock.advance(1);
    t.equal(await deliverer.pump(clock.now()), 1);
    await deliverer.settled();
    t.match(await deliveryOf(endpointId), { status: 'succeeded', attempts: 2, due_at: null });
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    t.equal(new Set(ids).size, 1);
    t.ok(receiver.requests.every(({ verified }) => verified));
  });

  await t.test('a receiver that is never back is given up three days after the first attempt', async (t) => {
    const receiver = await createReceiver(t, { respond: () => ({ status: 503 }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}]);
    const deliverer = worker(t);
    const first = clock.now().getTime();
    let attempts = 0;
    for (;;) {
      await deliverer.pump(clock.now());
      await deliverer.settled();
      attempts += 1;
      const { due_at, status } = await deliveryOf(endpointId);
      if (due_at === null) {
        t.equal(status, 'exhausted');
        break;
      }
      clock.set(due_at);
    }
    t.equal(clock.now().getTime() - first, 3 * 24 * 3_600_000);
    t.equal(receiver.requests.length, attempts);
    t.ok(attempts >= 9, `${attempts} attempts`);
    const { id } = await deliveryOf(endpointId);
    const { attempts: recorded } = await outbox.deliveries.get(outbox.context(tenantId), id);
    t.same(
      recorded.map(({ number }) => number),
      Array.from({ length: attempts }, (_, index) => index + 1),
    );
  });

  await t.test('410 disables the endpoint, and what else was pending for it is not sent', async (t) => {
    const receiver = await createReceiver(t, { respond: () => ({ status: 410 }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}]);
    const deliverer = worker(t);
    await deliverer.pump(clock.now());
    await publish(tenantId, [{}, {}]);
    await deliverer.settled();
    t.match(await outbox.webhooks.get(outbox.context(tenantId), endpointId), {
      status: 'disabled',
      version: 2,
    });
    await deliverer.pump(clock.now());
    await deliverer.settled();
    t.equal(receiver.requests.length, 1);
    const rows = await sql('SELECT status, attempts FROM deliveries WHERE endpoint_id = $1 ORDER BY id', [
      endpointId,
    ]);
    t.same(rows, [
      { status: 'exhausted', attempts: 1 },
      { status: 'exhausted', attempts: 0 },
      { status: 'exhausted', attempts: 0 },
    ]);
    await publish(tenantId, [{}]);
    const [{ count } = { count: -1 }] = await sql<{ count: number }>(
      'SELECT count(*)::int AS count FROM deliveries WHERE endpoint_id = $1',
      [endpointId],
    );
    t.equal(count, 3, 'a disabled endpoint gets no new deliveries');
  });

  await t.test(
    'a paused endpoint costs no attempts, and gets everything once it is active again',
    async (t) => {
      const receiver = await createReceiver(t);
      const tenantId = await outbox.tenant();
      const endpointId = await endpoint(tenantId, receiver.url);
      await publish(tenantId, [{}]);
      const change = (status: 'active' | 'paused') =>
        outbox.webhooks.change(outbox.context(tenantId), endpointId, {
          patch: { status },
          expectedVersion: undefined,
        });
      await change('paused');
      await publish(tenantId, [{}]);
      const deliverer = worker(t);
      t.equal(await deliverer.pump(clock.now()), 2);
      await deliverer.settled();
      const held = await deliveryOf(endpointId);
      t.match(held, { status: 'pending', attempts: 0, claim_token: null });
      t.ok(held.due_at !== null && held.due_at > clock.now(), 'it is looked at again later');
      t.equal(await deliverer.pump(clock.now()), 0);
      await change('active');
      t.equal(await deliverer.pump(clock.now()), 2);
      await deliverer.settled();
      t.equal(receiver.requests.length, 2);
    },
  );

  await t.test('a deleted endpoint’s deliveries vanish', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}, {}]);
    await outbox.webhooks.remove(outbox.context(tenantId), endpointId, undefined);
    const deliverer = worker(t);
    t.equal(await deliverer.pump(clock.now()), 0);
    t.same(await sql('SELECT id FROM deliveries WHERE endpoint_id = $1', [endpointId]), []);
  });

  await t.test('a secret that cannot be read costs no attempt', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await sql(`UPDATE webhook_endpoints SET secret = 'v1:AAAA' WHERE id = $1`, [endpointId]);
    await publish(tenantId, [{}]);
    const errors: unknown[] = [];
    const deliverer = worker(t, { onError: (error) => errors.push(error) });
    await deliverer.pump(clock.now());
    await deliverer.settled();
    t.match(await deliveryOf(endpointId), { status: 'pending', attempts: 0 });
    t.equal(receiver.requests.length, 0);
    t.match(errors, [{ message: /cannot be read/ }]);
  });
});
