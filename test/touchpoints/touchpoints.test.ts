// Touchpoints over HTTP, on a real Postgres.

import t from 'tap';
import { eventsOf } from '../customers/tables.js';
import { startService } from '../helpers/service.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const UNKNOWN = '018f0000-0000-7000-8000-000000000001';

const service = await startService(t);
const { inject, clock } = service;

const call = { channel: 'phone', direction: 'outbound', kind: 'call' };

async function createCustomer(body: object = {}): Promise<string> {
  return (await inject('POST', '/v1/customers', { body })).json().id;
}

async function record(body: object, headers = {}) {
  const response = await inject('POST', '/v1/touchpoints', { body: { ...call, ...body }, headers });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
}

async function list(query: string) {
  const response = await inject('GET', `/v1/touchpoints?${query}`);
  return response.json().data.map((touchpoint: { id: string }) => touchpoint.id);
}

function at(offsetMs: number): string {
  return new Date(clock.now().getTime() + offsetMs).toISOString();
}

t.test('a touchpoint is recorded, read back, told, and counts as a fact', async (t) => {
  const customer = await createCustomer({ externalIds: [{ namespace: 'shop', id: 'ann' }] });
  const occurredAt = at(-DAY_MS);
  const sent = { outcome: 'reached', actor: 'kim', note: 'Likes tea.\nCall again in May.', occurredAt };
  const { status, headers, body } = await record({ customer: 'ext:shop:ann', ...sent });
  t.equal(status, 201);
  t.match(body, { customerId: customer, ...call, ...sent, externalId: null, createdAt: at(0) });
  t.equal(headers.etag, '"1"');
  t.strictSame((await inject('GET', `/v1/touchpoints/${body.id}`)).json(), body);
  const profile = (await inject('GET', `/v1/customers/${customer}`)).json();
  t.match(profile.facts, { interactions: 1, lastInteractionAt: occurredAt, interactionsLast30Days: 1 });
  const [event] = (await eventsOf(service, customer)).filter(({ type }) => type === 'touchpoint.recorded');
  t.match(event, { occurredAt, recordedAt: at(0), data: { customer: { id: customer }, touchpoint: body } });
});

t.test('what is not given is null, and it occurred now', async (t) => {
  const { body } = await record({ customer: await createCustomer() });
  t.match(body, { outcome: null, actor: null, note: null, externalId: null, occurredAt: at(0) });
});

t.test(
  'a repeat of an external id with the same body is harmless, with another it is a conflict',
  async (t) => {
    const customer = await createCustomer({ externalIds: [{ namespace: 'shop', id: 'bo' }] });
    const externalId = { namespace: 'calls', id: '1' };
    const first = await record({ customer, externalId, note: 'x' });
    t.equal(first.status, 201);
    clock.advance(MINUTE_MS);
    // The same customer by another name, and the same time, which was left to the service.
    const again = await record({ customer: 'ext:shop:bo', externalId, note: 'x' });
    t.equal(again.status, 200);
    t.strictSame(again.body, first.body);
    for (const other of [{ note: 'y' }, { note: 'x', occurredAt: at(0) }, { note: 'x', kind: 'visit' }]) {
      const conflict = await record({ customer, externalId, ...other });
      t.equal(conflict.status, 409);
      t.match(conflict.body, { code: 'touchpoint_already_exists', touchpointId: first.body.id });
    }
    const moved = await record({ customer: await createCustomer(), externalId, note: 'x' });
    t.equal(moved.status, 409, 'of another customer');
    t.strictSame(await list(`customer=${customer}`), [first.body.id]);
    t.equal((await inject('GET', `/v1/customers/${customer}`)).json().facts.interactions, 1);
  },
);

t.test('of repeats that come at once, one is recorded and the others are answered with it', async (t) => {
  const customer = await createCustomer();
  const responses = await Promise.all(
    Array.from({ length: 6 }, () => record({ customer, externalId: { namespace: 'calls', id: 'race' } })),
  );
  t.strictSame(responses.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 201]);
  t.equal(new Set(responses.map(({ body }) => body.id)).size, 1);
});

t.test('an idempotency key replays the status of the first answer', async (t) => {
  const customer = await createCustomer();
  const headers = { 'idempotency-key': 'call-7' };
  const body = { customer, externalId: { namespace: 'calls', id: '7' } };
  await record(body);
  const first = await record(body, headers);
  const second = await record(body, headers);
  t.strictSame([first.status, second.status], [200, 200]);
  t.equal(second.headers['idempotency-replayed'], 'true');
  t.strictSame(second.body, first.body);
});

t.test('clocks may differ by five minutes and no more', async (t) => {
  const customer = await createCustomer();
  t.equal((await record({ customer, occurredAt: at(5 * MINUTE_MS) })).status, 201);
  const ahead = await record({ customer, occurredAt: at(5 * MINUTE_MS + 1) });
  t.equal(ahead.status, 400);
  t.match(ahead.body, { code: 'occurred_in_future', errors: [{ pointer: '/occurredAt' }] });
  const profile = async () => (await inject('GET', `/v1/customers/${customer}`)).json().facts;
  t.match(await profile(), { interactions: 0, interactionsLast30Days: 0 }, 'it has not happened yet');
  clock.advance(5 * MINUTE_MS);
  t.match(await profile(), { interactionsLast30Days: 1 });
});

t.test('a touchpoint that arrives late counts from when it occurred', async (t) => {
  const customer = await createCustomer();
  const late = at(-3 * DAY_MS);
  await record({ customer, occurredAt: at(-DAY_MS) });
  await record({ customer, occurredAt: late });
  t.match((await inject('GET', `/v1/customers/${customer}`)).json().facts, {
    interactions: 2,
    lastInteractionAt: at(-DAY_MS),
  });
  // What is known of a customer begins at the earlier of their creation and their first fact.
  t.equal((await inject('GET', `/v1/customers/${customer}`)).json().stageSince, late);
});

t.test('bad input is a 4xx that points at it', async (t) => {
  const customer = await createCustomer();
  const cases: [body: object, status: number, pointer: string][] = [
    [{ customer: UNKNOWN }, 404, '/customer'],
    [{ customer: 'ext:shop:nobody' }, 404, '/customer'],
    [{ customer: 'nobody' }, 400, '/customer'],
    [{ customer, kind: 'telepathy' }, 400, '/kind'],
    [{ customer, direction: 'sideways' }, 400, '/direction'],
    [{ customer, channel: '' }, 400, '/channel'],
    [{ customer, occurredAt: '1969-12-31T23:59:59Z' }, 400, '/occurredAt'],
    [{ customer, occurredAt: '2026-02-30T00:00:00Z' }, 400, '/occurredAt'],
    [{ customer, note: 'x'.repeat(10_001) }, 400, '/note'],
    [{ customer, externalId: { namespace: 'calls' } }, 400, '/externalId/id'],
    [{ customer, mood: 'good' }, 400, '/mood'],
  ];
  for (const [body, status, pointer] of cases) {
    const response = await record(body);
    t.equal(response.status, status, JSON.stringify(body).slice(0, 80));
    t.match(response.body.errors, [{ pointer }], JSON.stringify(response.body));
  }
  t.strictSame(await list(`customer=${customer}`), []);
});

t.test('another tenant sees none of it', async (t) => {
  const other = await service.openTenant('other');
  const { body } = await record({ customer: await createCustomer() });
  const read = await inject('GET', `/v1/touchpoints/${body.id}`, { key: other.key });
  t.equal(read.statusCode, 404);
  t.match(read.json(), { code: 'touchpoint_not_found' });
  t.strictSame((await inject('GET', '/v1/touchpoints', { key: other.key })).json(), {
    data: [],
    nextCursor: null,
  });
  const written = await inject('POST', '/v1/touchpoints', {
    body: { ...call, customer: body.customerId },
    key: other.key,
  });
  t.equal(written.statusCode, 404);
});

t.test('a list is filtered, newest first, and paged without gaps while touchpoints arrive', async (t) => {
  const customer = await createCustomer({ externalIds: [{ namespace: 'shop', id: 'listed' }] });
  const ids: string[] = [];
  for (const [offsetMs, extra] of [
    [-4 * DAY_MS, {}],
    [-3 * DAY_MS, { kind: 'email', channel: 'mail' }],
    [-3 * DAY_MS, { direction: 'inbound' }],
    [-2 * DAY_MS, {}],
    [-1 * DAY_MS, { kind: 'complaint', direction: 'inbound' }],
  ] as const) {
    ids.unshift((await record({ customer, occurredAt: at(offsetMs), ...extra })).body.id);
  }
  const [newest, fourth, third, second, oldest] = ids;
  const cases: [query: string, ids: (string | undefined)[]][] = [
    [`customer=${customer}`, ids],
    ['customer=ext:shop:listed', ids],
    [`customer=${customer}&kind=call`, [fourth, third, oldest]],
    [`customer=${customer}&channel=mail`, [second]],
    [`customer=${customer}&direction=inbound`, [newest, third]],
    [`customer=${customer}&from=${at(-3 * DAY_MS)}&to=${at(-2 * DAY_MS)}`, [third, second]],
    ['customer=ext:shop:nobody', []],
    [`customer=${UNKNOWN}`, []],
  ];
  for (const [query, expected] of cases) t.strictSame(await list(query), expected, query);

  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? '' : `&cursor=${cursor}`;
    const page = (await inject('GET', `/v1/touchpoints?customer=${customer}&limit=2${after}`)).json();
    seen.push(...page.data.map((touchpoint: { id: string }) => touchpoint.id));
    cursor = page.nextCursor;
    await record({ customer });
  } while (cursor !== null);
  t.strictSame(seen, ids);
});
