// Years of history never reach a partner as news: what is sent as a backfill enters the feed, and no webhook
// goes out for it. What happens afterwards is news again.

import t from 'tap';
import { startService, type TestService } from './helpers/service.js';
import { eventsOf, openShop, orderOf, POLICY, type Shop, type ToldEvent, typesOf } from './orders/shop.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });

t.beforeEach(() => shared.clock.set(NOW));

/** With a silence of ten months, and one of three that ends with a recovery. */
const HISTORY = ['2025-01-10', '2025-02-01', '2025-12-01', '2026-02-25'];
const history = (name: string) =>
  HISTORY.map((day) => orderOf({ externalIds: [{ namespace: 'crm', id: name }] }, `${name}-${day}`, day));

function heard(events: readonly ToldEvent[]): string[] {
  return typesOf(events.filter(({ deliver, deliveries }) => deliver || deliveries > 0));
}

async function delivered({ database, tenant }: TestService): Promise<number> {
  const text = 'SELECT count(*)::int AS count FROM deliveries WHERE tenant_id = $1';
  const count = (values: unknown[]) =>
    database.read(tenant.id, (executor) => executor.rows<{ count: number }>({ text, values }));
  return (await count([tenant.id]))[0]?.count ?? 0;
}

/** All that the feed shows, which is all that there is. */
async function feed(shop: Shop): Promise<string[]> {
  return (await shop.service.inject('GET', '/v1/events?limit=200'))
    .json()
    .data.map(({ type }: { type: string }) => type);
}

t.test('a backfilled batch of orders writes events and delivers nothing', async (t) => {
  const shop = await openShop(shared, 'orders');
  const answer = await shop.batch(history('ann'), { backfill: true });
  t.ok(answer.json().results.every(({ status }: { status: number }) => status === 201));
  const events = await shop.events('ann');
  t.same(heard(events), []);
  t.equal(await delivered(shop.service), 0);
  const shown = await feed(shop);
  for (const type of ['customer.created', 'order.recorded', 'customer.churned', 'customer.reactivated']) {
    t.ok(typesOf(events).includes(type), `${type} is told`);
    t.ok(shown.includes(type), `${type} is in the feed`);
  }
});

t.test('the same batch without backfill is heard of, and makes the same history', async (t) => {
  const [quiet, loud] = [await openShop(shared, 'quiet'), await openShop(shared, 'loud')];
  await quiet.batch(history('ann'), { backfill: true });
  await loud.batch(history('ann'));
  t.same(await loud.path('ann'), await quiet.path('ann'));
  t.same(typesOf(await loud.events('ann')), typesOf(await quiet.events('ann')));
  t.same(
    heard(await loud.events('ann')),
    ['customer.created', ...HISTORY.map(() => 'order.recorded'), 'customer.recovered'],
    'of the transitions only the one in force',
  );
  t.equal(await delivered(loud.service), 6);
});

t.test('what time brings after a backfill is news', async (t) => {
  const shop = await openShop(shared, 'afterwards');
  await shop.batch(history('ann'), { backfill: true });
  await shop.tick('2026-04-12T00:00:00Z');
  t.same(heard(await shop.events('ann')), ['customer.declining']);
  await shop.post(orderOf('ann', 'next', '2026-04-12T00:00:00Z'));
  t.same(heard(await shop.events('ann')).slice(1), ['order.recorded', 'customer.recovered']);
});

t.test('a backfill that takes back what was delivered says so in the feed alone', async (t) => {
  const shop = await openShop(shared, 'takes-back');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-01-10'));
  await shop.tick('2026-03-02T09:00:00Z');
  const before = heard(await shop.events('ann'));
  t.ok(before.includes('customer.declining'));
  await shop.batch([orderOf('ann', 'o2', '2026-02-01')], { backfill: true });
  const events = await shop.events('ann');
  t.ok(typesOf(events).includes('customer.transition_retracted'));
  t.same(heard(events), before);
});

t.test('customers, touchpoints and policies that are backfilled deliver nothing either', async (t) => {
  for (const backfill of [true, false]) {
    const { service, ...shop } = await openShop(shared, `others-${backfill}`);
    const before = await delivered(service);
    const customers = { items: [{ externalIds: [{ namespace: 'crm', id: 'ann' }] }], backfill };
    t.equal((await service.inject('POST', '/v1/customers/batch', { body: customers })).statusCode, 207);
    const call = { customer: 'ext:crm:ann', channel: 'phone', direction: 'inbound', kind: 'call' };
    const touchpoints = { items: [call], backfill };
    t.equal((await service.inject('POST', '/v1/touchpoints/batch', { body: touchpoints })).statusCode, 207);
    await shop.batch(history('ann'), { backfill });
    const policy = { ...POLICY, rules: POLICY.rules.slice(2) };
    const activation = { policy, effectiveFrom: 'beginning', backfill };
    t.equal((await service.inject('PUT', '/v1/policies/live', { body: activation })).statusCode, 200);
    await shop.tick(NOW);
    const events = await eventsOf(service, (await shop.profile('ann')).id);
    t.ok(typesOf(events).includes('customer.transition_retracted'), 'the policy has decided the past anew');
    if (backfill) t.equal(await delivered(service), before);
    else t.ok((await delivered(service)) >= before + 5, 'each is heard of otherwise');
  }
});
