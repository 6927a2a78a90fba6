// How shadows begin and end, what is left of them, and what they cost those who have none.

import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import type { Policy } from '../../src/lifecycle/policy.js';
import { createOrdersService } from '../../src/orders/service.js';
import { SHADOWS_RUNNING_MAX } from '../../src/shadows/service.js';
import { counted } from '../customers/counted.js';
import { startService } from '../helpers/service.js';
import { openRows } from '../routes/rows.js';
import { policyOf } from '../routes/things.js';
import { beside, DAY_MS } from './beside.js';

const shared = await startService(t);
const rows = await openRows(t, shared);
const { open, start, end, run, sell, get } = beside(shared);

t.test('stopped, a shadow keeps what it has come to; begun again, it catches up', async (t) => {
  const { service, policyId } = await open(t, 'stopping');
  await sell(t, service, 'ann');
  await start(service, policyId);
  await run(service);
  await t.rejects(start(service, policyId), { code: 'shadow_running' });
  await end(service, 'stop', policyId);
  await sell(t, service, 'ben');
  await run(service);
  const path = `/v1/policies/${policyId}/shadow-report`;
  t.match(await get(t, service, path), { status: 'stopped', customers: 1, progress: { changesPending: 0 } });
  service.clock.advance(DAY_MS);
  await start(service, policyId, { policy: policyOf(0.5) as Policy });
  await run(service);
  t.match(await get(t, service, path), {
    ...{ status: 'running', stoppedAt: null, customers: 2, customersDiffering: 2 },
    // From the new `since` on: what was counted of the first time is counted no more.
    transitions: [{ from: 'new', to: 'churned', shadow: 2, live: 0 }],
  });
});

t.test('begun again, a shadow lets go of all who are customers no more, however many', async (t) => {
  const { service, policyId } = await open(t, 'strays');
  await sell(t, service, 'ann');
  const items = Array.from({ length: 600 }, (_, n) => ({ externalIds: [{ namespace: 'crm', id: `c${n}` }] }));
  t.equal((await service.inject('POST', '/v1/customers/batch', { body: { items } })).statusCode, 207);
  await sell(t, service, 'ben');
  await start(service, policyId);
  await run(service);
  await end(service, 'stop', policyId);
  // As a merge leaves them.
  await rows.query(`DELETE FROM customer_lifecycles WHERE tenant_id = $1 AND stage = 'prospect'`, [
    service.tenant.id,
  ]);
  service.clock.advance(DAY_MS);
  await start(service, policyId);
  await run(service);
  t.match(await get(t, service, `/v1/policies/${policyId}/shadow-report`), {
    ...{ customers: 2, progress: { isCurrent: true, customersWalked: 2 } },
    matrix: [{ liveStage: 'new', shadowStage: 'new', customers: 2 }],
  });
});

t.test('a shadow whose policy is deleted is gone at once, and its rows soon', async (t) => {
  const { service, policyId } = await open(t, 'removing');
  await sell(t, service, 'ann');
  await start(service, policyId);
  await run(service);
  await sell(t, service, 'ben');
  await end(service, 'remove', policyId);
  const report = await service.inject('GET', `/v1/policies/${policyId}/shadow-report`);
  t.equal(report.statusCode, 404);
  t.equal(report.json().code, 'shadow_not_found');
  t.same((await get(t, service, '/v1/customers/ext:crm:ann/shadow-transitions')).data, []);
  await t.rejects(start(service, policyId), { code: 'shadow_removed' });
  await run(service);
  const left = [...(await rows.dump(service.tenant.id))].filter(([table]) => table.startsWith('shadow'));
  for (const [table, sum] of left) t.match(sum, /^0 rows/, table);
});

t.test('a customer whose rows go leaves every shadow, and its counts', async (t) => {
  const { service, policyId } = await open(t, 'forgetting');
  const ann = await sell(t, service, 'ann');
  await sell(t, service, 'ben');
  service.clock.advance(DAY_MS);
  const other = uuidv7();
  for (const id of [policyId, other]) await start(service, id);
  service.clock.advance(11 * DAY_MS);
  await run(service);
  const context = service.context();
  const { database, services } = service;
  await database.write(context, (tx) => services.shadows.forget(tx, context, [ann]));
  for (const id of [policyId, other]) {
    t.match(await get(t, service, `/v1/policies/${id}/shadow-report`), {
      ...{ customers: 1, matrix: [{ customers: 1 }], transitions: [{ to: 'declining', shadow: 1 }] },
    });
  }
  t.same((await get(t, service, '/v1/customers/ext:crm:ann/shadow-transitions')).data, []);
});

t.test('a shadow does not begin in the future, nor beside too many others', async (t) => {
  const { service, policyId } = await open(t, 'refusals');
  const since = new Date(service.clock.now().getTime() + 1);
  await t.rejects(start(service, policyId, { since }), {
    code: 'invalid_shadow',
    faults: [{ pointer: '/since' }],
  });
  for (let index = 0; index < SHADOWS_RUNNING_MAX; index++) await start(service, uuidv7());
  await t.rejects(start(service, policyId), { code: 'too_many_shadows' });
});

t.test('an order takes as many statements with a shadow as without, and marks nobody without', async (t) => {
  const { service, policyId } = await open(t, 'statements');
  const { services, clock } = service;
  await sell(t, service, 'ann');
  const counting = counted(service.database);
  const orders = createOrdersService({ ...services, database: counting.database });
  const sold = async () => {
    const before = counting.statements();
    const input = {
      ...{ customer: { ref: 'ext:crm:ann' }, namespace: 'shop', externalId: uuidv7() },
      ...({ status: 'placed', placedAt: clock.now(), amountMinor: 1, currency: 'EUR' } as const),
      ...{ lines: [], refunds: [], sourceUpdatedAt: null },
    } as const;
    await orders.save(service.context(), [input], { how: 'record', backfill: false });
    return counting.statements() - before;
  };
  const marks = async () => (await rows.dump(service.tenant.id)).get('shadow_marks');
  const without = await sold();
  t.match(await marks(), /^0 rows/);
  await start(service, policyId);
  t.equal(await sold(), without);
  await start(service, uuidv7());
  t.equal(await sold(), without);
  t.match(await marks(), /^3 rows/, 'one for each shadow that ran');
});
