// Recording single orders over HTTP: what is kept, what a repeat does, and which orders count and from when.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { contentOf, MINUTE_MS, openShop, orderOf } from './shop.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });

t.beforeEach(() => shared.clock.set(NOW));

t.test('an order is kept as it was sent', async (t) => {
  const shop = await openShop(shared, 'kept');
  const customerId = await shop.customer('ann');
  const lines = [
    { product: 'sku-1', name: 'A book', category: 'books', quantity: 2, unitPriceMinor: 450 },
    { product: 'sku-2', quantity: 1, unitPriceMinor: 100 },
  ];
  const refunds = [
    { externalId: 'r1', amountMinor: 100, refundedAt: '2026-02-21T00:00:00.000Z', reason: 'broken' },
  ];
  const sourceUpdatedAt = '2026-02-22T00:00:00.000Z';
  const answer = await shop.post(orderOf('ann', 'o1', '2026-02-20', { lines, refunds, sourceUpdatedAt }));
  t.equal(answer.statusCode, 201);
  t.equal(answer.headers.etag, '"1"');
  const { id, ...kept } = answer.json();
  t.strictSame(kept, {
    customerId,
    externalId: { namespace: 'shop', id: 'o1' },
    status: 'placed',
    placedAt: '2026-02-20T12:00:00.000Z',
    ...{
      amountMinor: 1_000,
      refundedMinor: 100,
      currency: 'EUR',
      lines,
      refunds,
      sourceUpdatedAt,
      version: 1,
    },
    createdAt: NOW,
    updatedAt: NOW,
  });
  t.strictSame(await shop.order('o1'), { id, ...kept }, 'and is read by its external id');
  const byId = await shop.service.inject('GET', `/v1/orders/${id}`);
  t.strictSame(byId.json(), { id, ...kept }, 'and by its id');
  t.match(await shop.profile('ann'), {
    stage: 'new',
    stageSince: '2026-02-20T12:00:00.000Z',
    facts: { orders: 1, categories: ['books'], spend: [{ currency: 'EUR', amountMinor: 900 }] },
  });
  const recorded = (await shop.events('ann')).filter(({ type }) => type === 'order.recorded');
  t.match(recorded, [
    { occurredAt: kept.placedAt, data: { order: { id, lines }, customer: { stage: 'new' } } },
  ]);
});

t.test('a repeat of an external id with the same body is answered 200 and does nothing', async (t) => {
  const shop = await openShop(shared, 'repeat');
  const customerId = await shop.customer('ann');
  const body = orderOf('ann', 'o1', '2026-02-20');
  const first = await shop.post(body);
  const [events, profile] = [await shop.events('ann'), await shop.profile('ann')];
  shared.clock.advance(MINUTE_MS);
  const { externalId, ...rest } = body;
  const repeats: [string, unknown][] = [
    ['word for word', body],
    ['with its fields in another order', { ...rest, externalId }],
    ['with the customer by id', { ...body, customer: customerId }],
    ['with its time in another zone', { ...body, placedAt: '2026-02-20T13:00:00+01:00' }],
    ['with what is usual said', { ...body, status: 'placed', lines: [], refunds: [] }],
  ];
  for (const [how, repeat] of repeats) {
    const again = await shop.post(repeat);
    t.equal(again.statusCode, 200, how);
    t.strictSame(again.json(), first.json(), how);
  }
  t.strictSame(await shop.events('ann'), events, 'no event tells of it');
  t.strictSame(await shop.profile('ann'), profile);
});

t.test('another body under a known external id is a 409 that names the order', async (t) => {
  const shop = await openShop(shared, 'conflict');
  await shop.customer('ann');
  await shop.customer('bo');
  const body = orderOf('ann', 'o1', '2026-02-20');
  const { id } = (await shop.post(body)).json();
  const others = [
    { ...body, amountMinor: 999 },
    { ...body, currency: 'USD' },
    { ...body, customer: 'ext:crm:bo' },
    { ...body, placedAt: '2026-02-20T12:00:01Z' },
    { ...body, status: 'pending' },
    { ...body, lines: [{ product: 'p', quantity: 1, unitPriceMinor: 1 }] },
    { ...body, refunds: [{ externalId: 'r', amountMinor: 1 }] },
  ];
  for (const other of others) {
    const refused = await shop.post(other);
    t.equal(refused.statusCode, 409, JSON.stringify(other));
    t.match(refused.json(), {
      code: 'order_already_exists',
      orderId: id,
      errors: [{ pointer: '/externalId' }],
    });
  }
  t.equal((await shop.order('o1')).version, 1);
  t.equal((await shop.profile('bo')).stage, 'prospect');
});

t.test('without an external id every order is a new one', async (t) => {
  const shop = await openShop(shared, 'anonymous');
  await shop.customer('ann');
  const body = contentOf('ann', '2026-02-20');
  const [one, two] = [await shop.post(body), await shop.post(body)];
  t.equal(two.statusCode, 201);
  t.not(one.json().id, two.json().id);
  t.equal(one.json().externalId, null);
  t.match(
    (await shop.profile('ann')).facts,
    { orders: 2, purchaseDays: 1 },
    'two of one day are one purchase day',
  );
});

t.test('only placed orders count', async (t) => {
  const shop = await openShop(shared, 'status');
  await shop.customer('ann');
  for (const status of ['pending', 'cancelled']) {
    const answer = await shop.post(orderOf('ann', status, '2026-02-10', { status }));
    t.equal(answer.statusCode, 201);
    t.equal(answer.json().status, status);
    t.match(await shop.profile('ann'), { stage: 'prospect', facts: { orders: 0 } }, status);
  }
  await shop.post(orderOf('ann', 'placed', '2026-02-20', { status: 'placed' }));
  t.match(await shop.profile('ann'), {
    stage: 'new',
    stageSince: '2026-02-20T12:00:00.000Z',
    facts: { orders: 1 },
  });
  await shop.post(orderOf('ann', 'free', '2026-02-21', { amountMinor: 0 }));
  t.match(
    await shop.profile('ann'),
    { stage: 'mature', facts: { orders: 2 } },
    'one of no value is a purchase too',
  );
});

t.test('an order placed up to five minutes ahead counts from then on', async (t) => {
  const shop = await openShop(shared, 'ahead');
  await shop.customer('ann');
  const placedAt = '2026-03-02T09:05:00.000Z';
  t.equal((await shop.post(orderOf('ann', 'o1', placedAt))).statusCode, 201);
  t.match(await shop.profile('ann'), { stage: 'prospect', facts: { orders: 0 } }, 'not before its time');
  await shop.tick('2026-03-02T09:04:59.999Z');
  t.equal((await shop.profile('ann')).stage, 'prospect');
  await shop.tick(placedAt);
  t.match(await shop.profile('ann'), { stage: 'new', stageSince: placedAt, facts: { orders: 1 } });
  await shop.tick('2026-03-02T10:00:00.000Z');
  t.same(await shop.path('ann'), ['· → prospect 2026-03-02', 'prospect → new 2026-03-02'], 'and only once');
});

t.test('an order placed further ahead is refused', async (t) => {
  const shop = await openShop(shared, 'too-far');
  await shop.customer('ann');
  const placedAt = '2026-03-02T09:05:00.001Z';
  for (const answer of [
    await shop.post(orderOf('ann', 'o1', placedAt)),
    await shop.put('o1', contentOf('ann', placedAt)),
  ]) {
    t.equal(answer.statusCode, 400);
    t.match(answer.json(), { errors: [{ pointer: '/placedAt' }] });
  }
  t.equal((await shop.service.inject('GET', '/v1/orders/ext:shop:o1')).statusCode, 404);
});
