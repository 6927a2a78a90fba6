// A batch of orders over HTTP: each item comes to something of its own, in the order in which they were sent.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { contentOf, openShop, orderOf } from './shop.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });

interface Result {
  status: number;
  data?: { id: string; customerId: string; version: number };
  problem?: { code: string; errors: { pointer: string }[] };
}

const statuses = (results: Result[]) => results.map(({ status }) => status);

t.test('an item that fails leaves the others done, and each keeps its place', async (t) => {
  const shop = await openShop(shared, 'fails');
  const annId = await shop.customer('ann');
  await shop.post(orderOf('ann', 'taken', '2026-02-01'));
  const items = [
    orderOf('ann', 'o1', '2026-02-10'),
    orderOf('ann', 'o2', '2026-02-11', { amountMinor: -1 }),
    'an order',
    orderOf('nobody', 'o3', '2026-02-12'),
    orderOf('ann', 'taken', '2026-02-13'),
    orderOf({ externalIds: [{ namespace: 'crm', id: 'bo' }] }, 'o4', '2026-02-14'),
    orderOf('ann', 'o5', '2026-03-03'),
    orderOf('ann', 'o6', '2026-02-15', { total: 1, lines: [{ product: 'p' }] }),
    null,
    orderOf('bo', 'o7', '2026-02-16'),
    orderOf('ann', 'taken', '2026-02-01'),
  ];
  const answer = await shop.batch(items);
  t.equal(answer.statusCode, 207);
  const { results } = answer.json() as { results: Result[] };
  t.same(statuses(results), [201, 400, 400, 404, 409, 201, 400, 400, 400, 201, 200]);
  t.match(results[0], { data: { id: (await shop.order('o1')).id, customerId: annId, version: 1 } });
  const pointers = results.map(({ problem }) => problem?.errors.map(({ pointer }) => pointer).sort());
  t.same(pointers, [
    undefined,
    ['/items/1/amountMinor'],
    ['/items/2'],
    ['/items/3/customer'],
    ['/items/4/externalId'],
    undefined,
    ['/items/6/placedAt'],
    ['/items/7/lines/0/quantity', '/items/7/lines/0/unitPriceMinor', '/items/7/total'],
    ['/items/8'],
    undefined,
    undefined,
  ]);
  t.match(
    await shop.profile('bo'),
    { stage: 'mature', facts: { orders: 2 } },
    'who came along with one item is known to the next',
  );
  t.match(await shop.profile('ann'), { stage: 'mature', facts: { orders: 2 } });
  const known = (await shop.service.inject('GET', '/v1/orders')).json().data;
  t.same(
    known.map(({ externalId }: { externalId: { id: string } }) => externalId.id),
    ['o7', 'o4', 'o1', 'taken'],
  );
});

t.test('the same external id twice in one batch is as in two requests', async (t) => {
  const shop = await openShop(shared, 'twice');
  await shop.customer('ann');
  const answer = await shop.batch([
    orderOf('ann', 'o1', '2026-02-10'),
    orderOf('ann', 'o1', '2026-02-10'),
    orderOf('ann', 'o1', '2026-02-11'),
    contentOf('ann', '2026-02-10'),
    contentOf('ann', '2026-02-10'),
  ]);
  const { results } = answer.json() as { results: Result[] };
  t.same(statuses(results), [201, 200, 409, 201, 201]);
  t.equal(results[1]?.data?.id, results[0]?.data?.id);
  t.match(results[2]?.problem, {
    code: 'order_already_exists',
    errors: [{ pointer: '/items/2/externalId' }],
  });
  t.not(results[4]?.data?.id, results[3]?.data?.id, 'those without one are orders of their own');
  t.equal((await shop.profile('ann')).facts.orders, 3);
  const again = await shop.batch([orderOf('ann', 'o1', '2026-02-10')]);
  t.same(statuses(again.json().results), [200], 'and a batch that is sent again is harmless');
});

t.test('a batch of a customer’s orders in any order is one history', async (t) => {
  const shop = await openShop(shared, 'history');
  await shop.customer('ann');
  const days = ['2026-02-10', '2025-09-01', '2025-12-20', '2025-09-20'];
  await shop.batch(days.map((day) => orderOf('ann', day, day)));
  t.same(await shop.path('ann'), [
    ...['· → new 2025-09-01', 'new → mature 2025-09-20', 'mature → declining 2025-11-04'],
    // Both at one instant: the order applies first, and the rules decide once.
    ...['declining → mature 2025-12-20', 'mature → declining 2026-02-03', 'declining → mature 2026-02-10'],
  ]);
  const recorded = (await shop.events('ann')).filter(({ type }) => type === 'order.recorded');
  t.same(
    recorded.map(({ occurredAt }) => occurredAt.slice(0, 10)),
    days,
    'told in the order in which they were sent',
  );
});

t.test('a batch has at least one item and at most a thousand', async (t) => {
  const shop = await openShop(shared, 'sizes');
  await shop.customer('ann');
  const items = Array.from({ length: 1_001 }, (_, index) => orderOf('ann', `o${index}`, '2026-02-10'));
  for (const wrong of [[], items]) {
    const refused = await shop.batch(wrong);
    t.equal(refused.statusCode, 400);
    t.match(refused.json(), { errors: [{ pointer: '/items' }] });
  }
  t.equal((await shop.profile('ann')).facts.orders, 0);
  const most = await shop.batch(items.slice(1));
  t.equal(most.statusCode, 207);
  t.ok(most.json().results.every(({ status }: Result) => status === 201));
  t.match((await shop.profile('ann')).facts, {
    orders: 1_000,
    purchaseDays: 1,
    spend: [{ amountMinor: 1_000_000 }],
  });
});

t.test('what is wrong with the batch itself does nothing at all', async (t) => {
  const shop = await openShop(shared, 'envelope');
  await shop.customer('ann');
  const items = [orderOf('ann', 'o1', '2026-02-10')];
  const wrong: [unknown, string][] = [
    [{ items, backfil: true }, '/backfil'],
    [{ items, backfill: 'yes' }, '/backfill'],
    [{ orders: items }, '/items'],
    [{ items: items[0] }, '/items'],
    [items, ''],
  ];
  for (const [body, pointer] of wrong) {
    const refused = await shop.service.inject('POST', '/v1/orders/batch', { body });
    t.equal(refused.statusCode, 400, refused.body);
    t.ok(
      refused.json().errors.some((fault: { pointer: string }) => fault.pointer === pointer),
      refused.body,
    );
  }
  t.equal((await shop.profile('ann')).facts.orders, 0);
});
