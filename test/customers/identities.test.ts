// What a customer is known by, over HTTP, on a real Postgres.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { eventsOf } from './tables.js';

const service = await startService(t);
const { inject } = service;

async function create(body: object) {
  return (await inject('POST', '/v1/customers', { body })).json();
}

t.test('all that a customer is known by is listed, e-mail and phone in normal form', async (t) => {
  const externalIds = [
    { namespace: 'shop', id: '1' },
    { namespace: 'crm', id: 'x' },
  ];
  const { id } = await create({ externalIds, email: 'Ann@example.com', phone: '+49 171 1234567' });
  const response = await inject('GET', `/v1/customers/${id}/identities`);
  t.equal(response.statusCode, 200);
  t.strictSame(response.json(), {
    data: [
      ...externalIds,
      { namespace: 'email', id: 'ann@example.com' },
      { namespace: 'phone', id: '+491711234567' },
    ],
    nextCursor: null,
  });
});

t.test('an external id is added once, and a repeat changes nothing', async (t) => {
  const customer = await create({ name: 'Bo' });
  const url = `/v1/customers/${customer.id}/identities`;
  const body = { namespace: 'shop', id: 'bo' };
  const added = await inject('POST', url, { body });
  t.equal(added.statusCode, 201);
  t.strictSame(added.json().externalIds, [body]);
  t.equal(added.headers.etag, `"${added.json().version}"`);
  const again = await inject('POST', url, { body });
  t.equal(again.statusCode, 200);
  t.strictSame(again.json(), added.json());
  t.equal((await inject('GET', '/v1/customers/ext:shop:bo')).json().id, customer.id);
  const [, , updated, more] = await eventsOf(service, customer.id);
  t.match(updated, { type: 'customer.updated', previous: { externalIds: [] } });
  t.equal(more, undefined);
});

t.test('the status that a repeated idempotency key replays is the one of the first answer', async (t) => {
  const { id } = await create({ externalIds: [{ namespace: 'shop', id: 'replayed' }] });
  const request = { body: { namespace: 'shop', id: 'replayed' }, headers: { 'idempotency-key': 'same' } };
  const first = await inject('POST', `/v1/customers/${id}/identities`, request);
  t.equal(first.statusCode, 200);
  const second = await inject('POST', `/v1/customers/${id}/identities`, request);
  t.equal(second.statusCode, 200);
  t.equal(second.headers['idempotency-replayed'], 'true');
});

t.test('an external id that another has is refused, and so is a reserved namespace', async (t) => {
  const holder = await create({ externalIds: [{ namespace: 'shop', id: 'held' }] });
  const { id } = await create({});
  const held = await inject('POST', `/v1/customers/${id}/identities`, {
    body: { namespace: 'shop', id: 'held' },
  });
  t.equal(held.statusCode, 409);
  t.match(held.json(), { code: 'identity_taken', customerId: holder.id, namespace: 'shop' });
  const body = { namespace: 'email', id: 'bo@example.com' };
  const reserved = await inject('POST', `/v1/customers/${id}/identities`, { body });
  t.equal(reserved.statusCode, 400);
  t.match(reserved.json(), { errors: [{ pointer: '/namespace' }] });
});

t.test('an external id that is taken away is free for another', async (t) => {
  const first = await create({ externalIds: [{ namespace: 'shop', id: 'a/b' }] });
  const removed = await inject('DELETE', `/v1/customers/ext:shop:a%2Fb/identities/shop/a%2Fb`);
  t.equal(removed.statusCode, 200);
  t.strictSame(removed.json().externalIds, []);
  t.equal((await inject('GET', '/v1/customers/ext:shop:a%2Fb')).statusCode, 404);
  const again = await inject('DELETE', `/v1/customers/${first.id}/identities/shop/a%2Fb`);
  t.equal(again.statusCode, 404);
  t.match(again.json(), { code: 'identity_not_found' });
  const second = await create({ externalIds: [{ namespace: 'shop', id: 'a/b' }] });
  t.equal((await inject('GET', '/v1/customers/ext:shop:a%2Fb')).json().id, second.id);
});

t.test('an e-mail address that is changed or cleared is free for another', async (t) => {
  const { id } = await create({ email: 'old@example.com', phone: '+491713333333' });
  const patch = { email: 'new@example.com', phone: null };
  t.equal((await inject('PATCH', `/v1/customers/${id}`, { body: patch })).statusCode, 200);
  t.equal((await inject('GET', '/v1/customers/ext:email:old@example.com')).statusCode, 404);
  const other = await inject('POST', '/v1/customers', {
    body: { email: 'old@example.com', phone: '+491713333333' },
  });
  t.equal(other.statusCode, 201);
  const back = await inject('PATCH', `/v1/customers/${id}`, { body: { email: 'old@example.com' } });
  t.equal(back.statusCode, 409);
  t.match(back.json(), { customerId: other.json().id, namespace: 'email', errors: [{ pointer: '/email' }] });
});
