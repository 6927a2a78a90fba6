import t from 'tap';
import { runOnce as prune } from '../../src/jobs/prune-deliveries.js';
import { createReceiver } from '../helpers/receiver.js';
import { startService, type TestService } from '../helpers/service.js';
import { deliverAll, endpointOf, tell } from './teller.js';

const DAY_MS = 86_400_000;

interface Kept {
  events: string[];
  deliveries: number;
  attempts: number;
}

async function kept({ database, tenant }: TestService): Promise<Kept> {
  const [row] = await database.read(tenant.id, (executor) =>
    executor.rows<Kept>({
      text: `SELECT ARRAY(SELECT id::text FROM events WHERE tenant_id = $1 ORDER BY id) AS events,
                    (SELECT count(*)::int FROM deliveries WHERE tenant_id = $1) AS deliveries,
                    (SELECT count(*)::int FROM delivery_attempts WHERE tenant_id = $1) AS attempts`,
      values: [tenant.id],
    }),
  );
  if (row === undefined) throw new Error('a count is one row');
  return row;
}

async function pruneAll({ database, clock }: TestService, retentionDays = 90): Promise<void> {
  while ((await prune({ database, retentionDays }, clock.now())).more) {
    // Until no tenant has a full batch.
  }
}

async function read(service: TestService, query: string) {
  return service.inject('GET', `/v1/events${query}`);
}

t.test('retention', async (t) => {
  const shared = await startService(t);
  const receiver = await createReceiver(t);

  await t.test('what is old enough goes, with its deliveries and attempts; the rest stays', async (t) => {
    const service = await shared.forTenant('old');
    const { clock } = service;
    await pruneAll(service);
    const endpointId = await endpointOf(service, receiver.url);
    const [old] = await tell(service, [{}, {}]);
    await deliverAll(t, service);
    const place = (await read(service, '')).json().cursor;
    clock.advance(DAY_MS);
    const young = await tell(service, [{}]);
    await deliverAll(t, service);
    const end = (await read(service, '')).json().cursor;
    clock.advance(89 * DAY_MS);
    const before = await kept(service);
    await pruneAll(service);
    t.same(await kept(service), before, 'to the day, nothing is older than ninety days');
    clock.advance(1);
    await pruneAll(service, 0);
    t.same(await kept(service), before, 'with 0, all is kept for ever');
    await pruneAll(service);
    t.same(await kept(service), { events: young, deliveries: 1, attempts: 1 });
    t.equal((await read(service, `/${old}`)).statusCode, 404);
    const { data } = (await service.inject('GET', `/v1/webhook-endpoints/${endpointId}/deliveries`)).json();
    t.match(data, [{ eventId: young[0] }]);

    await t.test('and the feed says so to who comes too late, and to nobody else', async (t) => {
      const onwards = await read(service, `?after=${place}`);
      t.equal(onwards.statusCode, 200, 'nothing after this place is missing');
      t.match(onwards.json().data, [{ id: young[0] }]);
      const first = await read(service, '');
      t.match(first.json().data, [{ id: young[0] }]);
      clock.advance(DAY_MS);
      await pruneAll(service);
      t.same((await kept(service)).events, []);
      const late = await read(service, `?after=${place}`);
      t.match([late.statusCode, late.json().code], [410, 'cursor_expired']);
      t.match(late.json().errors, [{ pointer: '/query/after' }]);
      const filtered = await read(service, `?after=${place}&types=ping`);
      t.equal(filtered.statusCode, 410, 'whatever is asked for: what is gone cannot be looked through');
      const atEnd = await read(service, `?after=${end}`);
      t.match([atEnd.statusCode, atEnd.json().data, atEnd.json().nextCursor], [200, [], null]);
      const fresh = await read(service, '');
      t.match([fresh.statusCode, fresh.json().cursor], [200, end]);
      const next = await tell(service, [{}]);
      t.match((await read(service, `?after=${end}`)).json().data, [{ id: next[0] }]);
    });
  });

  await t.test(
    'what is still to be delivered stays, and goes when it has been, and is old enough',
    async (t) => {
      const service = await shared.forTenant('pending');
      const { clock } = service;
      const endpointId = await endpointOf(service, receiver.url, { status: 'paused' });
      const waiting = await tell(service, [{}]);
      await deliverAll(t, service);
      await read(service, '');
      clock.advance(91 * DAY_MS);
      await pruneAll(service);
      t.same(await kept(service), { events: waiting, deliveries: 1, attempts: 0 });
      const sent = receiver.requests.length;
      const active = await service.inject('PATCH', `/v1/webhook-endpoints/${endpointId}`, {
        body: { status: 'active' },
      });
      t.equal(active.statusCode, 200, active.body);
      await deliverAll(t, service);
      t.equal(receiver.requests.at(sent)?.headers['webhook-id'], waiting[0], 'it is delivered as it was');
      await pruneAll(service);
      t.same(
        await kept(service),
        { events: waiting, deliveries: 1, attempts: 1 },
        'yesterday is not long ago',
      );
      clock.advance(90 * DAY_MS + 1);
      await pruneAll(service);
      t.same(await kept(service), { events: [], deliveries: 0, attempts: 0 });
    },
  );

  await t.test('what was resent lately keeps its event, and not what was finished long ago', async (t) => {
    const service = await shared.forTenant('resent');
    const { clock } = service;
    const endpointId = await endpointOf(service, receiver.url);
    const told = await tell(service, [{}]);
    await deliverAll(t, service);
    await read(service, '');
    const path = `/v1/webhook-endpoints/${endpointId}/deliveries`;
    const [first] = (await service.inject('GET', path)).json().data;
    clock.advance(80 * DAY_MS);
    const resent = await service.inject('POST', `/v1/webhook-deliveries/${first.id}/resend`);
    t.equal(resent.statusCode, 202, resent.body);
    await deliverAll(t, service);
    clock.advance(11 * DAY_MS);
    await pruneAll(service);
    t.same(await kept(service), { events: told, deliveries: 1, attempts: 1 });
    t.match((await service.inject('GET', path)).json().data, [{ id: resent.json().id }]);
  });

  await t.test('a batch is bounded, and the rest follows at once', async (t) => {
    const service = await shared.forTenant('many');
    const { clock, database } = service;
    // The other tenants' first.
    clock.advance(91 * DAY_MS);
    await pruneAll(service);
    await tell(service, Array(1_200).fill({}));
    await read(service, '');
    clock.advance(91 * DAY_MS);
    const runs: unknown[] = [];
    for (let more = true; more; ) {
      const result = await prune({ database, retentionDays: 90 }, clock.now());
      runs.push(result.counts.events);
      more = result.more;
    }
    t.same(runs, [500, 500, 200]);
    t.same((await kept(service)).events, []);
  });

  await t.test('a sample that never was in the feed goes as well', async (t) => {
    const service = await shared.forTenant('sample');
    const endpointId = await endpointOf(service, receiver.url);
    const body = { eventType: 'order.recorded' };
    const tried = await service.inject('POST', `/v1/webhook-endpoints/${endpointId}/test`, { body });
    t.equal(tried.statusCode, 202, tried.body);
    await deliverAll(t, service);
    t.equal((await kept(service)).events.length, 1);
    await pruneAll(service);
    t.equal((await kept(service)).events.length, 1);
    service.clock.advance(91 * DAY_MS);
    await pruneAll(service);
    t.same(await kept(service), { events: [], deliveries: 0, attempts: 0 });
  });
});
