// Customers over HTTP, on a real Postgres: upsert, patch, versions, and changes at once.

import t from 'tap';
import { createCustomersService } from '../../src/customers/service.js';
import { startService } from '../helpers/service.js';
import { eventsOf, factsOf } from './tables.js';

const service = await startService(t);
const { inject, clock } = service;

const UNKNOWN = '018f0000-0000-7000-8000-000000000001';

async function create(body: object) {
  const response = await inject('POST', '/v1/customers', { body });
  return { status: response.statusCode, customer: response.json() };
}

t.test('a PUT by external id creates and then changes, and an equal one changes nothing', async (t) => {
  const url = '/v1/customers/ext:shop:put-1';
  const first = await inject('PUT', url, { body: { name: 'Bo', owner: 'kim', attributes: { a: 1, b: 2 } } });
  t.equal(first.statusCode, 201);
  t.strictSame(first.json().externalIds, [{ namespace: 'shop', id: 'put-1' }]);

  clock.advance(1_000);
  const body = { name: 'Bob', externalIds: [{ namespace: 'crm', id: '77' }], attributes: { a: 1 } };
  const second = await inject('PUT', url, { body });
  t.equal(second.statusCode, 200);
  const changed = second.json();
  t.match(changed, { id: first.json().id, name: 'Bob', owner: 'kim', updatedAt: clock.now().toISOString() });
  t.strictSame(changed.attributes, { a: 1 });
  t.strictSame(changed.externalIds, [
    { namespace: 'shop', id: 'put-1' },
    { namespace: 'crm', id: '77' },
  ]);
  t.ok(changed.version > first.json().version);

  clock.advance(1_000);
  const third = await inject('PUT', url, { body });
  t.equal(third.statusCode, 200);
  t.strictSame(third.json(), changed);
  const events = await eventsOf(service, changed.id);
  t.strictSame(
    events.map(({ type }) => type),
    ['customer.created', 'customer.stage_changed', 'customer.updated'],
  );
  t.strictSame(events[2]?.previous, {
    name: 'Bo',
    externalIds: [{ namespace: 'shop', id: 'put-1' }],
    attributes: { b: 2 },
  });
  t.match(events[2]?.data, { customer: changed });
});

t.test('a PUT by id changes and never creates', async (t) => {
  const { customer } = await create({ name: 'Cy' });
  const put = await inject('PUT', `/v1/customers/${customer.id}`, { body: { owner: 'lee' } });
  t.equal(put.statusCode, 200);
  t.match(put.json(), { name: 'Cy', owner: 'lee' });
  t.equal((await inject('PUT', `/v1/customers/${UNKNOWN}`, { body: { owner: 'lee' } })).statusCode, 404);
});

t.test('a PUT cannot make an external id out of an e-mail address', async (t) => {
  const response = await inject('PUT', '/v1/customers/ext:email:new@example.com', { body: {} });
  t.equal(response.statusCode, 400);
  t.match(response.json(), { errors: [{ pointer: '/path/ref' }] });
});

t.test('a PATCH merges, tells what it changed, and dates what rules may ask for', async (t) => {
  const { customer } = await create({ owner: 'kim', channel: 'web', attributes: { size: 'M', vip: true } });
  clock.advance(60_000);
  const body = { owner: null, name: 'Di', attributes: { size: null, shoe: 43 } };
  const response = await inject('PATCH', `/v1/customers/${customer.id}`, { body });
  t.equal(response.statusCode, 200);
  t.match(response.json(), { owner: null, channel: 'web', name: 'Di' });
  t.strictSame(response.json().attributes, { vip: true, shoe: 43 });
  const [, , updated] = await eventsOf(service, customer.id);
  t.strictSame(updated?.previous, { owner: 'kim', name: null, attributes: { size: 'M', shoe: null } });
  const [then, now] = [customer.createdAt, clock.now().toISOString()];
  t.strictSame(await factsOf(service, customer.id), [
    { field: 'attributes.size', value: 'M', at: then },
    { field: 'attributes.vip', value: true, at: then },
    { field: 'channel', value: 'web', at: then },
    { field: 'owner', value: 'kim', at: then },
    { field: 'attributes.shoe', value: 43, at: now },
    { field: 'attributes.size', value: null, at: now },
    { field: 'owner', value: null, at: now },
  ]);
});

t.test('a write at another version than asked for is refused', async (t) => {
  const { customer } = await create({ name: 'Ed' });
  const url = `/v1/customers/${customer.id}`;
  const current = { 'if-match': `"${customer.version}"` };
  t.equal((await inject('PATCH', url, { body: { name: 'Eddy' }, headers: current })).statusCode, 200);
  for (const [method, to, body] of [
    ['PATCH', url, { name: 'Edward' }],
    ['PUT', url, { name: 'Edward' }],
    ['POST', `${url}/identities`, { namespace: 'shop', id: 'ed' }],
  ] as const) {
    const stale = await inject(method, to, { body, headers: current });
    t.equal(stale.statusCode, 412, method);
  }
  t.match((await inject('GET', url)).json(), { name: 'Eddy', externalIds: [] });
  t.equal(
    (await inject('PATCH', url, { body: { name: 'Ed' }, headers: { 'if-match': '*' } })).statusCode,
    200,
  );
  // If-Match asks for something to be there; a PUT would make it.
  const put = await inject('PUT', '/v1/customers/ext:shop:none', { body: {}, headers: { 'if-match': '*' } });
  t.equal(put.statusCode, 412);
});

t.test('PUTs of one external id at once make one customer, and no change is lost', async (t) => {
  const url = '/v1/customers/ext:shop:race';
  const puts = await Promise.all(
    Array.from({ length: 6 }, (_, index) => inject('PUT', url, { body: { name: `n${index}` } })),
  );
  t.strictSame(puts.map(({ statusCode }) => statusCode).sort(), [200, 200, 200, 200, 200, 201]);
  t.equal(new Set(puts.map((response) => response.json().id)).size, 1);
  const patches = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      inject('PATCH', url, { body: { attributes: { [`key${index}`]: index } } }),
    ),
  );
  t.ok(patches.every(({ statusCode }) => statusCode === 200));
  const read = (await inject('GET', url)).json();
  t.equal(Object.keys(read.attributes).length, 12);
  t.equal(
    new Set(patches.map((response) => response.json().version)).size,
    12,
    'each has a version of its own',
  );
});

t.test('a PUT whose customer is created while it looks for them changes that customer', async (t) => {
  const { database, services } = service;
  const { transitions, touchpoints, models } = services;
  const url = '/v1/customers/ext:shop:meanwhile';
  let meanwhile: { id: string } | undefined;
  const customers = createCustomersService({
    database,
    touchpoints,
    models,
    transitions: {
      ...transitions,
      async lock(tx, tenantId, refs) {
        const found = await transitions.lock(tx, tenantId, refs);
        meanwhile ??= (await inject('PUT', url, { body: { name: 'first' } })).json();
        return found;
      },
    },
  });
  const target = { ref: 'ext:shop:meanwhile', expected: undefined };
  const { created, customer } = await customers.upsert(service.context(), target, { owner: 'kim' });
  t.equal(created, false);
  t.match(customer, { id: meanwhile?.id, name: 'first', owner: 'kim' });
});
