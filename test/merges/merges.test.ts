// Two customers who are one, over HTTP: what passes from the one to the other, what the joined history comes to,
// and what a reference to the other says afterwards.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { orderOf, typesOf } from '../orders/shop.js';
import { openRows } from '../routes/rows.js';
import { merge, twins } from './twins.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });
const rows = await openRows(t, shared);

t.beforeEach(() => shared.clock.set(NOW));

t.test('the joined history is replayed, and all of the other is the survivor’s', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'join');
  t.same(await shop.path('ann'), [
    '· → new 2025-09-01',
    'new → declining 2025-10-16',
    'declining → churned 2025-12-01',
  ]);
  const answer = await merge(shop, ann, anna);
  t.equal(answer.statusCode, 201, answer.body);
  t.match(answer.json(), {
    ...{ customerId: ann, mergedId: anna, mergedBy: /^api_key:/, undoneAt: null },
    moved: { orders: 2, touchpoints: 1, moves: 0, identities: 3 },
    merged: { name: 'Anna', email: 'anna@example.com' },
  });
  t.same(await shop.path('ann'), [
    '· → new 2025-09-01',
    'new → mature 2025-10-01',
    'mature → declining 2025-11-15',
    'declining → churned 2025-12-31',
    'churned → mature 2026-02-20',
  ]);
  const profile = await shop.profile('ann');
  t.match(profile, {
    ...{ id: ann, name: 'Ann', email: 'ann@example.com', phone: '+4930231250', channel: 'web', owner: 'kim' },
    ...{ stage: 'mature', tags: ['new', 'vip'], attributes: { tier: 'gold', city: 'Bonn', size: 'M' } },
    facts: { orders: 3, interactions: 1 },
  });
  t.same(await shop.profile('anna'), profile, 'the other’s external id names the survivor');
  const order = await shop.order('o2');
  t.match(order, { customerId: ann, version: 2 });
  const all = await shop.ledger('ann', { superseded: true });
  const taken = all.filter(({ supersededAt }) => supersededAt !== null);
  t.same(
    taken.map(({ to }) => to),
    ['declining', 'churned', 'prospect'],
    'what is no longer true stays, superseded',
  );
  const events = await shop.events('ann');
  t.same(
    typesOf(events).slice(-6),
    [
      'customer.merged',
      'customer.transition_retracted',
      'customer.transition_retracted',
      'customer.stage_changed',
      'customer.declining',
      'customer.churned',
      'customer.reactivated',
    ].slice(-6),
  );
  t.same(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
    'the survivor’s events are numbered on',
  );
  const told = events.find(({ type }) => type === 'customer.merged');
  t.match(told?.data, {
    merged: { id: anna, externalIds: [{ namespace: 'crm', id: 'anna' }] },
    customer: { id: ann },
  });
  t.equal(told?.deliveries, 1);
});

t.test('under the other’s id there is nobody: a 404 says whose they are now', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'gone');
  const { id: mergeId } = (await merge(shop, ann, 'ext:crm:anna')).json();
  const { inject } = shop.service;
  const touch = { customer: anna, channel: 'phone', direction: 'inbound', kind: 'call' };
  for (const [what, pending] of Object.entries({
    get: inject('GET', `/v1/customers/${anna}`),
    history: inject('GET', `/v1/customers/${anna}/transitions`),
    identities: inject('GET', `/v1/customers/${anna}/identities`),
    events: inject('GET', `/v1/events?customer=${anna}`),
    explanation: inject('GET', `/v1/customers/${anna}/explanation`),
    orders: inject('GET', `/v1/orders?customer=${anna}`),
    touchpoints: inject('GET', `/v1/touchpoints?customer=${anna}`),
    patch: inject('PATCH', `/v1/customers/${anna}`, { body: { name: 'Again' } }),
    put: inject('PUT', `/v1/customers/${anna}`, { body: { name: 'Again' } }),
    identity: inject('POST', `/v1/customers/${anna}/identities`, { body: { namespace: 'x', id: 'y' } }),
    move: inject('POST', `/v1/customers/${anna}/transitions`, { body: { to: 'churned', reason: 'r' } }),
    touch: inject('POST', '/v1/touchpoints', { body: touch }),
    order: shop.post({ ...orderOf('x', 'o9', '2026-02-01'), customer: anna }),
    merge: merge(shop, ann, anna),
    mergeOf: merge(shop, anna, ann),
    merges: inject('GET', `/v1/customers/${anna}/merges`),
  })) {
    const answer = await pending;
    t.equal(answer.statusCode, 404, `${what} ${answer.body}`);
    t.match(answer.json(), { code: 'customer_merged', mergedInto: ann }, what);
  }
  const batch = await shop.batch([
    { ...orderOf('x', 'o8', '2026-02-01'), customer: anna },
    orderOf('anna', 'o7', '2026-02-02'),
  ]);
  t.match(batch.json().results, [
    {
      status: 404,
      problem: { code: 'customer_merged', mergedInto: ann, errors: [{ pointer: '/items/0/customer' }] },
    },
    { status: 201, data: { customerId: ann } },
  ]);
  const { data } = (await inject('GET', '/v1/customers')).json();
  t.same(
    data.map(({ id }: { id: string }) => id),
    [ann],
    'they are in no list',
  );
  t.match((await inject('GET', '/v1/customers?tag=new')).json().data, [{ id: ann }]);
  t.match((await inject('GET', `/v1/customers/${ann}/merges`)).json().data, [{ id: mergeId }]);
});

t.test('whoever comes by the other’s e-mail is the survivor', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'alias');
  await merge(shop, ann, anna);
  const { inject } = shop.service;
  t.match((await inject('GET', '/v1/customers?email=anna@example.com')).json().data, [{ id: ann }]);
  const identities = (await inject('GET', `/v1/customers/${ann}/identities`)).json().data;
  t.ok(identities.some(({ id }: { id: string }) => id === 'anna@example.com'));
  const taken = await inject('POST', '/v1/customers', { body: { email: 'anna@example.com' } });
  t.equal(taken.statusCode, 409, taken.body);
  t.match(taken.json(), { code: 'identity_taken', customerId: ann });
  const order = await shop.post(orderOf({ email: 'anna@example.com', name: 'Anna' }, 'o4', '2026-02-21'));
  t.equal(order.statusCode, 201, order.body);
  t.equal(order.json().customerId, ann);
  t.match(
    await shop.profile('ann'),
    { email: 'anna@example.com', name: 'Anna' },
    'and is changed by what is said',
  );
});

t.test('a dry run says all of it and writes nothing', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'dry');
  const before = await rows.dump(shop.service.tenant.id);
  const answer = await merge(shop, ann, anna, { dryRun: true });
  t.equal(answer.statusCode, 200, answer.body);
  t.same(await rows.dump(shop.service.tenant.id), before);
  const preview = answer.json();
  t.match(preview, {
    moved: { orders: 2, touchpoints: 1, moves: 0, identities: 3 },
    before: { customer: { stage: 'churned' }, merged: { stage: 'mature' } },
    after: { stage: 'mature', stageSince: '2026-02-20T12:00:00.000Z' },
    retracted: { count: 2, transitions: [{ to: 'churned' }, { to: 'declining' }] },
    added: { count: 4 },
  });
  t.same(
    preview.conflicts.map(({ field }: { field: string }) => field),
    ['name', 'email', 'attributes.tier'],
  );
  const { moved } = (await merge(shop, ann, anna)).json();
  t.same(moved, preview.moved);
  const profile = (await shop.service.inject('GET', `/v1/customers/${ann}`)).json();
  for (const [field, value] of Object.entries(preview.profile)) {
    if (field !== 'updatedAt') t.same(profile[field], value, field);
  }
  const path = (await shop.ledger('ann')).slice(-4).reverse();
  t.same(
    preview.added.transitions.map(({ to, effectiveAt }: { to: string; effectiveAt: string }) => [
      to,
      effectiveAt,
    ]),
    path.map(({ to, effectiveAt }) => [to, effectiveAt]),
  );
});
