// Who an order is of: a customer by name, or one who is brought along and found or created by what they are
// known by.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { contentOf, MINUTE_MS, openShop, orderOf, typesOf } from './shop.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });

t.beforeEach(() => shared.clock.set(NOW));

t.test('an order brings its customer along', async (t) => {
  const shop = await openShop(shared, 'inline');
  const inline = { externalIds: [{ namespace: 'crm', id: 'ann' }], email: 'Ann@Example.com', name: 'Ann' };
  const made = (await shop.post(orderOf(inline, 'o1', '2026-02-20'))).json();
  t.match(await shop.profile('ann'), { id: made.customerId, email: 'ann@example.com', stage: 'new' });
  t.same(typesOf(await shop.events('ann')).slice(0, 2), ['customer.created', 'order.recorded']);
  const found = (
    await shop.post(orderOf({ email: 'ann@example.com', owner: 'kim' }, 'o2', '2026-02-21'))
  ).json();
  t.equal(found.customerId, made.customerId, 'whoever has the e-mail is the customer');
  t.match(
    await shop.profile('ann'),
    { owner: 'kim', name: 'Ann', stage: 'mature' },
    'and is changed by what is said',
  );
  const nameless = (await shop.post(orderOf({ name: 'Somebody' }, 'o3', '2026-02-21'))).json();
  t.not(nameless.customerId, made.customerId, 'who is known by nothing is new each time');
  await shop.customer('bo');
  const both = { email: 'ann@example.com', externalIds: [{ namespace: 'crm', id: 'bo' }] };
  const refused = await shop.post(orderOf(both, 'o4', '2026-02-21'));
  t.equal(refused.statusCode, 409, 'one person cannot be two customers');
  t.match(refused.json(), { code: 'identity_taken', errors: [{ pointer: /^\/customer\// }] });
  t.equal(
    (await shop.service.inject('GET', '/v1/orders/ext:shop:o4')).statusCode,
    404,
    'and nothing was kept',
  );
});

t.test('a repeat does not change the customer that it brings along', async (t) => {
  const shop = await openShop(shared, 'stale');
  const inline = { externalIds: [{ namespace: 'crm', id: 'ann' }], name: 'Ann' };
  const body = orderOf(inline, 'o1', '2026-02-20');
  await shop.post(body);
  await shop.service.inject('PATCH', '/v1/customers/ext:crm:ann', { body: { name: 'Anna' } });
  const [profile, events] = [await shop.profile('ann'), await shop.events('ann')];
  shared.clock.advance(MINUTE_MS);
  t.equal((await shop.post(body)).statusCode, 200);
  t.same((await shop.batch([body])).json().results[0].status, 200);
  t.strictSame(await shop.profile('ann'), profile, 'what was said of them since still holds');
  t.strictSame(await shop.events('ann'), events);
});

t.test('a refused order leaves no trace, nor of the customer that it brought along', async (t) => {
  const shop = await openShop(shared, 'refused');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'taken', '2026-02-20'));
  const before = await shop.profile('ann');
  const inline = { externalIds: [{ namespace: 'crm', id: 'ann' }], name: 'Ann' };
  const stranger = { externalIds: [{ namespace: 'crm', id: 'bo' }] };
  const refused: unknown[] = [inline, stranger].flatMap((customer) => [
    orderOf(customer, 'taken', '2026-02-21'),
    orderOf(customer, 'o2', '2026-03-03'),
    orderOf(customer, 'o2', '2026-02-21', { refunds: [{ externalId: 'r', amountMinor: 1_001 }] }),
  ]);
  for (const body of refused) t.ok((await shop.post(body)).statusCode >= 400);
  const { results } = (await shop.batch(refused)).json() as { results: { status: number }[] };
  t.same(
    results.map(({ status }) => status),
    [409, 400, 400, 409, 400, 400],
  );
  t.strictSame(await shop.profile('ann'), before);
  t.equal((await shop.service.inject('GET', '/v1/customers/ext:crm:bo')).statusCode, 404);
});

t.test('an order of nobody is a 404 that points at the customer', async (t) => {
  const shop = await openShop(shared, 'nobody');
  for (const customer of ['ext:crm:nobody', '0190a000-0000-7000-8000-000000000000']) {
    for (const answer of [
      await shop.post(orderOf(customer, 'o1', '2026-02-20')),
      await shop.put('o1', contentOf(customer, '2026-02-20')),
    ]) {
      t.equal(answer.statusCode, 404);
      t.match(answer.json(), { code: 'customer_not_found', errors: [{ pointer: '/customer' }] });
    }
  }
  t.same((await shop.service.inject('GET', '/v1/orders')).json().data, []);
});
