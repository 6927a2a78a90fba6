import t from 'tap';
import { WINDOW } from '../../src/outbox/feed-store.js';
import { numberEvents } from '../../src/outbox/number.js';
import { startService, type TestService } from '../helpers/service.js';

interface Page {
  data: { id: string; type: string; sequence: number | null }[];
  nextCursor: string | null;
  cursor: string;
}

t.test('the feed over HTTP', async (t) => {
  const service = await startService(t);
  const read = async (s: TestService, query = ''): Promise<Page> => {
    const response = await s.inject('GET', `/v1/events${query}`);
    t.equal(response.statusCode, 200, response.body);
    return response.json();
  };
  const tell = async (
    s: TestService,
    drafts: { type?: string; customerId?: string; sequence?: number }[],
  ) => {
    const { outbox } = s.services;
    const context = s.context();
    const rows = outbox.prepareEvents(
      context,
      drafts.map(({ type = 'policy.activated', customerId = null, sequence = null }) => ({
        draft: { type, occurredAt: context.now, data: { note: 'of a test' } },
        customerId,
        sequence,
        deliver: true,
      })),
    );
    await s.database.write(context, (tx) => outbox.publish(tx, context, rows));
    return rows.map(({ id }) => id);
  };

  await t.test('whoever reads after their own write finds it', async (t) => {
    const s = await service.forTenant('own-write');
    const empty = await read(s);
    t.match(empty, { data: [], nextCursor: null });
    const ids = await tell(s, [{}, {}]);
    const page = await read(s, `?after=${empty.cursor}`);
    t.same(
      page.data.map(({ id }) => id),
      ids,
    );
    t.equal(page.nextCursor, null, 'the present end');
    t.same((await read(s, `?after=${page.cursor}`)).data, []);
    const [next] = await tell(s, [{}]);
    t.same(
      (await read(s, `?after=${page.cursor}`)).data.map(({ id }) => id),
      [next],
    );
  });

  await t.test('pages follow each other without a gap or a repetition', async (t) => {
    const s = await service.forTenant('pages');
    const ids = await tell(
      s,
      Array.from({ length: 25 }, () => ({})),
    );
    const seen: string[] = [];
    let page = await read(s, '?limit=10');
    seen.push(...page.data.map(({ id }) => id));
    while (page.nextCursor !== null) {
      page = await read(s, `?limit=10&after=${page.nextCursor}`);
      seen.push(...page.data.map(({ id }) => id));
    }
    t.same(seen.sort(), ids.sort());
  });

  await t.test('what is read is to the letter what a webhook would carry', async (t) => {
    const s = await service.forTenant('letter');
    const customer = {
      name: 'Ünïcode 李娜 "quoted" \\ \u2028',
      externalIds: [{ namespace: 'crm', id: '1' }],
    };
    await s.inject('POST', '/v1/customers', { body: customer });
    const bodies = await s.database.read(s.tenant.id, (executor) =>
      executor.rows<{ body: string }>({
        text: 'SELECT body FROM events WHERE tenant_id = $1 ORDER BY sequence',
        values: [s.tenant.id],
      }),
    );
    t.ok(bodies.length > 0);
    const response = await s.inject('GET', '/v1/events');
    for (const { body } of bodies) t.ok(response.body.includes(body));
    t.match(response.headers['content-type'], /^application\/json/);
    const [first] = response.json().data;
    const single = await s.inject('GET', `/v1/events/${first.id}`);
    t.same(single.json(), first);
  });

  await t.test('filters: by type, by pattern, by customer', async (t) => {
    const s = await service.forTenant('filters');
    const made = await s.inject('POST', '/v1/customers', {
      body: { name: 'Anna', externalIds: [{ namespace: 'crm', id: '7' }] },
    });
    const { id: customerId } = made.json();
    await s.inject('POST', '/v1/customers', { body: { name: 'Bert' } });
    await tell(s, [{ type: 'order.recorded' }, { type: 'order.cancelled' }]);
    const types = async (query: string) => (await read(s, query)).data.map(({ type }) => type);
    t.same(await types('?types=order.*'), ['order.recorded', 'order.cancelled']);
    t.same(await types('?types=order.cancelled&types=ping'), ['order.cancelled']);
    const annas = await read(s, `?customer=${customerId}`);
    t.ok(annas.data.length > 0);
    t.same(await read(s, '?customer=ext:crm:7'), annas);
    t.same(
      annas.data.map(({ sequence }) => sequence),
      annas.data.map((_, index) => index + 1),
    );
    t.same(await types(`?customer=${customerId}&types=customer.created`), ['customer.created']);
    t.equal((await s.inject('GET', '/v1/events?customer=ext:crm:nobody')).statusCode, 404);
  });

  await t.test('a filter that matches little leads through the feed by stretches, and ends', async (t) => {
    const s = await service.forTenant('stretches');
    const context = s.context();
    const filler = `INSERT INTO events (tenant_id, id, type, occurred_at, recorded_at, deliver, body)
      SELECT $1, gen_random_uuid(), 'policy.activated', $2, $2, false, '{}' FROM generate_series(1, $3)`;
    await s.database.write(context, (tx) =>
      tx.rows({ text: filler, values: [s.tenant.id, context.now, WINDOW + 50] }),
    );
    while ((await numberEvents(s.database, { tenantId: s.tenant.id, now: context.now })) > 0);
    const [rare] = await tell(s, [{ type: 'ping' }]);
    const first = await read(s, '?types=ping');
    t.same(first.data, []);
    t.ok(first.nextCursor !== null, 'an empty page that has a next one');
    const second = await read(s, `?types=ping&after=${first.nextCursor}`);
    t.same(
      second.data.map(({ id }) => id),
      [rare],
    );
    t.equal(second.nextCursor, null);
  });

  await t.test('a place in the feed is one whatever the filter, and nothing else is one', async (t) => {
    const s = await service.forTenant('places');
    await tell(s, [{ type: 'ping' }, { type: 'order.recorded' }]);
    const page = await read(s, '?types=ping&limit=1');
    t.equal((await s.inject('GET', `/v1/events?after=${page.cursor}`)).statusCode, 200);
    const endpoints = await s.inject('GET', '/v1/events?after=WyJub3RoaW5nIiwxXQ');
    t.equal(endpoints.statusCode, 400);
    t.match(endpoints.json(), { code: 'invalid_cursor', errors: [{ pointer: '/query/after' }] });
    t.equal((await s.inject('GET', '/v1/events?types=order.vanished')).statusCode, 400);
    t.equal((await s.inject('GET', '/v1/events?cursor=abc')).statusCode, 400);
  });

  await t.test('another tenant’s events are not there', async (t) => {
    const [mine, theirs] = [await service.forTenant('mine'), await service.forTenant('theirs')];
    const [id] = await tell(mine, [{}]);
    t.same((await read(theirs)).data, []);
    t.equal((await theirs.inject('GET', `/v1/events/${id}`)).statusCode, 404);
    t.equal((await mine.inject('GET', `/v1/events/${id}`)).statusCode, 200);
  });
});
