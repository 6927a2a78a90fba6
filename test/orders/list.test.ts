// Listing orders by customer and time, newest first, on pages that hold still while orders come in.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { openShop, orderOf, type Shop } from './shop.js';

const shared = await startService(t);

async function list(shop: Shop, query: string) {
  const answer = await shop.service.inject('GET', `/v1/orders?${query}`);
  const {
    data = [],
    nextCursor = null,
    errors = [],
  } = answer.json() as {
    data?: { externalId: { id: string } }[];
    nextCursor?: string | null;
    errors?: { pointer: string }[];
  };
  return { status: answer.statusCode, ids: data.map(({ externalId }) => externalId.id), nextCursor, errors };
}

async function furnished(slug: string): Promise<Shop> {
  const shop = await openShop(shared, slug);
  for (const name of ['ann', 'bo']) await shop.customer(name);
  await shop.batch([
    orderOf('ann', 'a1', '2026-01-01'),
    orderOf('ann', 'a2', '2026-01-05', { status: 'pending' }),
    orderOf('bo', 'b1', '2026-01-03'),
    orderOf('ann', 'a3', '2026-01-09', { status: 'cancelled' }),
    orderOf('bo', 'b2', '2026-01-07'),
  ]);
  return shop;
}

t.test('orders are listed by customer, status and time', async (t) => {
  const shop = await furnished('filters');
  const { id } = await shop.profile('ann');
  const lists: [query: string, ids: string[]][] = [
    ['', ['a3', 'b2', 'a2', 'b1', 'a1']],
    ['customer=ext:crm:ann', ['a3', 'a2', 'a1']],
    [`customer=${id}`, ['a3', 'a2', 'a1']],
    ['customer=ext:crm:nobody', []],
    ['status=placed', ['b2', 'b1', 'a1']],
    ['status=cancelled&customer=ext:crm:ann', ['a3']],
    ['placedFrom=2026-01-05T12:00:00Z', ['a3', 'b2', 'a2']],
    ['placedTo=2026-01-05T12:00:00Z', ['b1', 'a1']],
    ['placedFrom=2026-01-03T00:00:00Z&placedTo=2026-01-07T12:00:00.001Z&customer=ext:crm:bo', ['b2', 'b1']],
    ['placedFrom=2026-01-05T13:00:00%2B01:00&limit=1', ['a3']],
  ];
  for (const [query, ids] of lists) t.same((await list(shop, query)).ids, ids, query);
});

t.test('pages hold still while orders come in before, between and after', async (t) => {
  const shop = await openShop(shared, 'pages');
  for (const name of ['ann', 'bo']) await shop.customer(name);
  // Many at one instant, so that a page ends among equals.
  const there = Array.from({ length: 13 }, (_, index) => `o${index}`);
  const day = (index: number) => `2026-01-0${1 + (index % 3)}`;
  await shop.batch(there.map((id, index) => orderOf('ann', id, day(index))));
  const seen: string[] = [];
  let cursor: string | null = null;
  let page = 0;
  do {
    const query: string = `customer=ext:crm:ann&limit=4${cursor === null ? '' : `&cursor=${cursor}`}`;
    const { ids, nextCursor } = await list(shop, query);
    t.ok(ids.length <= 4);
    seen.push(...ids);
    cursor = nextCursor;
    page += 1;
    await shop.batch([
      orderOf('ann', `newer${page}`, '2026-02-01'),
      orderOf('ann', `older${page}`, '2025-12-01'),
      orderOf('bo', `other${page}`, '2026-01-02'),
    ]);
  } while (cursor !== null && page < 20);
  const first = seen.filter((id) => id.startsWith('o') && !id.startsWith('older'));
  t.same(first.toSorted(), there.toSorted(), 'each that was there is seen once');
  t.equal(new Set(seen).size, seen.length, 'and none twice');
  t.notOk(seen.some((id) => id.startsWith('newer') || id.startsWith('other')));
  t.ok(
    seen.some((id) => id.startsWith('older')),
    'what comes in further on is met there',
  );
});

t.test('a cursor goes on with its own list and filter only', async (t) => {
  const shop = await furnished('cursors');
  const { nextCursor } = await list(shop, 'limit=2&customer=ext:crm:ann');
  t.same(
    (await list(shop, `limit=1&customer=ext:crm:ann&cursor=${nextCursor}`)).ids,
    ['a1'],
    'whatever the limit',
  );
  for (const query of [
    ...[`cursor=${nextCursor}`, `customer=ext:crm:bo&cursor=${nextCursor}`, 'cursor=x', 'cursor=AAAA'],
    `customer=ext:crm:ann&status=placed&cursor=${nextCursor}`,
  ]) {
    const refused = await list(shop, query);
    t.equal(refused.status, 400, query);
    t.match(refused.errors, [{ pointer: '/query/cursor' }], query);
  }
});

t.test('a parameter that is wrong or unknown is a 400 that names it', async (t) => {
  const shop = await furnished('wrong');
  const wrong: [query: string, pointer: string][] = [
    ...(['limit=0', 'limit=201', 'limit=ten', 'limit=1.5', 'limit=1&limit=2'].map((query) => [
      query,
      '/query/limit',
    ]) as []),
    ['status=shipped', '/query/status'],
    ['customer=ann', '/query/customer'],
    ['placedFrom=2026-01-05', '/query/placedFrom'],
    ['placedAfter=2026-01-05T00:00:00Z', '/query/placedAfter'],
  ];
  for (const [query, pointer] of wrong) {
    const refused = await list(shop, query);
    t.equal(refused.status, 400, query);
    t.match(refused.errors, [{ pointer }], query);
  }
});
