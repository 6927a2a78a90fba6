// How many are and were in each stage, over HTTP on a real Postgres.

import t from 'tap';
import { openRows } from '../routes/rows.js';
import { policy, startLookingBack, withSome } from './looking-back.js';

const { shared, open } = await startLookingBack(t);
const rows = await openRows(t, shared);

t.test('counts have every stage of the lifecycle in its order, with labels and kinds', async (t) => {
  const shop = await open('counts');
  for (const id of ['f1', 'f2', 'f3']) await shop.customer(id);
  shop.clock.set('2026-03-04T00:00:00.000Z');
  await shop.order('f1', 'f1', '2026-03-02T00:00:00.000Z');
  const live = (await shop.get('/v1/stage-counts')).json();
  const asOf = shop.clock.now().toISOString();
  t.match(live, { asOf, knownAt: asOf, policyVersion: 2, total: 3, series: null });
  t.same(
    live.stages.map(({ key, customers }: { key: string; customers: number }) => [key, customers]),
    Object.entries({ prospect: 2, new: 1, mature: 0, declining: 0, churned: 0 }),
  );
  t.same(live.stages[1], { key: 'new', labels: { en: 'New', zh: '新客户期' }, kind: 'active', customers: 1 });
  const past = (await shop.get('/v1/stage-counts', { asOf, knownAt: asOf })).json();
  t.same(past, live, 'the ledger and the standings say the same');
  // A stage that the lifecycle has no more.
  await rows.query(`UPDATE transitions SET to_stage = 'bygone' WHERE tenant_id = $1 AND to_stage = 'new'`, [
    shop.service.tenant.id,
  ]);
  const { stages } = (await shop.get('/v1/stage-counts', { asOf })).json();
  t.same(stages.at(-1), { key: 'bygone', labels: null, kind: null, customers: 1 });
});

t.test('the policy of then is of those that were known then', async (t) => {
  const shop = await open('policies');
  shop.clock.set('2026-03-05T00:00:00.000Z');
  const body = { policy: { ...policy, timeZone: 'Asia/Shanghai' }, effectiveFrom: '2026-03-03T00:00:00Z' };
  await shop.service.inject('PUT', '/v1/policies/live', { body });
  const versionOf = async (params: Record<string, string>) =>
    (await shop.get('/v1/stage-counts', params)).json().policyVersion;
  t.equal(await versionOf({}), 3);
  t.equal(await versionOf({ asOf: '2026-03-02T23:59:59.999Z' }), 2);
  t.equal(await versionOf({ asOf: '2026-03-03T00:00:00Z' }), 3);
  t.equal(await versionOf({ asOf: '2026-03-03T00:00:00Z', knownAt: '2026-03-04T00:00:00Z' }), 2);
  t.equal(await versionOf({ knownAt: '2020-01-01T00:00:00Z' }), 0);
});

t.test('a series is the counts as of each of its points', async (t) => {
  const shop = await open('series');
  for (const id of ['g1', 'g2']) await shop.customer(id);
  shop.clock.set('2026-03-30T00:00:00.000Z');
  await shop.order('g1', 'g1', '2026-03-04T00:00:00.000Z');
  await shop.order('g1', 'g2', '2026-03-06T00:00:00.001Z');
  await shop.service.services.transitions.advanceDue(shop.clock.now());
  const params = { from: '2026-02-28T00:00:00Z', to: '2026-03-29T00:00:00Z' };
  const { series, ...rest } = (await shop.get('/v1/stage-counts', params)).json();
  t.equal(series.length, 30);
  for (const { at, total, customers } of series) {
    t.same({ total, ...withSome(customers) }, await shop.counted({ asOf: at }), at);
  }
  t.same(Object.keys(series[0].customers), ['prospect', 'new', 'mature', 'declining', 'churned']);
  t.match(rest, { asOf: '2026-03-30T00:00:00.000Z', total: 2 });
  const weekly = await shop.get('/v1/stage-counts', { ...params, step: 'week' });
  t.same(
    weekly.json().series.map((point: { at: string }) => point.at.slice(5, 10)),
    ['02-28', '03-07', '03-14', '03-21', '03-28'],
  );
});
