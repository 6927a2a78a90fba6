import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { createReceiver } from '../helpers/receiver.js';
import { startService, type TestService } from '../helpers/service.js';
import {
  askForReplay as ask,
  deliverAll,
  endpointOf,
  replayDue,
  showReplay as show,
  tell,
} from './teller.js';

const MINUTE_MS = 60_000;

async function isAnybodyWaiting({ database, tenant }: TestService): Promise<boolean> {
  const waiting = await database.read(tenant.id, (executor) =>
    executor.rows({
      text: `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
              WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`,
    }),
  );
  return waiting.length > 0;
}

t.test('replays', async (t) => {
  const shared = await startService(t);

  await t.test('all events of a type between two times, as they were, in their order', async (t) => {
    const service = await shared.forTenant('range');
    const { clock } = service;
    const old = await tell(service, [{ type: 'policy.activated' }]);
    clock.advance(10 * MINUTE_MS);
    const from = clock.now().toISOString();
    const wanted = await tell(service, [{ type: 'order.recorded' }, { type: 'order.recorded' }]);
    await tell(service, [{ type: 'order.cancelled' }, { type: 'order.recorded', deliver: false }]);
    clock.advance(MINUTE_MS);
    wanted.push(...(await tell(service, [{ type: 'order.recorded' }])));
    const to = clock.now().toISOString();
    clock.advance(10 * MINUTE_MS);
    await tell(service, [{ type: 'order.recorded' }]);
    const receiver = await createReceiver(t);
    const endpointId = await endpointOf(service, receiver.url, { eventTypes: ['policy.activated'] });
    const other = await endpointOf(service, `${receiver.url}/other`);
    await service.inject('POST', `/v1/webhook-endpoints/${other}/test`);
    await deliverAll(t, service);
    const before = receiver.requests.length;

    const asked = await ask(service, endpointId, { eventTypes: ['order.recorded'], from, to });
    t.match(asked, { status: 'running', eventsSeen: 0, deliveriesQueued: 0, finishedAt: null });
    t.equal(await replayDue(service), 3);
    t.match(await show(service, endpointId, asked), {
      status: 'done',
      eventsSeen: 5,
      deliveriesQueued: 3,
      finishedAt: clock.now().toISOString(),
    });
    await deliverAll(t, service);
    const sent = receiver.requests.slice(before);
    t.same(
      sent.map(({ headers }) => headers['webhook-id']),
      wanted,
    );
    t.ok(sent.every(({ headers }) => headers['perennial-replay'] === asked.id));
    t.ok(sent.every(({ path }) => path === '/'));

    await t.test(
      'by default of the types that the endpoint hears of, up to now, tries left out',
      async (t) => {
        const again = await ask(service, endpointId, { from: '2026-01-01T00:00:00Z' });
        t.match(again, { eventTypes: ['policy.activated'], to: clock.now().toISOString() });
        await replayDue(service);
        await deliverAll(t, service);
        t.equal(receiver.requests.at(-1)?.headers['webhook-id'], old[0]);
        t.match(await show(service, endpointId, again), { deliveriesQueued: 1 });
        const all = await ask(service, endpointId, { from: '2026-01-01T00:00:00Z', eventTypes: ['*'] });
        await replayDue(service);
        t.match(
          await show(service, endpointId, all),
          { deliveriesQueued: 6 },
          'without the ping to the other',
        );
      },
    );
  });

  await t.test('the endpoint’s filter is asked of what is replayed, as of what happens', async (t) => {
    const service = await shared.forTenant('filter');
    const from = (country: string) => ({ type: 'order.recorded', data: { customer: { country } } });
    const told = await tell(service, [from('DE'), from('FR'), from('DE')]);
    const receiver = await createReceiver(t);
    const filter = { field: 'country', op: 'eq', value: 'DE' };
    const endpointId = await endpointOf(service, receiver.url, { filter });
    await ask(service, endpointId, { from: '2026-01-01T00:00:00Z', eventTypes: ['order.recorded'] });
    t.equal(await replayDue(service), 2);
    await deliverAll(t, service);
    t.same(
      receiver.requests.map(({ headers }) => headers['webhook-id']),
      [told[0], told[2]],
    );
  });

  await t.test('what never was queued for it is found by `missed`, and nothing else', async (t) => {
    const service = await shared.forTenant('missed');
    const missed = await tell(service, [{}, {}]);
    const receiver = await createReceiver(t);
    const endpointId = await endpointOf(service, receiver.url);
    await tell(service, [{}]);
    await ask(service, endpointId, { from: '2026-01-01T00:00:00Z', scope: 'missed' });
    t.ok((await replayDue(service)) >= 2);
    await deliverAll(t, service);
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    t.equal(new Set(ids).size, ids.length, 'nothing twice');
    t.ok(missed.every((id) => ids.includes(id)));
    await ask(service, endpointId, { from: '2026-01-01T00:00:00Z', scope: 'missed' });
    t.equal(await replayDue(service), 0);
  });

  await t.test('a customer’s events are replayed in their order, before what waits already', async (t) => {
    const service = await shared.forTenant('ordered');
    const customerId = service.tenant.id;
    const of = (sequence: number) => ({ type: 'order.recorded', customerId, sequence });
    const first = await tell(service, [of(1), of(2), of(3)]);
    const receiver = await createReceiver(t);
    const endpointId = await endpointOf(service, receiver.url, { ordering: 'per_customer' });
    const live = await tell(service, [of(4)]);
    await ask(service, endpointId, {
      from: '2026-01-01T00:00:00Z',
      eventTypes: ['order.recorded'],
      scope: 'missed',
    });
    await replayDue(service);
    for (let round = 0; round < 5; round++) {
      await deliverAll(t, service);
      service.clock.advance(MINUTE_MS);
    }
    t.same(
      receiver.requests.map(({ headers }) => headers['webhook-id']),
      [...first, ...live],
    );
  });

  await t.test('one endpoint’s replays are worked one after the other, others’ meanwhile', async (t) => {
    const service = await shared.forTenant('one-by-one');
    const { clock, database } = service;
    await tell(service, [{}]);
    const endpointId = await endpointOf(service, 'https://127.0.0.1/', { status: 'paused' });
    const other = await endpointOf(service, 'https://127.0.0.1/', { status: 'paused' });
    const range = { from: '2026-03-01T00:00:00Z', eventTypes: ['policy.activated'] };
    const first = await ask(service, endpointId, range);
    await database.write(service.context(), (tx) =>
      tx.rows({
        text: 'UPDATE webhook_replays SET due_at = $2 WHERE tenant_id = $1',
        values: [service.tenant.id, new Date(clock.now().getTime() + MINUTE_MS)],
      }),
    );
    const second = await ask(service, endpointId, range);
    const beside = await ask(service, other, range);
    await replayDue(service);
    t.match(await show(service, endpointId, second), { status: 'running', eventsSeen: 0 });
    t.match(await show(service, other, beside), { status: 'done' });
    clock.advance(MINUTE_MS);
    await replayDue(service);
    for (const one of [first, second]) t.match(await show(service, endpointId, one), { status: 'done' });
  });

  await t.test('what was under way when it was asked for is waited for', async (t) => {
    const service = await shared.forTenant('under-way');
    const { database, services } = service;
    const receiver = await createReceiver(t);
    const context = service.context();
    let commit: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let written: () => void = () => undefined;
    const isWritten = new Promise<void>((resolve) => {
      written = resolve;
    });
    const slow = database.write(context, async (tx) => {
      const draft = { type: 'policy.activated', occurredAt: context.now, data: {} };
      const event = { draft, customerId: null, sequence: null, deliver: true };
      await services.outbox.publish(tx, context, services.outbox.prepareEvents(context, [event]));
      written();
      await held;
    });
    await isWritten;
    const endpointId = await endpointOf(service, receiver.url, { eventTypes: ['policy.activated'] });
    const asked = await ask(service, endpointId, { from: '2026-03-01T00:00:00Z' });
    let isAdvanced = false;
    const advanced = replayDue(service).then(() => {
      isAdvanced = true;
    });
    // Until it waits, or has not waited.
    while (!isAdvanced && !(await isAnybodyWaiting(service))) await nextTurn();
    commit();
    await Promise.all([slow, advanced]);
    t.match(await show(service, endpointId, asked), { status: 'done', deliveriesQueued: 1 });
  });

  await t.test('a queue that is full holds a replay up until it is not', async (t) => {
    const service = await shared.forTenant('bounded');
    const { clock, database } = service;
    await tell(service, Array(6_100).fill({}));
    const endpointId = await endpointOf(service, 'https://127.0.0.1/', { status: 'paused' });
    const asked = await ask(service, endpointId, { from: '2026-03-01T00:00:00Z', eventTypes: ['*'] });
    const queued = await replayDue(service);
    t.ok(queued >= 5_000 && queued < 5_500, `${queued} are queued`);
    t.match(await show(service, endpointId, asked), { status: 'running', deliveriesQueued: queued });
    t.equal(await replayDue(service), 0, 'it does not ask all the time');
    clock.advance(2_000);
    t.equal(await replayDue(service), 0, 'and the queue is still full');
    await database.write(service.context(), (tx) =>
      tx.rows({
        text: `UPDATE deliveries SET status = 'succeeded', due_at = NULL, finished_at = $2
                WHERE tenant_id = $1 AND finished_at IS NULL`,
        values: [service.tenant.id, clock.now()],
      }),
    );
    clock.advance(2_000);
    await replayDue(service);
    const after = await show(service, endpointId, asked);
    t.equal(after.status, 'done');
    t.equal(after.deliveriesQueued, after.eventsSeen);
    t.ok(after.deliveriesQueued >= 6_100);
  });
});
