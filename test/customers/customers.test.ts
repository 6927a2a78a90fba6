// Customers over HTTP, on a real Postgres: create, upsert, patch, read, and the bounds of each.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { eventsOf, factsOf } from './tables.js';

const service = await startService(t);
const { inject, clock } = service;

const UNKNOWN = '018f0000-0000-7000-8000-000000000001';

async function create(body: object) {
  const response = await inject('POST', '/v1/customers', { body });
  return { status: response.statusCode, customer: response.json() };
}

t.test('a customer is created in normal form, in the first stage, and can be read by any name', async (t) => {
  const response = await inject('POST', '/v1/customers', {
    body: {
      name: 'Ann Lee',
      email: ' Ann@Example.com ',
      phone: '0171 1234567',
      country: 'DE',
      channel: 'fair',
      externalIds: [{ namespace: 'shop', id: 'A/1 ü' }],
      attributes: { vip: true, sizes: ['M', 'L'], score: 1.5, none: null },
    },
  });
  t.equal(response.statusCode, 201);
  const customer = response.json();
  t.match(customer, {
    kind: 'person',
    name: 'Ann Lee',
    email: 'ann@example.com',
    phone: '+491711234567',
    country: 'DE',
    owner: null,
    stage: 'prospect',
    stageSince: clock.now().toISOString(),
    createdAt: clock.now().toISOString(),
    attributes: { vip: true, sizes: ['M', 'L'], score: 1.5, none: null },
  });
  t.equal(response.headers.etag, `"${customer.version}"`);
  const names = [customer.id, 'ext:shop:A%2F1%20%C3%BC', 'ext:email:ann@example.com', 'ext:phone:%2B491711234567'];
  for (const name of names) {
    const read = await inject('GET', `/v1/customers/${name}`);
    t.equal(read.statusCode, 200, name);
    t.match(read.json(), customer, name);
  }
});

t.test('nothing is required of a customer, and what is not given is null or empty', async (t) => {
  const { status, customer } = await create({});
  t.equal(status, 201);
  t.match(customer, { kind: 'person', name: null, email: null, phone: null, externalIds: [], attributes: {} });
});

t.test('an identity that is taken is a 409 that names its customer, and nothing is written', async (t) => {
  const externalIds = [{ namespace: 'shop', id: 'taken' }];
  const { customer } = await create({ email: 'taken@example.com', phone: '+491711111111', externalIds });
  const before = await inject('GET', '/v1/customers?limit=200');
  const cases: [body: object, namespace: string, pointer: string][] = [
    [{ email: 'TAKEN@example.com' }, 'email', '/email'],
    [{ phone: '0171 1111111', country: 'DE' }, 'phone', '/phone'],
    [{ externalIds: [{ namespace: 'crm', id: '1' }, ...externalIds] }, 'shop', '/externalIds/1'],
  ];
  for (const [body, namespace, pointer] of cases) {
    const response = await inject('POST', '/v1/customers', { body });
    t.equal(response.statusCode, 409, namespace);
    t.match(response.json(), { code: 'identity_taken', customerId: customer.id, namespace, errors: [{ pointer }] });
  }
  t.strictSame((await inject('GET', '/v1/customers?limit=200')).json(), before.json());
  t.equal((await inject('GET', '/v1/customers/ext:crm:1')).statusCode, 404);
});

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
  t.equal((await inject('PATCH', url, { body: { name: 'Ed' }, headers: { 'if-match': '*' } })).statusCode, 200);
  // If-Match asks for something to be there; a PUT would make it.
  const put = await inject('PUT', '/v1/customers/ext:shop:none', { body: {}, headers: { 'if-match': '*' } });
  t.equal(put.statusCode, 412);
});

t.test('an unchanged customer is answered 304', async (t) => {
  const { customer } = await create({ name: 'Fay' });
  const url = `/v1/customers/${customer.id}`;
  const read = await inject('GET', url, { headers: { 'if-none-match': `"${customer.version}"` } });
  t.equal(read.statusCode, 304);
  await inject('PATCH', url, { body: { name: 'Faye' } });
  t.equal((await inject('GET', url, { headers: { 'if-none-match': `"${customer.version}"` } })).statusCode, 200);
});

t.test('bad input is a 400 that points at it, and changes nothing', async (t) => {
  const { customer } = await create({ name: 'Gus', attributes: { a: 1 } });
  const cases: [body: unknown, pointer: string][] = [
    [{ nickname: 'x' }, '/nickname'],
    [{ name: 7 }, '/name'],
    [{ name: '' }, '/name'],
    [{ name: 'x'.repeat(301) }, '/name'],
    [{ name: 'a\u0000b' }, '/name'],
    [{ kind: null }, '/kind'],
    [{ kind: 'robot' }, '/kind'],
    [{ email: 'nobody' }, '/email'],
    [{ phone: '123' }, '/phone'],
    [{ country: 'XX' }, '/country'],
    [{ country: 'de' }, '/country'],
    [{ externalIds: [{ namespace: 'phone', id: '+491711234567' }] }, '/externalIds/0/namespace'],
    [{ externalIds: [{ namespace: 'Shop', id: '1' }] }, '/externalIds/0/namespace'],
    [{ externalIds: [{ namespace: 'shop', id: '' }] }, '/externalIds/0/id'],
    [{ attributes: { '1st': 1 } }, '/attributes/1st'],
    [{ attributes: { nested: { deep: 1 } } }, '/attributes/nested'],
    [{ attributes: { long: 'x'.repeat(2001) } }, '/attributes/long'],
    ['{"attributes":{"big":9007199254740993}}', '/attributes/big'],
    ['{"attributes":{"half":"\\ud800"}}', '/attributes/half'],
    [[], ''],
  ];
  for (const [body, pointer] of cases) {
    for (const [method, url] of [
      ['POST', '/v1/customers'],
      ['PATCH', `/v1/customers/${customer.id}`],
      ['PUT', `/v1/customers/${customer.id}`],
    ] as const) {
      const response = await inject(method, url, { body });
      const told = `${method} ${JSON.stringify(body).slice(0, 60)}`;
      t.equal(response.statusCode, 400, told);
      t.ok(
        response.json().errors?.some((error: { pointer: string }) => error.pointer === pointer),
        `${told}: ${response.body}`,
      );
    }
  }
  t.strictSame((await inject('GET', `/v1/customers/${customer.id}`)).json().version, customer.version);
});

t.test('what does not exist, or is another tenant’s, is the same 404', async (t) => {
  const other = await service.openTenant('other');
  const { customer } = await create({ email: 'shared@example.com', externalIds: [{ namespace: 'shop', id: 'both' }] });
  const paths = [customer.id, 'ext:shop:both', 'ext:email:shared@example.com'];
  for (const ref of [...paths, UNKNOWN]) {
    const response = await inject('GET', `/v1/customers/${ref}`, { key: other.key });
    t.equal(response.statusCode, 404, ref);
    t.match(response.json(), { code: 'customer_not_found' });
    t.equal((await inject('PATCH', `/v1/customers/${ref}`, { body: {}, key: other.key })).statusCode, 404, ref);
  }
  const body = { email: 'shared@example.com', externalIds: [{ namespace: 'shop', id: 'both' }] };
  t.equal((await inject('POST', '/v1/customers', { body, key: other.key })).statusCode, 201, 'names are by tenant');
});

t.test('a repeat with the same idempotency key makes one customer', async (t) => {
  const request = { body: { name: 'Hal' }, headers: { 'idempotency-key': 'hal-1' } };
  const first = await inject('POST', '/v1/customers', request);
  const second = await inject('POST', '/v1/customers', request);
  t.equal(second.statusCode, 201);
  t.strictSame(second.json(), first.json());
});

t.test('of two creations at once with one e-mail address, one is refused and names the other', async (t) => {
  const body = { email: 'race@example.com' };
  const responses = await Promise.all(Array.from({ length: 8 }, () => inject('POST', '/v1/customers', { body })));
  const created = responses.filter(({ statusCode }) => statusCode === 201);
  const refused = responses.filter(({ statusCode }) => statusCode === 409);
  t.equal(created.length, 1);
  t.equal(refused.length, 7);
  for (const response of refused) t.match(response.json(), { customerId: created[0]?.json().id });
});

t.test('PUTs of one external id at once make one customer, and no change is lost', async (t) => {
  const url = '/v1/customers/ext:shop:race';
  const puts = await Promise.all(
    Array.from({ length: 6 }, (_, index) => inject('PUT', url, { body: { name: `n${index}` } })),
  );
  t.strictSame(puts.map(({ statusCode }) => statusCode).sort(), [200, 200, 200, 200, 200, 201]);
  t.equal(new Set(puts.map((response) => response.json().id)).size, 1);
  const patches = await Promise.all(
    Array.from({ length: 12 }, (_, index) => inject('PATCH', url, { body: { attributes: { [`key${index}`]: index } } })),
  );
  t.ok(patches.every(({ statusCode }) => statusCode === 200));
  const read = (await inject('GET', url)).json();
  t.equal(Object.keys(read.attributes).length, 12);
  t.equal(new Set(patches.map((response) => response.json().version)).size, 12, 'each has a version of its own');
});
