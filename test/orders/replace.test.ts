// PUT over HTTP: shops edit orders daily, and what they say last is what holds.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { contentOf, MINUTE_MS, openShop, orderOf, typesOf } from './shop.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });

t.beforeEach(() => shared.clock.set(NOW));

const FULL = {
  lines: [{ product: 'a', category: 'books', quantity: 1, unitPriceMinor: 1_000 }],
  refunds: [{ externalId: 'r1', amountMinor: 200, refundedAt: '2026-02-25T00:00:00.000Z' }],
  sourceUpdatedAt: '2026-02-25T00:00:00.000Z',
};

t.test('a PUT of an unknown order creates it', async (t) => {
  const shop = await openShop(shared, 'creates');
  const customerId = await shop.customer('ann');
  const made = await shop.put('o1', contentOf('ann', '2026-02-20', FULL));
  t.equal(made.statusCode, 201);
  t.match(made.json(), {
    customerId,
    externalId: { namespace: 'shop', id: 'o1' },
    version: 1,
    refundedMinor: 200,
  });
  const told = typesOf(await shop.events('ann')).filter((type) => type.startsWith('order.'));
  t.same(told, ['order.recorded']);
  const cancelled = await shop.put('o2', contentOf('ann', '2026-02-21', { status: 'cancelled' }));
  t.equal(cancelled.statusCode, 201, 'one that is cancelled already too');
  t.match(await shop.order('o2'), { status: 'cancelled', version: 1 });
  t.match((await shop.profile('ann')).facts, { orders: 1 });
  const repeat = await shop.post(orderOf('ann', 'o1', '2026-02-20', FULL));
  t.equal(repeat.statusCode, 200, 'and a POST of the same is a repeat');
});

t.test('a PUT replaces the whole order and tells of it', async (t) => {
  const shop = await openShop(shared, 'replaces');
  await shop.customer('ann');
  const { id, createdAt } = (await shop.put('o1', contentOf('ann', '2026-02-20', FULL))).json();
  const before = await shop.order('o1');
  shared.clock.advance(MINUTE_MS);
  const answer = await shop.put('o1', contentOf('ann', '2026-02-22', { amountMinor: 700, currency: 'USD' }));
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers.etag, '"2"');
  t.strictSame(answer.json(), {
    ...before,
    ...{
      placedAt: '2026-02-22T12:00:00.000Z',
      amountMinor: 700,
      currency: 'USD',
      lines: [],
      refunds: [],
      refundedMinor: 0,
    },
    ...{ version: 2, createdAt, updatedAt: '2026-03-02T09:01:00.000Z' },
  });
  t.match(await shop.profile('ann'), {
    stageSince: '2026-02-22T12:00:00.000Z',
    facts: { orders: 1, categories: [], spend: [{ currency: 'USD', amountMinor: 700 }] },
  });
  const updated = (await shop.events('ann')).filter(({ type }) => type === 'order.updated');
  t.match(updated, [
    {
      occurredAt: '2026-03-02T09:01:00.000Z',
      data: { order: { id, version: 2, amountMinor: 700 } },
      previous: { order: { id, version: 1, amountMinor: 1_000, lines: FULL.lines } },
    },
  ]);
});

t.test('a PUT of what is there already changes nothing', async (t) => {
  const shop = await openShop(shared, 'same');
  await shop.customer('ann');
  await shop.put('o1', contentOf('ann', '2026-02-20', FULL));
  const [order, events, profile] = [
    await shop.order('o1'),
    await shop.events('ann'),
    await shop.profile('ann'),
  ];
  shared.clock.advance(MINUTE_MS);
  const again = await shop.put('o1', contentOf('ann', '2026-02-20', FULL));
  t.equal(again.statusCode, 200);
  t.strictSame(again.json(), order);
  t.strictSame(await shop.events('ann'), events);
  t.strictSame(await shop.profile('ann'), profile);
});

t.test('a PUT that is older than the stored sourceUpdatedAt changes nothing', async (t) => {
  const shop = await openShop(shared, 'older');
  await shop.customer('ann');
  await shop.customer('bo');
  await shop.put('o1', contentOf('ann', '2026-02-20', FULL));
  const [order, events] = [await shop.order('o1'), await shop.events('ann')];
  const older = { sourceUpdatedAt: '2026-02-24T23:59:59.999Z', status: 'cancelled', amountMinor: 5 };
  const answer = await shop.put('o1', contentOf('bo', '2026-02-19', older));
  t.equal(answer.statusCode, 200);
  t.strictSame(answer.json(), order, 'it is answered with what holds');
  t.strictSame(await shop.events('ann'), events);
  t.equal((await shop.profile('bo')).stage, 'prospect');
  const equal = await shop.put('o1', contentOf('ann', '2026-02-20', { ...FULL, amountMinor: 900 }));
  t.match(equal.json(), { amountMinor: 900, version: 2 }, 'one of the same time is not older');
  const timeless = await shop.put('o1', contentOf('ann', '2026-02-20', { amountMinor: 800 }));
  t.match(
    timeless.json(),
    { amountMinor: 800, version: 3, sourceUpdatedAt: FULL.sourceUpdatedAt },
    'nor one without a time',
  );
});

t.test('an older PUT does not change the customer that it brings along either', async (t) => {
  const shop = await openShop(shared, 'stale');
  const inline = (name: string) => ({ externalIds: [{ namespace: 'crm', id: 'ann' }], name });
  await shop.put('o1', contentOf(inline('Anna'), '2026-02-20', FULL));
  const [profile, events] = [await shop.profile('ann'), await shop.events('ann')];
  const older = { ...FULL, sourceUpdatedAt: '2026-02-24T00:00:00Z' };
  t.equal((await shop.put('o1', contentOf(inline('Ann'), '2026-02-20', older))).statusCode, 200);
  await shop.put('o1', contentOf({ externalIds: [{ namespace: 'crm', id: 'bo' }] }, '2026-02-20', older));
  t.strictSame(await shop.profile('ann'), profile);
  t.strictSame(await shop.events('ann'), events);
  t.equal(
    (await shop.service.inject('GET', '/v1/customers/ext:crm:bo')).statusCode,
    404,
    'nor does it make one',
  );
});

t.test('the source time of a PUT that changes nothing else is kept', async (t) => {
  const shop = await openShop(shared, 'touched');
  await shop.customer('ann');
  await shop.put('o1', contentOf('ann', '2026-02-20', FULL));
  const [events] = [await shop.events('ann')];
  const touched = await shop.put(
    'o1',
    contentOf('ann', '2026-02-20', { ...FULL, sourceUpdatedAt: '2026-02-27T00:00:00Z' }),
  );
  t.match(touched.json(), { version: 1, sourceUpdatedAt: '2026-02-27T00:00:00.000Z' });
  t.strictSame(await shop.events('ann'), events);
  const between = { ...FULL, sourceUpdatedAt: '2026-02-26T00:00:00Z', amountMinor: 500 };
  await shop.put('o1', contentOf('ann', '2026-02-20', between));
  t.match(
    await shop.order('o1'),
    { amountMinor: 1_000, version: 1 },
    'so what lies between is known to be old',
  );
});

t.test('an order counts from the PUT that places it, at its own time', async (t) => {
  const shop = await openShop(shared, 'placed');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20', { status: 'pending' }));
  t.equal((await shop.profile('ann')).stage, 'prospect');
  await shop.put('o1', contentOf('ann', '2026-02-20', { status: 'placed' }));
  t.match(await shop.profile('ann'), {
    stage: 'new',
    stageSince: '2026-02-20T12:00:00.000Z',
    facts: { orders: 1 },
  });
  await shop.put('o1', contentOf('ann', '2026-02-20', { status: 'pending' }));
  t.match(
    await shop.profile('ann'),
    { stage: 'prospect', facts: { orders: 0 } },
    'and no longer when it is taken back',
  );
});

t.test('a PUT that cancels or refunds tells of that too', async (t) => {
  const shop = await openShop(shared, 'tells');
  await shop.customer('ann');
  await shop.put('o1', contentOf('ann', '2026-02-20'));
  const since = async (count: number) =>
    typesOf(await shop.events('ann'))
      .slice(count)
      .filter((type) => type.startsWith('order.'));
  let count = (await shop.events('ann')).length;
  await shop.put(
    'o1',
    contentOf('ann', '2026-02-20', { refunds: [{ externalId: 'r', amountMinor: 1, refundedAt: NOW }] }),
  );
  t.same(await since(count), ['order.updated', 'order.refunded']);
  count = (await shop.events('ann')).length;
  await shop.put('o1', contentOf('ann', '2026-02-20', { status: 'cancelled' }));
  t.same(await since(count), ['order.updated', 'order.cancelled']);
  t.match(await shop.profile('ann'), { stage: 'prospect', facts: { orders: 0 } });
  count = (await shop.events('ann')).length;
  await shop.put('o1', contentOf('ann', '2026-02-20', { status: 'placed' }));
  t.same(await since(count), ['order.updated']);
  t.match(
    await shop.profile('ann'),
    { stage: 'new', facts: { orders: 1 } },
    'a PUT brings a cancelled order back',
  );
});

t.test('an order that goes to another customer corrects both histories', async (t) => {
  const shop = await openShop(shared, 'moves');
  const [annId, boId] = [await shop.customer('ann'), await shop.customer('bo')];
  await shop.post(orderOf('ann', 'o1', '2025-12-01'));
  await shop.post(orderOf('ann', 'o2', '2026-02-20'));
  await shop.post(orderOf('bo', 'o3', '2026-02-10'));
  t.same(await shop.path('ann'), [
    ...['· → new 2025-12-01', 'new → declining 2026-01-15', 'declining → mature 2026-02-20'],
  ]);
  const count = (await shop.events('ann')).length;
  const moved = await shop.put('o2', contentOf('bo', '2026-02-20'));
  t.match(moved.json(), { customerId: boId, version: 2 });
  await shop.tick(NOW);
  t.same(
    await shop.path('ann'),
    ['· → new 2025-12-01', 'new → declining 2026-01-15'],
    'it never was the one’s',
  );
  t.match((await shop.profile('ann')).facts, { orders: 1, lastOrderAt: '2025-12-01T12:00:00.000Z' });
  t.same(
    await shop.path('bo'),
    ['· → new 2026-02-10', 'new → mature 2026-02-20'],
    'and always was the other’s',
  );
  t.match((await shop.profile('bo')).facts, { orders: 2, lastOrderAt: '2026-02-20T12:00:00.000Z' });
  t.same(typesOf(await shop.events('ann')).slice(count), ['customer.transition_retracted']);
  const told = (await shop.events('bo')).find(({ type }) => type === 'order.updated');
  t.match(told, { data: { order: { customerId: boId } }, previous: { order: { customerId: annId } } });
  const listed = await shop.service.inject('GET', '/v1/orders?customer=ext:crm:bo');
  t.equal(listed.json().data.length, 2);
});
