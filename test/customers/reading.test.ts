// What a customer's page and the lists show, over HTTP, on a real Postgres.

import t from 'tap';
import { startService } from '../helpers/service.js';

const DAY_MS = 86_400_000;
const { inject, clock } = await startService(t, { now: '2026-03-02T09:00:00.000Z' });

async function create(body: object) {
  return (await inject('POST', '/v1/customers', { body })).json();
}

async function read(ref: string) {
  return (await inject('GET', `/v1/customers/${ref}`)).json();
}

function ago(days: number): string {
  return new Date(clock.now().getTime() - days * DAY_MS).toISOString();
}

t.test('a prospect has no facts, no rhythm, and nothing to come', async (t) => {
  const { id } = await create({ name: 'Ann' });
  const profile = await read(id);
  t.strictSame(profile.facts, {
    orders: 0,
    purchaseDays: 0,
    firstOrderAt: null,
    lastOrderAt: null,
    spend: [],
    categories: [],
    interactions: 0,
    interactionsLast30Days: 0,
    interactionsLast90Days: 0,
    lastInteractionAt: null,
  });
  t.equal(profile.cadence, null);
  t.equal(profile.next, null);
});

t.test('orders are counted, summed by currency, and say what comes next and when', async (t) => {
  const { id } = await create({ name: 'Bo' });
  const orders = [
    { placedAt: ago(40), amountMinor: 1000, currency: 'EUR', lines: line('tea') },
    { placedAt: ago(20), amountMinor: 500, currency: 'USD', lines: line('cups') },
    { placedAt: ago(10), amountMinor: 250, currency: 'EUR', lines: line('tea') },
  ];
  for (const order of orders) {
    const response = await inject('POST', '/v1/orders', { body: { customer: id, ...order } });
    t.equal(response.statusCode, 201, response.body);
  }
  const profile = await read(id);
  t.match(profile, { stage: 'mature', stageSince: ago(20) });
  t.match(profile.facts, {
    orders: 3,
    purchaseDays: 3,
    firstOrderAt: ago(40),
    lastOrderAt: ago(10),
    categories: ['cups', 'tea'],
  });
  t.strictSame(
    profile.facts.spend.sort((a: { currency: string }, b: { currency: string }) =>
      a.currency < b.currency ? -1 : 1,
    ),
    [
      { currency: 'EUR', amountMinor: 1250 },
      { currency: 'USD', amountMinor: 500 },
    ],
  );
  // Before the first fit: r 3 and α 90 days, two gaps in 30 days; s_q = 120 · ((1 − q)^(−1/5) − 1).
  const s75 = 120 * (0.25 ** (-1 / 5) - 1);
  t.ok(Math.abs(profile.cadence.gapDaysP75 - s75) < 0.01);
  t.equal(profile.next.stage, 'declining');
  const due = Date.parse(ago(10)) + Math.ceil(s75 * DAY_MS);
  t.ok(Math.abs(Date.parse(profile.next.at) - due) <= 1);
});

function line(category: string) {
  return [{ product: `p-${category}`, category, quantity: 1, unitPriceMinor: 100 }];
}

t.test(
  'interactions are counted over the last 30 and 90 days, and fall out of them as time goes by',
  async (t) => {
    const { id } = await create({ name: 'Cy' });
    for (const days of [0, 10, 29, 31, 60, 100]) {
      const body = {
        customer: id,
        channel: 'phone',
        direction: 'outbound',
        kind: 'call',
        occurredAt: ago(days),
      };
      t.equal((await inject('POST', '/v1/touchpoints', { body })).statusCode, 201);
    }
    t.match((await read(id)).facts, {
      interactions: 6,
      interactionsLast30Days: 3,
      interactionsLast90Days: 5,
      lastInteractionAt: clock.now().toISOString(),
    });
    clock.advance(15 * DAY_MS);
    t.match((await read(id)).facts, {
      interactions: 6,
      interactionsLast30Days: 2,
      interactionsLast90Days: 5,
    });
    clock.advance(76 * DAY_MS);
    t.match((await read(id)).facts, {
      interactions: 6,
      interactionsLast30Days: 0,
      interactionsLast90Days: 0,
    });
  },
);

t.test('a list is filtered by who they are and where they stand', async (t) => {
  clock.advance(DAY_MS);
  const from = clock.now().toISOString();
  const de = { country: 'DE', channel: 'fair', owner: 'kim' };
  const one = await create({ ...de, email: 'one@filter.example', phone: '0171 2222222' });
  clock.advance(1_000);
  const between = clock.now().toISOString();
  const two = await create({ ...de, kind: 'company', owner: 'lee' });
  const three = await create({ country: 'FR', channel: 'web' });
  await inject('POST', '/v1/orders', {
    body: { customer: three.id, placedAt: ago(1), amountMinor: 100, currency: 'EUR' },
  });
  const cases: [query: string, ids: string[]][] = [
    ['', [three.id, two.id, one.id]],
    ['country=DE', [two.id, one.id]],
    ['country=DE&owner=kim', [one.id]],
    ['channel=web', [three.id]],
    ['kind=company', [two.id]],
    ['email=ONE@filter.example', [one.id]],
    ['phone=%2B49%20171%202222222', [one.id]],
    ['phone=0171%202222222&country=DE', [one.id]],
    ['stage=prospect', [two.id, one.id]],
    ['stage=new', [three.id]],
    [`createdTo=${between}`, [one.id]],
    [`lastOrderFrom=${ago(2)}&lastOrderTo=${ago(0)}`, [three.id]],
    [`lastOrderFrom=${ago(0)}`, []],
    [`stageSinceTo=${between}`, [three.id, one.id]],
    [`reviewBefore=${ago(-3650)}`, [three.id]],
    ['owner=nobody', []],
  ];
  for (const [query, ids] of cases) {
    const response = await inject('GET', `/v1/customers?createdFrom=${from}&${query}`);
    t.equal(response.statusCode, 200, `${query}: ${response.body}`);
    t.strictSame(
      response.json().data.map((customer: { id: string }) => customer.id),
      ids,
      query,
    );
  }
  t.match((await inject('GET', `/v1/customers?createdFrom=${from}&kind=company`)).json().data, [two]);
});

t.test('a filter that cannot be read is a 400 that points at it', async (t) => {
  const cases: [query: string, pointer: string][] = [
    ['email=nobody', '/query/email'],
    ['phone=0171%202222222', '/query/phone'],
    // The plus sign of a query is a space.
    ['phone=+491712222222', '/query/phone'],
    ['createdFrom=yesterday', '/query/createdFrom'],
    ['kind=robot', '/query/kind'],
    ['limit=0', '/query/limit'],
    ['limit=201', '/query/limit'],
    ['sort=name', '/query/sort'],
    ['cursor=x', '/query/cursor'],
  ];
  for (const [query, pointer] of cases) {
    const response = await inject('GET', `/v1/customers?${query}`);
    t.equal(response.statusCode, 400, query);
    t.match(response.json(), { errors: [{ pointer }] }, query);
  }
});

t.test('pages are stable while customers are added, and a cursor belongs to its filter', async (t) => {
  clock.advance(DAY_MS);
  const query = `createdFrom=${clock.now().toISOString()}`;
  const made: string[] = [];
  // Several in one instant: the id decides among them.
  for (let index = 0; index < 7; index++) {
    if (index % 3 === 0) clock.advance(1_000);
    made.push((await create({ name: `n${index}` })).id);
  }
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await inject(
      'GET',
      `/v1/customers?${query}&limit=2${cursor === null ? '' : `&cursor=${cursor}`}`,
    );
    seen.push(...page.json().data.map((customer: { id: string }) => customer.id));
    const first = cursor === null;
    cursor = page.json().nextCursor;
    if (!first) continue;
    clock.advance(1_000);
    await create({ name: 'added meanwhile' });
    const other = await inject('GET', `/v1/customers?limit=2&owner=kim&cursor=${cursor}`);
    t.equal(other.statusCode, 400, 'of another filter');
  } while (cursor !== null);
  t.strictSame(seen, made.reverse());
});
