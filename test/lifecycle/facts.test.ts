// How facts add up.

import t from 'tap';
import {
  applyOrder,
  applyTouchpoint,
  CATEGORIES_MAX,
  copyFacts,
  emptyFacts,
  inOrder,
  type OrderFact,
  recountDays,
} from '../../src/lifecycle/facts.js';

const at = (text: string) => Date.parse(text);

function order(id: string, placedAt: string, rest: Partial<OrderFact> = {}): OrderFact {
  return { id, at: at(placedAt), categories: [], currency: 'EUR', amountMinor: 1_000, ...rest };
}

function factsOf(orders: OrderFact[], timeZone = 'UTC') {
  const facts = emptyFacts();
  for (const one of orders) applyOrder(facts, one, timeZone);
  return facts;
}

t.test('orders on one local day are one purchase; what a day is depends on the time zone', async (t) => {
  const orders = [
    order('a', '2024-03-30T22:30Z'),
    order('b', '2024-03-30T23:30Z'),
    order('c', '2024-03-31T21:30Z'),
    order('d', '2024-03-31T22:30Z'),
  ];
  const utc = factsOf(orders);
  t.match(utc, { orders: 4, purchaseDays: 2, firstOrderAt: orders[0]?.at, lastOrderAt: orders[3]?.at });
  t.equal((utc.lastDay ?? 0) - (utc.firstDay ?? 0), 1);
  const berlin = factsOf(orders, 'Europe/Berlin');
  t.equal(berlin.purchaseDays, 3, 'the 23 hours of 31 March in Berlin are one day');
  t.equal((berlin.lastDay ?? 0) - (berlin.firstDay ?? 0), 2);
});

t.test('a change of time zone counts the same orders anew', async (t) => {
  const orders = [
    order('a', '2024-03-30T22:30Z'),
    order('b', '2024-03-30T23:30Z'),
    order('c', '2024-03-31T22:30Z'),
  ];
  const facts = factsOf(orders);
  recountDays(facts, orders, 'Europe/Berlin');
  t.same(facts, factsOf(orders, 'Europe/Berlin'));
});

t.test('where clocks go back across midnight, the repeated hour makes no further day', async (t) => {
  // St. John's, 2010-11-07: at 00:01 it became 23:01 of the day before.
  const orders = [
    order('a', '2010-11-07T02:00Z'),
    order('b', '2010-11-07T02:30:30Z'),
    order('c', '2010-11-07T03:00Z'),
    order('d', '2010-11-07T04:00Z'),
  ];
  t.equal(factsOf(orders, 'America/St_Johns').purchaseDays, 2);
});

t.test('money is kept by currency; a free order is a purchase and no money', async (t) => {
  const facts = factsOf([
    order('a', '2024-01-01T10:00Z', { amountMinor: 500 }),
    order('b', '2024-01-02T10:00Z', { amountMinor: 250, currency: 'USD' }),
    order('c', '2024-01-03T10:00Z', { amountMinor: 700 }),
    order('d', '2024-01-04T10:00Z', { amountMinor: 0, currency: 'JPY' }),
  ]);
  t.match(facts, { orders: 4, purchaseDays: 4 });
  t.strictSame(facts.spend, { EUR: 1_200, USD: 250 });
});

t.test('categories are distinct and sorted, and stop at a bound in the order of time', async (t) => {
  const some = factsOf([
    order('a', '2024-01-01T10:00Z', { categories: ['films', 'books'] }),
    order('b', '2024-01-02T10:00Z', { categories: ['books', 'art'] }),
  ]);
  t.same(some.categories, ['art', 'books', 'films']);

  const names = Array.from({ length: 40 }, (_, i) => `x${String(i).padStart(2, '0')}`);
  const first = order('a', '2024-01-01T10:00Z', { categories: names });
  const more = names.map((name) => `y${name}`);
  const full = factsOf([first, order('b', '2024-01-02T10:00Z', { categories: more })]);
  t.equal(full.categories.length, CATEGORIES_MAX);
  t.same(
    full.categories,
    [...names, ...more.slice(0, CATEGORIES_MAX - 40)],
    "the last order's first by alphabet",
  );
  const turned = factsOf([first, order('b', '2024-01-02T10:00Z', { categories: more.toReversed() })]);
  t.same(turned, full, "the order of an order's lines does not count");
});

t.test('touchpoints count and the last one is known', async (t) => {
  const facts = emptyFacts();
  applyTouchpoint(facts, { id: 'a', at: 5 });
  applyTouchpoint(facts, { id: 'b', at: 9 });
  t.match(facts, { interactions: 2, lastInteractionAt: 9, orders: 0 });
});

t.test('the last answer on each scale counts, and there is no key for it before the first', async (t) => {
  const facts = emptyFacts();
  applyTouchpoint(facts, { id: 'a', at: 5 });
  applyTouchpoint(facts, { id: 'b', at: 6, satisfaction: null });
  t.notOk('satisfaction' in facts);
  applyTouchpoint(facts, { id: 'c', at: 7, satisfaction: { scale: 'csat', score: 5 } });
  const copy = copyFacts(facts);
  applyTouchpoint(copy, { id: 'd', at: 8, satisfaction: { scale: 'nps', score: 10 } });
  applyTouchpoint(copy, { id: 'e', at: 9, satisfaction: { scale: 'csat', score: 1 } });
  t.same(facts.satisfaction, { csat: { score: 5, at: 7 } });
  t.same(copy.satisfaction, { csat: { score: 1, at: 9 }, nps: { score: 10, at: 8 } });
});

t.test('a copy shares nothing with its original', async (t) => {
  const facts = factsOf([order('a', '2024-01-01T10:00Z', { categories: ['books'] })]);
  const before = JSON.stringify(facts);
  applyOrder(copyFacts(facts), order('b', '2024-01-02T10:00Z', { categories: ['art'] }), 'UTC');
  t.equal(JSON.stringify(facts), before);
});

t.test('facts of one instant are taken by id', async (t) => {
  const { orders, changes } = inOrder({
    orders: [
      order('c', '2024-01-02T10:00Z'),
      order('b', '2024-01-01T10:00Z'),
      order('a', '2024-01-02T10:00Z'),
    ],
    touchpoints: [],
    moves: [],
    changes: [
      { id: 'b', at: 5, field: 'owner', value: 'kim' },
      { id: 'a', at: 5, field: 'owner', value: 'lee' },
      { id: 'c', at: 4, field: 'tag:vip', value: true },
    ],
  });
  t.same(
    orders.map((one) => one.id),
    ['b', 'a', 'c'],
  );
  t.same(
    changes.map((one) => one.id),
    ['c', 'a', 'b'],
  );
});
