// Erasure over HTTP: whatever was known of a person, and wherever it went, nothing of it is left in any column of any
// table; what they bought and when is.

import t from 'tap';
import { createReceiver } from '../helpers/receiver.js';
import { startService, type TestService } from '../helpers/service.js';
import { merge, undo } from '../merges/twins.js';
import { openShop, orderOf, typesOf } from '../orders/shop.js';
import { deliverAll } from '../outbox/teller.js';
import { openRows } from '../routes/rows.js';
import { leaksOf } from './leaks.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });
const rows = await openRows(t, shared);

t.beforeEach(() => shared.clock.set(NOW));

/** What only this person has; each is looked for as text and in the bytes of what is kept as such. */
const SECRETS = {
  name: 'Zephyrine Quackenbush',
  otherName: 'Zephy Q. Quack',
  email: 'zephyrine@quackenbush.example',
  otherEmail: 'zq@quackmail.example',
  phone: '+493023125777',
  externalId: 'crm-zephyrine-1',
  otherExternalId: 'crm-zephyrine-2',
  owner: 'owner-of-zephyrine',
  attribute: 'allergic to quinces',
  tag: 'zephyrine-tag',
  note: 'spoke of her quail farm',
  outcome: 'quail-outcome',
  touchpointActor: 'agent-quill',
  touchpointId: 'call-zephyrine',
  reason: 'she quarrelled with us',
  refundReason: 'quilt was torn',
  renamed: 'Zephyrine Quigley',
};

const found = (needles: readonly string[]) => leaksOf(rows, needles);

const madeOf = () => ({
  ...{ name: SECRETS.name, email: SECRETS.email, phone: SECRETS.phone, owner: SECRETS.owner },
  ...{ country: 'DE', channel: 'web', tags: [SECRETS.tag] },
  externalIds: [{ namespace: 'crm', id: SECRETS.externalId }],
  attributes: { diet: SECRETS.attribute },
});

/** A person who has left a trace in everything that the service keeps. */
async function person(service: TestService): Promise<{ id: string; otherId: string }> {
  const { inject } = service;
  const key = (name: string) => ({ 'idempotency-key': name });
  const say = async (
    method: 'POST' | 'PATCH',
    url: string,
    body: unknown,
    headers?: Record<string, string>,
  ) => {
    service.clock.advance(1_000);
    const answer = await inject(method, url, { body, headers });
    t.ok(answer.statusCode < 300, `${url} ${answer.body}`);
    return answer.json();
  };
  const made = await say('POST', '/v1/customers', madeOf(), key('made'));
  const other = await say('POST', '/v1/customers', {
    ...{ name: SECRETS.otherName, email: SECRETS.otherEmail },
    externalIds: [{ namespace: 'crm', id: SECRETS.otherExternalId }],
  });
  await say('POST', '/v1/orders', orderOf(SECRETS.externalId, 'kept-1', '2025-09-01'), key('ordered'));
  await say('POST', '/v1/orders', orderOf(SECRETS.otherExternalId, 'kept-2', '2026-02-01'));
  await say('POST', '/v1/orders/ext:shop:kept-1/refunds', {
    ...{ externalId: 'r1', amountMinor: 100, reason: SECRETS.refundReason },
  });
  const touch = { channel: 'phone', direction: 'inbound', kind: 'call', actor: SECRETS.touchpointActor };
  await say(
    'POST',
    '/v1/touchpoints',
    {
      ...{ customer: made.id, ...touch, note: SECRETS.note, outcome: SECRETS.outcome },
      externalId: { namespace: 'log', id: SECRETS.touchpointId },
    },
    key(`touched ${SECRETS.email}`.replace(' ', '-')),
  );
  await say(
    'POST',
    `/v1/customers/${made.id}/transitions`,
    { to: 'churned', reason: SECRETS.reason },
    key('moved'),
  );
  await say('PATCH', `/v1/customers/${made.id}`, { name: SECRETS.renamed });
  await say('POST', `/v1/customers/${made.id}/merges`, { from: other.id }, key('merged'));
  await say('PATCH', `/v1/customers/${made.id}`, { name: SECRETS.name });
  await say('POST', `/v1/customers/${made.id}/identities`, { namespace: 'x', id: `x-${SECRETS.externalId}` });
  return { id: made.id, otherId: other.id };
}

t.test('nothing of the person is left in any column, and what they bought is', async (t) => {
  const shop = await openShop(shared, 'erase');
  const { service } = shop;
  const receiver = await createReceiver(t, { respond: ({ body }) => ({ status: 200, body }) });
  await service.inject('POST', '/v1/webhook-endpoints', { body: { url: receiver.url } });
  const { id, otherId } = await person(service);
  await deliverAll(t, service);
  const needles = Object.values(SECRETS);
  const before = await found(needles);
  for (const needle of needles)
    t.ok(
      before.some((leak) => leak.endsWith(needle)),
      `${needle} was there`,
    );
  const profile = (await service.inject('GET', `/v1/customers/${id}`)).json();
  const sums = profile.facts;
  const path = await service.inject('GET', `/v1/customers/${id}/transitions`);

  shared.clock.advance(1_000);
  const erased = await service.inject('DELETE', `/v1/customers/${id}`, {
    headers: { 'if-match': `"${profile.version}"` },
  });
  t.equal(erased.statusCode, 200, erased.body);
  t.match(erased.json(), {
    ...{ id, name: null, email: null, phone: null, owner: null, tags: [], externalIds: [], attributes: {} },
    ...{ country: 'DE', channel: 'web', erasedAt: shared.clock.now().toISOString() },
  });
  t.same(await found(needles), []);
  const after = (await service.inject('GET', `/v1/customers/${id}`)).json();
  t.same(after.facts, sums, 'the sums are kept');
  const rowsOf = (answer: typeof path) =>
    answer.json().data.map(({ to, effectiveAt }: { to: string; effectiveAt: string }) => [to, effectiveAt]);
  t.same(
    rowsOf(await service.inject('GET', `/v1/customers/${id}/transitions`)),
    rowsOf(path),
    'and so are the stages',
  );
  t.equal((await service.inject('GET', '/v1/orders/ext:shop:kept-2')).json().customerId, id);
  t.match((await service.inject('GET', `/v1/customers/${otherId}`)).json(), { status: 404, mergedInto: id });
  const events = await shop.eventsOf(id);
  t.equal(typesOf(events).at(-1), 'customer.erased');
  t.equal(events.at(-1)?.deliver, true);
  await deliverAll(t, service);
  t.same(await found(needles), [], 'nor does a delivery bring anything back');
});

t.test('one who was erased stays so', async (t) => {
  const shop = await openShop(shared, 'stays');
  const { service } = shop;
  const { inject } = service;
  const { id } = await person(service);
  await inject('DELETE', `/v1/customers/${id}`);
  const dump = await rows.dump(service.tenant.id);
  const again = await inject('DELETE', `/v1/customers/${id}`);
  t.equal(again.statusCode, 200);
  t.same(await rows.dump(service.tenant.id), dump, 'a repeat does nothing');
  const { data: listed } = (await inject('GET', '/v1/customers')).json();
  t.same(listed, []);
  t.match((await inject('GET', '/v1/customers?erased=true')).json().data, [{ id, erasedAt: String }]);
  const touch = { customer: id, channel: 'phone', direction: 'inbound', kind: 'call' };
  const { id: mergeId } = (await inject('GET', `/v1/customers/${id}/merges`)).json().data[0];
  const alive = await shop.customer('alive');
  const made = { body: madeOf() };
  for (const [what, pending] of Object.entries({
    patch: inject('PATCH', `/v1/customers/${id}`, { body: { name: 'Again' } }),
    put: inject('PUT', `/v1/customers/${id}`, { body: { name: 'Again' } }),
    tag: inject('PUT', `/v1/customers/${id}/tags/t`),
    identity: inject('POST', `/v1/customers/${id}/identities`, { body: { namespace: 'x', id: 'y' } }),
    move: inject('POST', `/v1/customers/${id}/transitions`, { body: { to: 'new', reason: 'r' } }),
    touch: inject('POST', '/v1/touchpoints', { body: touch }),
    order: shop.post({ ...orderOf('x', 'o9', '2026-02-01'), customer: id }),
    merge: merge(shop, alive, id),
    undo: undo(shop, id, mergeId),
    resent: shop.post(orderOf({ email: SECRETS.email, name: SECRETS.name }, 'kept-1', '2025-09-01')),
    replaced: shop.put('kept-1', { ...orderOf('alive', 'kept-1', '2025-09-01'), externalId: undefined }),
    repeated: inject('POST', '/v1/customers', { ...made, headers: { 'idempotency-key': 'made' } }),
  })) {
    const answer = await pending;
    t.equal(answer.statusCode, 409, `${what} ${answer.body}`);
    t.match(answer.json(), { code: 'customer_erased', customerId: id }, what);
  }
  t.equal((await shop.cancel('kept-2')).statusCode, 200, 'an order can still be cancelled');
  const refund = { externalId: 'late', amountMinor: 5, reason: SECRETS.refundReason };
  const refunded = await inject('POST', '/v1/orders/ext:shop:kept-1/refunds', {
    ...{ body: refund, headers: { 'idempotency-key': 'refunded' } },
  });
  t.equal(refunded.statusCode, 201, 'and refunded');
  t.equal(refunded.json().refundedMinor, 105);
  t.same(await found([SECRETS.refundReason]), [], 'without a word of why');
  const events = await shop.eventsOf(id);
  t.same(
    events
      .slice(events.findIndex(({ type }) => type === 'customer.erased') + 1)
      .filter(({ deliver }) => deliver),
    [],
    'of which partners hear nothing',
  );
});

t.test('the stages of one who was erased go on, and partners hear nothing of them', async (t) => {
  const shop = await openShop(shared, 'silent');
  const id = await shop.customer('ben');
  await shop.post(orderOf('ben', 'b1', '2026-02-20'));
  await shop.service.inject('DELETE', `/v1/customers/${id}`);
  const events = await shop.eventsOf(id);
  await shop.tick('2026-12-01T09:00:00Z');
  const later = (await shop.eventsOf(id)).slice(events.length);
  t.same(typesOf(later), ['customer.declining', 'customer.churned']);
  t.same(
    later.filter(({ deliver }) => deliver),
    [],
  );
});

t.test('one who was merged for a time leaves nothing with whom they were merged into', async (t) => {
  const shop = await openShop(shared, 'parted');
  const { inject } = shop.service;
  const host = await shop.customer('host');
  const { email, phone, owner, name, attribute, externalId, tag } = SECRETS;
  const guest = (
    await inject('POST', '/v1/customers', {
      body: {
        ...{ name, email, phone, owner, tags: [tag], attributes: { diet: attribute } },
        externalIds: [{ namespace: 'crm', id: externalId }],
      },
    })
  ).json().id;
  await shop.post(orderOf(externalId, 'g1', '2026-02-01'));
  shared.clock.advance(1_000);
  const mergeId = (await merge(shop, host, guest)).json().id;
  shared.clock.advance(1_000);
  await inject('PATCH', `/v1/customers/${host}`, { body: { attributes: { size: 'M' } } });
  shared.clock.advance(1_000);
  t.equal((await undo(shop, host, mergeId)).statusCode, 200);
  shared.clock.advance(1_000);
  t.equal((await inject('DELETE', `/v1/customers/${guest}`)).statusCode, 200);
  t.same(await found([email, phone, owner, name, attribute, externalId, tag]), []);
  t.match((await inject('GET', `/v1/customers/${host}`)).json(), { attributes: { size: 'M' } });
});

t.test('another version is not erased, nor is one who is not there', async (t) => {
  const shop = await openShop(shared, 'refused');
  const id = await shop.customer('ann');
  const stale = await shop.service.inject('DELETE', `/v1/customers/${id}`, {
    headers: { 'if-match': '"999"' },
  });
  t.equal(stale.statusCode, 412);
  t.equal((await shop.service.inject('DELETE', '/v1/customers/ext:crm:nobody')).statusCode, 404);
});
