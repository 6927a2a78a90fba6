// Undoing merges over HTTP, what cannot be merged or undone, and merges that meet other requests.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { orderOf } from '../orders/shop.js';
import { openRows } from '../routes/rows.js';
import { merge, twins, undo } from './twins.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });
const rows = await openRows(t, shared);

t.beforeEach(() => shared.clock.set(NOW));

t.test('an undo gives back what came from the other; what has arrived since stays', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'undo');
  const [annBefore, annaBefore] = [await shop.profile('ann'), await shop.profile('anna')];
  const [annPath, annaPath] = [await shop.path('ann'), await shop.path('anna')];
  const { id: mergeId } = (await merge(shop, ann, anna)).json();
  shared.clock.advance(86_400_000);
  const before = await rows.dump(shop.service.tenant.id);
  t.match((await undo(shop, ann, mergeId, { dryRun: true })).json(), {
    merge: { undoneAt: null },
    returned: { orders: 2, touchpoints: 1, identities: 3 },
  });
  t.same(await rows.dump(shop.service.tenant.id), before, 'a dry run writes nothing');
  const undone = await undo(shop, ann, mergeId);
  t.equal(undone.statusCode, 200, undone.body);
  t.match(undone.json(), {
    merge: { id: mergeId, undoneBy: /^api_key:/ },
    returned: { orders: 2, identities: 3 },
  });
  const plain = ({ version, updatedAt, ...rest }: Record<string, unknown>) => rest;
  t.same(plain((await shop.profile('ann')) as never), plain(annBefore as never));
  t.same(plain((await shop.profile('anna')) as never), plain(annaBefore as never));
  t.same(await shop.path('ann'), annPath);
  t.same(await shop.path('anna'), annaPath);
  for (const name of ['ann', 'anna']) {
    const events = await shop.events(name);
    t.same(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index + 1),
      `${name}’s events are numbered on`,
    );
  }
  t.equal((await undo(shop, ann, mergeId)).json().code, 'merge_already_undone');
  t.equal((await merge(shop, ann, anna)).statusCode, 201, 'they can be merged again');
});

t.test('what has changed since a merge is not undone with it', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'since');
  const { inject } = shop.service;
  const { id: mergeId } = (await merge(shop, ann, anna)).json();
  await shop.post(orderOf('anna', 'o5', '2026-02-25'));
  await inject('PATCH', `/v1/customers/${ann}`, { body: { channel: 'store', attributes: { size: 'L' } } });
  await inject('DELETE', `/v1/customers/${ann}/identities/crm/anna`);
  await shop.customer('other');
  await shop.put('o2', { ...orderOf('other', 'o2', '2025-10-01'), externalId: undefined });
  const undone = await undo(shop, ann, mergeId);
  t.equal(undone.statusCode, 200, undone.body);
  t.match(undone.json().returned, { orders: 1, touchpoints: 1, identities: 2 });
  t.match(await shop.order('o5'), { customerId: ann });
  t.not((await shop.order('o2')).customerId, ann);
  t.match(await shop.order('o3'), { customerId: anna });
  t.match(await shop.profile('ann'), {
    channel: 'store',
    attributes: { tier: 'gold', city: 'Bonn', size: 'L' },
  });
  const restored = (await inject('GET', `/v1/customers/${anna}`)).json();
  t.match(restored, { channel: 'web', email: 'anna@example.com', externalIds: [] });
});

t.test('a merge can be undone for 30 days, and the last one first', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'chain');
  const cleo = await shop.customer('cleo');
  const first = (await merge(shop, ann, anna)).json().id;
  shared.clock.advance(1_000);
  const second = (await merge(shop, ann, cleo)).json().id;
  t.match((await undo(shop, ann, first)).json(), { status: 409, code: 'merge_not_last', mergeId: second });
  t.equal((await undo(shop, ann, second)).statusCode, 200);
  shared.clock.advance(1_000);
  const third = (await merge(shop, cleo, ann)).json().id;
  t.match((await undo(shop, ann, first)).json(), { status: 404, code: 'customer_merged', mergedInto: cleo });
  t.match((await shop.service.inject('GET', `/v1/customers/${anna}`)).json(), { mergedInto: cleo });
  t.equal((await undo(shop, cleo, third)).statusCode, 200);
  t.equal((await undo(shop, ann, first)).statusCode, 200);
  t.equal((await shop.profile('anna')).id, anna);
  t.equal((await undo(shop, ann, cleo)).json().code, 'merge_not_found');
  const late = (await merge(shop, ann, anna)).json().id;
  shared.clock.advance(31 * 86_400_000);
  t.match((await undo(shop, ann, late)).json(), { status: 409, code: 'merge_undo_expired' });
});

t.test('what cannot be merged is refused, and nothing is changed', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'refused');
  const { inject } = shop.service;
  t.match((await merge(shop, ann, 'ext:crm:ann')).json(), { status: 409, code: 'merge_with_itself' });
  t.match((await merge(shop, ann, 'ext:crm:nobody')).json(), {
    ...{ status: 404, code: 'customer_not_found', errors: [{ pointer: '/from' }] },
  });
  const ids = (name: string) => Array.from({ length: 15 }, (_, n) => ({ namespace: name, id: `${n}` }));
  await inject('PATCH', `/v1/customers/${ann}`, { body: { externalIds: ids('a') } });
  await inject('PATCH', `/v1/customers/${anna}`, { body: { externalIds: ids('b') } });
  const before = await rows.dump(shop.service.tenant.id);
  t.match((await merge(shop, ann, anna)).json(), {
    ...{ status: 409, code: 'merge_exceeds_bounds', errors: [{ pointer: '/from' }] },
  });
  t.same(await rows.dump(shop.service.tenant.id), before);
});

t.test('one who was erased is refused where the request names them', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'erased');
  await shop.service.inject('DELETE', `/v1/customers/${anna}`);
  t.match((await merge(shop, ann, anna)).json(), {
    ...{ status: 409, code: 'customer_erased', customerId: anna, errors: [{ pointer: '/from' }] },
  });
});

t.test('what partners had been told of the other is not told again by an undo', async (t) => {
  const { shop, ann } = await twins(shared, 'heard');
  const cleo = await shop.customer('cleo');
  await shop.post(orderOf('cleo', 'c1', '2026-02-25'));
  await shop.tick('2026-09-01T09:00:00Z');
  const news = async () =>
    (await shop.eventsOf(cleo)).filter(({ type, deliver }) => deliver && type === 'customer.churned').length;
  t.equal(await news(), 1);
  const { id: mergeId } = (await merge(shop, ann, cleo)).json();
  shared.clock.advance(60_000);
  t.equal((await undo(shop, ann, mergeId)).statusCode, 200);
  const after = (await shop.eventsOf(cleo)).filter(({ type }) => type === 'customer.churned');
  t.same(
    after.map(({ deliver }) => deliver),
    [true, false],
    'it is in the feed alone',
  );
  shared.clock.advance(60_000);
  await shop.post(orderOf('cleo', 'c2', '2026-08-20'));
  const events = await shop.eventsOf(cleo);
  const back = events.filter(({ type }) => type === 'customer.transition_retracted');
  t.ok(
    back.some(({ deliver }) => deliver),
    'and is taken back for partners once it is not so',
  );
});

t.test('of two merges that cross, one is done and the other told of it', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'cross');
  const answers = await Promise.all([merge(shop, ann, anna), merge(shop, anna, ann)]);
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [201, 404]);
  t.equal(answers.find(({ statusCode }) => statusCode === 404)?.json().code, 'customer_merged');
});

t.test('orders that come during a merge reach the survivor', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'during');
  const answers = await Promise.all([
    ...Array.from({ length: 6 }, (_, n) => shop.post(orderOf('anna', `before-${n}`, '2026-01-15'))),
    merge(shop, ann, anna),
    ...Array.from({ length: 6 }, (_, n) => shop.post(orderOf('anna', `after-${n}`, '2026-01-16'))),
    shop.post(orderOf({ email: 'anna@example.com' }, 'inline', '2026-01-17')),
    shop.cancel('o3'),
  ]);
  for (const answer of answers) t.ok(answer.statusCode < 300, answer.body);
  t.equal((await shop.profile('ann')).facts.orders, 15);
  t.equal((await shop.profile('anna')).id, ann);
});
