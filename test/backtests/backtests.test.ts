// Asking for a backtest, watching it, and calling it off.

import t from 'tap';
import { KEPT_MAX, OPEN_MAX } from '../../src/backtests/service.js';
import { startService, type TestService } from '../helpers/service.js';
import { orderOf, policyOf } from '../routes/things.js';
import { activate, reportIn, ruleIn, runAll, show } from './cdnow.js';
import { BODY, NOW, openShop as openShopOn, post } from './shop.js';

const shared = await startService(t, { now: NOW });
const openShop = (slug: string): Promise<TestService> => openShopOn(shared, slug);

t.test('a backtest is queued, runs, and is done with its report', async (t) => {
  const service = await openShop('runs');
  const asked = await post(service, { ...BODY, segmentBy: 'attribute:tier' });
  t.equal(asked.statusCode, 202);
  const queued = asked.json();
  t.match(queued, {
    ...{ status: 'queued', policyVersion: 2, horizonDays: 30, cuts: ['2026-01-15T00:00:00.000Z'] },
    ...{ segmentBy: 'attribute:tier', customersDone: 0, customersTotal: null, report: null, startedAt: null },
  });
  t.same(await show(service, queued.id), queued);
  for (const what of ['csv', 'svg']) {
    const early = await service.inject('GET', `/v1/backtests/${queued.id}/report.${what}`);
    t.equal(early.statusCode, 409);
    t.equal(early.json().code, 'backtest_not_done');
  }
  await runAll(service);
  const done = await show(service, queued.id);
  t.match(done, { status: 'done', customersDone: 4, customersTotal: 4, startedAt: NOW, finishedAt: NOW });
  const [cut] = reportIn(done).cuts;
  t.equal(cut?.customers, 3, 'who came later was not there');
  t.match(ruleIn(cut?.rules ?? [], 'policy'), { tp: 1, fp: 1, fn: 0, tn: 1, precision: 0.5, recall: 1 });
  t.same(
    cut?.segments.map(({ segment, kind, rules }) => [
      segment ?? kind,
      ruleIn(rules, 'policy').tp,
      ruleIn(rules, 'policy').fp,
    ]),
    [
      ['gold', 1, 0],
      ['tin', 0, 1],
      ['none', 0, 0],
    ],
  );
});

t.test('the policy is tried as it was when it was asked for, and listed under its version', async (t) => {
  const service = await openShop('listed');
  const first = (await post(service, BODY)).json();
  await activate(service, policyOf(300));
  const second = (await post(service, BODY)).json();
  const third = (await post(service, BODY, 2)).json();
  await runAll(service);
  const flagged = async (id: string) => ruleIn(reportIn(await show(service, id)).overall.rules, 'policy');
  t.match(await flagged(first.id), { tp: 1, fp: 1 });
  t.match(await flagged(second.id), { tp: 0, fp: 0 });
  t.match(await flagged(third.id), { tp: 1, fp: 1 }, 'an older version can be tried too');
  const list = async (policy: string, query = '') =>
    (await service.inject('GET', `/v1/policies/${policy}/backtests${query}`)).json();
  t.same(
    (await list('live')).data.map(({ id }: { id: string }) => id),
    [second.id],
  );
  const page = await list('2', '?limit=1');
  t.same(
    page.data.map(({ id }: { id: string }) => id),
    [third.id],
    'newest first',
  );
  t.notOk('report' in page.data[0]);
  const rest = await list('2', `?cursor=${page.nextCursor}`);
  t.same(
    rest.data.map(({ id }: { id: string }) => id),
    [first.id],
  );
  t.equal(rest.nextCursor, null);
  const elsewhere = await service.inject('GET', `/v1/policies/live/backtests?cursor=${page.nextCursor}`);
  t.equal(elsewhere.json().code, 'invalid_cursor');
});

t.test('what cannot be tried is refused, with the place of the fault', async (t) => {
  const service = await shared.forTenant('refused');
  const refused: [body: object, pointer: string][] = [
    [{ ...BODY, cuts: ['2026-01-15T00:00:00Z', '2026-02-10T00:00:00Z'] }, '/cuts/1'],
    [{ ...BODY, cuts: ['2026-01-15T00:00:00Z', '2026-01-15T01:00:00+01:00'] }, '/cuts/1'],
    [{ ...BODY, cuts: [] }, '/cuts'],
    [{ ...BODY, cuts: Array.from({ length: 25 }, (_, i) => `2025-01-01T00:00:${10 + i}Z`) }, '/cuts'],
    [{ ...BODY, horizonDays: 731 }, '/horizonDays'],
    [{ ...BODY, horizonDays: 0 }, '/horizonDays'],
    [{ ...BODY, segmentBy: 'stage' }, '/segmentBy'],
    [{ ...BODY, segmentBy: 'attribute:' }, '/segmentBy'],
  ];
  for (const [body, pointer] of refused) {
    const answer = await post(service, body);
    t.equal(answer.statusCode, 400, JSON.stringify(body).slice(0, 80));
    t.equal(answer.json().errors[0].pointer, pointer);
  }
  t.equal(
    (await post(service, { ...BODY, cuts: ['2026-01-31T09:00:00Z'] })).statusCode,
    202,
    'up to this moment',
  );
  for (const policy of ['99', '4294967296', '0190aaaa-0000-7000-8000-000000000000']) {
    t.equal((await post(service, BODY, policy)).statusCode, 404, policy);
  }
  t.equal((await post(service, BODY, 'newest')).statusCode, 400);
  await runAll(service);
});

t.test('one that is not over is cancelled, and any other is removed', async (t) => {
  const service = await openShop('cancelled');
  const { id } = (await post(service, BODY)).json();
  const remove = async () => (await service.inject('DELETE', `/v1/backtests/${id}`)).statusCode;
  t.equal(await remove(), 204);
  t.match(await show(service, id), { status: 'cancelled', finishedAt: NOW, report: null });
  t.same(await service.services.backtests.advance(shared.clock.now()), {
    customers: 0,
    finished: 0,
    more: false,
  });
  t.equal(await remove(), 204);
  t.equal((await service.inject('GET', `/v1/backtests/${id}`)).statusCode, 404);
  t.equal(await remove(), 404);
});

t.test('there are not too many at once', async (t) => {
  const service = await openShop('many');
  for (let n = 0; n < OPEN_MAX; n++) t.equal((await post(service, BODY)).statusCode, 202);
  const refused = await post(service, BODY);
  t.equal(refused.statusCode, 409);
  t.equal(refused.json().code, 'too_many_backtests');
  await runAll(service);
  t.equal((await post(service, BODY)).statusCode, 202, 'when those are done there may be more');
});

t.test('the newest are kept, and older ones that are over give way to a new one', async (t) => {
  const service = await shared.forTenant('kept');
  const other = await shared.forTenant('kept-too');
  const elsewhere = (await post(other, BODY)).json().id;
  const open = (await post(service, BODY)).json().id;
  const over: string[] = [];
  for (let n = 0; n < KEPT_MAX + 2; n++) {
    const { id } = (await post(service, BODY)).json();
    t.equal((await service.inject('DELETE', `/v1/backtests/${id}`)).statusCode, 204);
    over.push(id);
  }
  const newest = (await post(service, BODY)).json().id;
  const { data } = (await service.inject('GET', `/v1/policies/live/backtests?limit=${KEPT_MAX}`)).json();
  t.same(
    data.map(({ id }: { id: string }) => id),
    [newest, ...over.slice(3).reverse()],
  );
  for (const id of over.slice(0, 3)) {
    t.equal((await service.inject('GET', `/v1/backtests/${id}`)).statusCode, 404);
  }
  t.match(await show(service, open), { status: 'queued' }, 'what is not over stays');
  t.match(await show(other, elsewhere), { status: 'queued' });
  await runAll(service);
});

t.test('a request that is repeated with its key asks once', async (t) => {
  const service = await shared.forTenant('once');
  const headers = { 'idempotency-key': 'once' };
  const [first, again] = [
    await post(service, BODY, 'live', headers),
    await post(service, BODY, 'live', headers),
  ];
  t.equal(again.body, first.body);
  const { data } = (await service.inject('GET', '/v1/policies/live/backtests')).json();
  t.equal(data.length, 1);
});

t.test('segments can be made by any field of the profile, and by numbers', async (t) => {
  const service = await openShop('fields');
  const names = async (segmentBy: string) => {
    const { id } = (await post(service, { ...BODY, segmentBy })).json();
    await runAll(service);
    return reportIn(await show(service, id)).overall.segments.map(({ segment, kind }) => segment ?? kind);
  };
  t.same(await names('channel'), ['shop', 'web']);
  t.same(await names('kind'), ['person']);
  t.same(await names('country'), ['none']);
  t.same(await names('attribute:size'), ['3', 'none']);
  t.same(await names('attribute:constructor'), ['none']);
});

t.test('a name of a segment is text in CSV, whatever it begins with', async (t) => {
  const service = await shared.forTenant('csv');
  const body = { externalIds: [{ namespace: 'crm', id: 'x' }], channel: '=1+1,"a"' };
  await service.inject('POST', '/v1/customers', { body });
  const order = orderOf('ext:crm:x', 'x', new Date('2025-11-01T12:00:00Z'));
  await service.inject('POST', '/v1/orders', { body: order });
  const { id } = (await post(service, { ...BODY, segmentBy: 'channel' })).json();
  await runAll(service);
  const csv = await service.inject('GET', `/v1/backtests/${id}/report.csv`);
  t.match(csv.body, `all,"'=1+1,""a""",value,policy,`);
});

t.test('a tenant without customers has a report of nobody', async (t) => {
  const service = await shared.forTenant('nobody');
  const { id } = (await post(service, BODY)).json();
  await runAll(service);
  const done = await show(service, id);
  t.match(done, { status: 'done', customersDone: 0, customersTotal: 0 });
  t.match(ruleIn(reportIn(done).overall.rules, 'policy'), { tp: 0, precision: null, auc: null });
  const svg = await service.inject('GET', `/v1/backtests/${id}/report.svg`);
  t.equal(svg.statusCode, 200);
});
