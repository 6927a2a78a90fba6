import t from 'tap';
import { openOutbox } from './fixture.js';

t.test('publishing', async (t) => {
  const outbox = await openOutbox(t);
  const { publish, sql, database } = outbox;
  const heard = async (endpointId: string): Promise<string[]> => {
    const rows = await sql<{ event_id: string }>(
      'SELECT event_id FROM deliveries WHERE endpoint_id = $1 ORDER BY event_id',
      [endpointId],
    );
    return rows.map(({ event_id }) => event_id);
  };
  const listening = async (
    tenantId: string,
    eventTypes: string[],
    status: 'active' | 'paused' = 'active',
  ) => {
    const input = { url: 'http://127.0.0.1:9999/', eventTypes, status };
    return (await outbox.webhooks.create(outbox.context(tenantId), input)).id;
  };

  await t.test('each endpoint hears of what it listens to', async (t) => {
    const tenantId = await outbox.tenant();
    const all = await listening(tenantId, ['*']);
    const orders = await listening(tenantId, ['order.*', 'customer.churned']);
    const stages = await listening(tenantId, ['customer.stage_changed']);
    const ids = await publish(tenantId, [
      { type: 'order.recorded' },
      { type: 'customer.churned' },
      { type: 'customer.stage_changed' },
      { type: 'customer.updated' },
    ]);
    const [order, churned, changed] = ids;
    t.same(await heard(all), ids);
    t.same(await heard(orders), [order, churned]);
    t.same(await heard(stages), [churned, changed]);
  });

  await t.test('a backfill is told to nobody and is in the feed', async (t) => {
    const tenantId = await outbox.tenant();
    const all = await listening(tenantId, ['*']);
    const [quiet] = await publish(tenantId, [{ deliver: false }]);
    t.same(await heard(all), []);
    t.equal((await sql('SELECT FROM events WHERE id = $1', [quiet])).length, 1);
  });

  await t.test('a paused endpoint’s deliveries wait, another tenant’s endpoint hears nothing', async (t) => {
    const [mine, theirs] = [await outbox.tenant(), await outbox.tenant()];
    const paused = await listening(mine, ['*'], 'paused');
    const foreign = await listening(theirs, ['*']);
    const ids = await publish(mine, [{}]);
    t.same(await heard(paused), ids);
    t.same(await heard(foreign), []);
  });

  await t.test('a delivery’s id is a UUIDv7 that follows from event and endpoint', async (t) => {
    const tenantId = await outbox.tenant();
    for (let i = 0; i < 3; i++) await listening(tenantId, ['*']);
    const ids = await publish(tenantId, [{}, {}]);
    const rows = await sql<{ id: string; event_id: string }>(
      'SELECT id, event_id FROM deliveries WHERE tenant_id = $1',
      [tenantId],
    );
    t.equal(new Set(rows.map(({ id }) => id)).size, 6);
    t.ok(rows.every(({ id, event_id }) => id.slice(0, 24) === event_id.slice(0, 24)));
    t.ok(
      rows.every(({ id }) =>
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
      ),
    );
    t.equal(ids.length, 2);
  });

  await t.test('nothing is told of a transaction that fails', async (t) => {
    const tenantId = await outbox.tenant();
    await listening(tenantId, ['*']);
    const context = outbox.context(tenantId);
    let woken = 0;
    database.onCommit('deliveries', () => {
      woken += 1;
    });
    const draft = { type: 'ping', occurredAt: context.now, data: {} };
    const rows = outbox.outbox.prepareEvents(context, [
      { draft, customerId: null, sequence: null, deliver: true },
    ]);
    const failing = database.write(context, async (tx) => {
      await outbox.outbox.publish(tx, context, rows);
      throw new Error('the change failed');
    });
    await t.rejects(failing, { message: 'the change failed' });
    t.same(await sql('SELECT FROM events WHERE tenant_id = $1', [tenantId]), []);
    t.equal(woken, 0);
    await publish(tenantId, [{}]);
    t.equal(woken, 1, 'and of one that does not, the sender is woken');
  });
});
