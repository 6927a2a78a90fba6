// An endpoint that keeps failing: its breaker, which all processes share, and its end.

import t from 'tap';
import type { Targets } from '../../src/outbox/claim.js';
import type { Deliverer } from '../../src/outbox/deliver.js';
import { BREAKER_FAILURES, OPEN_FIRST_MS } from '../../src/outbox/health.js';
import { createReceiver } from '../helpers/receiver.js';
import { gate } from '../helpers/transport.js';
import { openOutbox } from '../outbox/fixture.js';

const DAY_MS = 86_400_000;

t.test('breaker', async (t) => {
  const outbox = await openOutbox(t);
  const { clock, endpoint, worker, sql } = outbox;
  const publish = (tenantId: string, count: number) =>
    outbox.publish(
      tenantId,
      Array.from({ length: count }, () => ({})),
    );
  const health = async (endpointId: string) => {
    const [row] = await sql<{
      failures: number;
      openings: number;
      open_until: Date | null;
      failing_since: Date | null;
    }>(
      `SELECT failures, openings, open_until, failing_since FROM webhook_endpoint_health WHERE endpoint_id = $1`,
      [endpointId],
    );
    return row;
  };
  const drain = async (deliverer = worker(t)): Promise<void> => {
    while ((await deliverer.pump(clock.now())) > 0) await deliverer.settled();
  };
  /** Fails until the breaker opens, which it does at once for what is due now. */
  const openBreaker = async (tenantId: string): Promise<void> => {
    await publish(tenantId, BREAKER_FAILURES);
    await drain();
  };

  await t.test('it opens after ten failures, and costs no attempts while it is open', async (t) => {
    const receiver = await createReceiver(t, { respond: () => ({ status: 500 }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await openBreaker(tenantId);
    t.match(await health(endpointId), {
      failures: BREAKER_FAILURES,
      openings: 1,
      failing_since: clock.now(),
      open_until: new Date(clock.now().getTime() + OPEN_FIRST_MS),
    });
    await publish(tenantId, 30);
    await drain();
    t.equal(receiver.requests.length, BREAKER_FAILURES);
    const rows = await sql<{ due_at: Date; claim_token: string | null }>(
      'SELECT due_at, claim_token FROM deliveries WHERE endpoint_id = $1 AND attempts = 0',
      [endpointId],
    );
    t.equal(rows.length, 30);
    const opensMs = clock.now().getTime() + OPEN_FIRST_MS;
    t.ok(rows.every(({ claim_token }) => claim_token === null));
    t.ok(rows.every(({ due_at }) => due_at.getTime() >= opensMs && due_at.getTime() <= opensMs * 1.2));
  });

  await t.test('then one delivery of one process finds out, and a success lets all of them go', async (t) => {
    let status = 500;
    const receiver = await createReceiver(t, { respond: () => ({ status }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await openBreaker(tenantId);
    await publish(tenantId, 20);
    clock.advance(OPEN_FIRST_MS);
    const before = receiver.requests.length;
    const { opened, open } = gate();
    const pumps: Promise<number>[] = [];
    const workers: Deliverer[] = [];
    for (let i = 0; i < 3; i++) {
      await publish(tenantId, 5);
      const loaded = gate();
      // Each has claimed and read that the time is over before any of them goes on.
      const load: Targets['load'] = async (executor, wanted) => {
        const found = await outbox.webhooks.load(executor, wanted);
        loaded.open();
        await opened;
        return found;
      };
      const one = worker(t, { targets: { load, disable: outbox.webhooks.disable } });
      workers.push(one);
      pumps.push(one.pump(clock.now()));
      await loaded.opened;
    }
    status = 200;
    open();
    t.ok((await Promise.all(pumps)).every((count) => count >= 5));
    await Promise.all(workers.map((one) => one.settled()));
    t.equal(receiver.requests.length, before + 1, 'one probe');
    t.match(await health(endpointId), { failures: 0, openings: 0, open_until: null, failing_since: null });
    clock.advance(10_000);
    await drain();
    const [row] = await sql<{ pending: number }>(
      `SELECT count(*)::int AS pending FROM deliveries WHERE endpoint_id = $1 AND status = 'pending'`,
      [endpointId],
    );
    t.equal(row?.pending, 0);
    t.equal(receiver.requests.length, before + BREAKER_FAILURES + 20 + 15);
  });

  await t.test('a probe that fails keeps it open for longer', async (t) => {
    const receiver = await createReceiver(t, { respond: () => ({ status: 500 }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await openBreaker(tenantId);
    for (const openings of [2, 3, 4]) {
      const until = (await health(endpointId))?.open_until;
      if (until != null) clock.set(until);
      await publish(tenantId, 1);
      await drain();
      t.equal(receiver.requests.length, BREAKER_FAILURES + openings - 1);
      t.match(await health(endpointId), {
        openings,
        open_until: new Date(clock.now().getTime() + OPEN_FIRST_MS * 2 ** (openings - 1)),
      });
    }
  });

  await t.test('a probe that is never heard of again is followed by another', async (t) => {
    let isSilent = false;
    const receiver = await createReceiver(t, { respond: () => (isSilent ? null : { status: 500 }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await openBreaker(tenantId);
    clock.advance(OPEN_FIRST_MS);
    await publish(tenantId, 1);
    isSilent = true;
    await worker(t).pump(clock.now());
    await receiver.waitFor(BREAKER_FAILURES + 1);
    isSilent = false;
    clock.advance(60_000);
    await drain();
    t.equal(receiver.requests.length, BREAKER_FAILURES + 2);
    t.match(await health(endpointId), { openings: 2 });
    await sql('DELETE FROM deliveries WHERE endpoint_id = $1', [endpointId]);
  });

  await t.test('successes of a healthy endpoint write nothing of its health', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, 20);
    await drain();
    t.equal(receiver.requests.length, 20);
    t.equal(await health(endpointId), undefined);
  });

  await t.test('after five days without a success it is disabled, and the others are told', async (t) => {
    const failing = await createReceiver(t, { respond: () => ({ status: 503 }) });
    const well = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, failing.url);
    await publish(tenantId, 1);
    await drain();
    const wellId = await endpoint(tenantId, well.url, { eventTypes: ['webhook.endpoint_disabled'] });
    clock.advance(5 * DAY_MS - 1);
    await publish(tenantId, 1);
    await drain();
    const shown = () => outbox.webhooks.get(outbox.context(tenantId), endpointId);
    t.equal((await shown()).status, 'active');
    clock.advance(1);
    await publish(tenantId, 3);
    await drain();
    t.match(await shown(), { status: 'disabled', disabledReason: 'No delivery has succeeded for 5 days.' });
    const rows = await sql(
      'SELECT DISTINCT status, due_at FROM deliveries WHERE endpoint_id = $1 AND finished_at IS NULL AND due_at <= $2',
      [endpointId, clock.now()],
    );
    t.same(rows, [], 'nothing is left to be sent to it now');
    t.match(
      well.requests.map(({ json }) => json),
      [{ type: 'webhook.endpoint_disabled', data: { endpoint: { id: endpointId } } }],
    );
    t.equal((await outbox.webhooks.get(outbox.context(tenantId), wellId)).status, 'active');
  });
});
