// Customers over HTTP, on a real Postgres: create and read, and what is refused.

import t from 'tap';
import { startService } from '../helpers/service.js';

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
  const names = [
    customer.id,
    'ext:shop:A%2F1%20%C3%BC',
    'ext:email:ann@example.com',
    'ext:phone:%2B491711234567',
  ];
  for (const name of names) {
    const read = await inject('GET', `/v1/customers/${name}`);
    t.equal(read.statusCode, 200, name);
    t.match(read.json(), customer, name);
  }
});

t.test('nothing is required of a customer, and what is not given is null or empty', async (t) => {
  const { status, customer } = await create({});
  t.equal(status, 201);
  t.match(customer, {
    kind: 'person',
    name: null,
    email: null,
    phone: null,
    externalIds: [],
    attributes: {},
  });
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
    t.match(response.json(), {
      code: 'identity_taken',
      customerId: customer.id,
      namespace,
      errors: [{ pointer }],
    });
  }
  t.strictSame((await inject('GET', '/v1/customers?limit=200')).json(), before.json());
  t.equal((await inject('GET', '/v1/customers/ext:crm:1')).statusCode, 404);
});

t.test('an unchanged customer is answered 304', async (t) => {
  const { customer } = await create({ name: 'Fay' });
  const url = `/v1/customers/${customer.id}`;
  const read = await inject('GET', url, { headers: { 'if-none-match': `"${customer.version}"` } });
  t.equal(read.statusCode, 304);
  await inject('PATCH', url, { body: { name: 'Faye' } });
  t.equal(
    (await inject('GET', url, { headers: { 'if-none-match': `"${customer.version}"` } })).statusCode,
    200,
  );
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
  const { customer } = await create({
    email: 'shared@example.com',
    externalIds: [{ namespace: 'shop', id: 'both' }],
  });
  const paths = [customer.id, 'ext:shop:both', 'ext:email:shared@example.com'];
  for (const ref of [...paths, UNKNOWN]) {
    const response = await inject('GET', `/v1/customers/${ref}`, { key: other.key });
    t.equal(response.statusCode, 404, ref);
    t.match(response.json(), { code: 'customer_not_found' });
    t.equal(
      (await inject('PATCH', `/v1/customers/${ref}`, { body: {}, key: other.key })).statusCode,
      404,
      ref,
    );
  }
  const body = { email: 'shared@example.com', externalIds: [{ namespace: 'shop', id: 'both' }] };
  t.equal(
    (await inject('POST', '/v1/customers', { body, key: other.key })).statusCode,
    201,
    'names are by tenant',
  );
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
  const responses = await Promise.all(
    Array.from({ length: 8 }, () => inject('POST', '/v1/customers', { body })),
  );
  const created = responses.filter(({ statusCode }) => statusCode === 201);
  const refused = responses.filter(({ statusCode }) => statusCode === 409);
  t.equal(created.length, 1);
  t.equal(refused.length, 7);
  for (const response of refused) t.match(response.json(), { customerId: created[0]?.json().id });
});
