// Taking orders back over HTTP: cancelled ones never counted, nor did those that were wholly refunded; part of
// a refund lowers the amount only.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { openShop, orderOf, typesOf } from './shop.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });

t.beforeEach(() => shared.clock.set(NOW));

t.test('an unknown order can be neither cancelled nor refunded', async (t) => {
  const shop = await openShop(shared, 'unknown');
  const refund = { externalId: 'r', amountMinor: 1 };
  for (const answer of [await shop.cancel('nothing'), await shop.refund('nothing', refund)]) {
    t.equal(answer.statusCode, 404);
    t.equal(answer.json().code, 'order_not_found');
  }
});

t.test('a cancelled order never counted', async (t) => {
  const shop = await openShop(shared, 'cancelled');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-10'));
  await shop.post(orderOf('ann', 'o2', '2026-02-20'));
  t.equal((await shop.profile('ann')).stage, 'mature');
  const answer = await shop.cancel('o1');
  t.equal(answer.statusCode, 200);
  t.match(answer.json(), { status: 'cancelled', version: 2, updatedAt: NOW });
  t.match(await shop.profile('ann'), {
    stage: 'new',
    stageSince: '2026-02-20T12:00:00.000Z',
    facts: { orders: 1 },
  });
  t.same(await shop.path('ann'), ['· → new 2026-02-20'], 'the history is as if it had not been');
  const events = await shop.events('ann');
  t.ok(typesOf(events).includes('order.cancelled'));
  const again = await shop.cancel('o1');
  t.equal(again.statusCode, 200);
  t.strictSame(again.json(), answer.json(), 'cancelling twice is harmless');
  t.strictSame(await shop.events('ann'), events);
});

t.test('cancelling a pending order changes no history', async (t) => {
  const shop = await openShop(shared, 'pending');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-10', { status: 'pending' }));
  const ledger = await shop.ledger('ann', { superseded: true });
  t.match((await shop.cancel('o1')).json(), { status: 'cancelled' });
  t.strictSame(await shop.ledger('ann', { superseded: true }), ledger);
});

t.test('a refund in part lowers the amount and nothing else', async (t) => {
  const shop = await openShop(shared, 'part');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  const path = await shop.path('ann');
  const answer = await shop.refund('o1', { externalId: 'r1', amountMinor: 300, reason: 'too late' });
  t.equal(answer.statusCode, 201);
  t.match(answer.json(), {
    ...{ status: 'placed', amountMinor: 1_000, refundedMinor: 300, version: 2 },
    refunds: [{ externalId: 'r1', amountMinor: 300, refundedAt: NOW, reason: 'too late' }],
  });
  t.match(await shop.profile('ann'), {
    stage: 'new',
    facts: { orders: 1, spend: [{ currency: 'EUR', amountMinor: 700 }] },
  });
  t.same(await shop.path('ann'), path);
  t.match(
    (await shop.events('ann')).filter(({ type }) => type === 'order.refunded'),
    [{ data: { order: { refundedMinor: 300 } }, previous: { order: { refundedMinor: 0 } } }],
  );
});

t.test('an order that is refunded in whole, at once or bit by bit, never counted', async (t) => {
  const shop = await openShop(shared, 'whole');
  await shop.customer('ann');
  await shop.customer('bo');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  await shop.refund('o1', { externalId: 'all', amountMinor: 1_000 });
  t.match(await shop.profile('ann'), {
    stage: 'prospect',
    facts: { orders: 0, lastOrderAt: null, spend: [] },
  });
  t.match(await shop.order('o1'), { status: 'placed', refundedMinor: 1_000 });
  await shop.post(orderOf('bo', 'o2', '2026-02-20'));
  for (const bit of ['a', 'b']) await shop.refund('o2', { externalId: bit, amountMinor: 500 });
  t.match(await shop.profile('bo'), { stage: 'prospect', facts: { orders: 0 } });
});

t.test('the refunds of an order never exceed its amount', async (t) => {
  const shop = await openShop(shared, 'sum');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  await shop.refund('o1', { externalId: 'a', amountMinor: 600 });
  const before = await shop.order('o1');
  const refused = await shop.refund('o1', { externalId: 'b', amountMinor: 401 });
  t.equal(refused.statusCode, 409);
  t.match(refused.json(), {
    code: 'refund_exceeds_amount',
    remainingMinor: 400,
    errors: [{ pointer: '/amountMinor' }],
  });
  t.strictSame(await shop.order('o1'), before);
  t.match((await shop.refund('o1', { externalId: 'b', amountMinor: 400 })).json(), { refundedMinor: 1_000 });
});

t.test('refunds that come at once do not exceed it either', async (t) => {
  const shop = await openShop(shared, 'at-once');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  const refunds = Array.from({ length: 8 }, (_, index) =>
    shop.refund('o1', { externalId: `r${index}`, amountMinor: 300 }),
  );
  const statuses = (await Promise.all(refunds)).map(({ statusCode }) => statusCode).sort();
  t.same(statuses, [201, 201, 201, 409, 409, 409, 409, 409]);
  t.match(await shop.order('o1'), { refundedMinor: 900, version: 4 });
});

t.test('a repeated refund is harmless, and another amount under its id is a conflict', async (t) => {
  const shop = await openShop(shared, 'repeat');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  const first = await shop.refund('o1', { externalId: 'r1', amountMinor: 300 });
  const events = await shop.events('ann');
  shared.clock.advance(60_000);
  const again = await shop.refund('o1', { externalId: 'r1', amountMinor: 300 });
  t.equal(again.statusCode, 200);
  t.strictSame(again.json(), first.json());
  t.strictSame(await shop.events('ann'), events);
  const other = await shop.refund('o1', { externalId: 'r1', amountMinor: 301 });
  t.equal(other.statusCode, 409);
  t.match(other.json(), { code: 'refund_already_exists', errors: [{ pointer: '/externalId' }] });
});

t.test('a repeat of a POST is still one after its order was refunded and cancelled', async (t) => {
  const shop = await openShop(shared, 'later');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  await shop.refund('o1', { externalId: 'r1', amountMinor: 300 });
  await shop.cancel('o1');
  const repeat = await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  t.equal(repeat.statusCode, 200);
  t.match(
    repeat.json(),
    { status: 'cancelled', refundedMinor: 300, version: 3 },
    'and does not bring it back',
  );
});
