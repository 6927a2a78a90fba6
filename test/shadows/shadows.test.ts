// Shadows over HTTP: what a policy beside the live one is seen to do, and that nobody is told.

import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { startService } from '../helpers/service.js';
import { openRows } from '../routes/rows.js';
import { beside, DAY_MS } from './beside.js';

const shared = await startService(t);
const rows = await openRows(t, shared);
const { open, start, run, sell, get } = beside(shared);

t.test('a report says where the two policies disagree, customer by customer', async (t) => {
  const { service, policyId } = await open(t, 'report');
  const { clock, services } = service;
  const path = `/v1/policies/${policyId}`;
  const [ann, ben] = [await sell(t, service, 'ann'), await sell(t, service, 'ben')];
  const soldAt = clock.now().getTime();
  clock.advance(DAY_MS);
  await start(service, policyId);
  t.match(await get(t, service, `${path}/shadow-report`), {
    ...{ status: 'running', customers: 0, progress: { isCurrent: false, filledAt: null } },
  });
  await run(service);
  t.match(await get(t, service, `${path}/shadow-report`), {
    ...{ customers: 2, customersDiffering: 0, progress: { isCurrent: true, customersWalked: 2 } },
    matrix: [{ liveStage: 'new', shadowStage: 'new', customers: 2 }],
    ...{ transitions: [], events: [] },
  });
  const { events: eventsBefore } = Object.fromEntries(await rows.dump(service.tenant.id));
  clock.advance(11 * DAY_MS);
  t.match(await get(t, service, `${path}/shadow-report`), {
    progress: { isCurrent: false, customersDue: 2 },
  });
  await run(service);
  clock.advance(10 * DAY_MS);
  await run(service);
  const since = (days: number) => new Date(soldAt + days * DAY_MS).toISOString();
  const report = await get(t, service, `${path}/shadow-report`);
  t.match(report, {
    ...{ customers: 2, customersDiffering: 2, progress: { isCurrent: true } },
    matrix: [{ liveStage: 'new', shadowStage: 'churned', customers: 2 }],
    transitions: [
      { from: 'declining', to: 'churned', shadow: 2, live: 0 },
      { from: 'new', to: 'declining', shadow: 2, live: 0 },
    ],
    events: [
      { type: 'customer.churned', shadow: 2, live: 0 },
      { type: 'customer.declining', shadow: 2, live: 0 },
    ],
  });
  t.equal((await rows.dump(service.tenant.id)).get('events'), eventsBefore, 'and nobody was told');
  const { data, nextCursor } = await get(t, service, `${path}/shadow-disagreements?limit=1`);
  const rest = await get(t, service, `${path}/shadow-disagreements?limit=1&cursor=${nextCursor}`);
  t.same(
    [...data, ...rest.data].map(({ customerId }) => customerId),
    [ann, ben].toSorted(),
  );
  t.equal(rest.nextCursor, null);
  t.match(data[0], {
    ...{ liveStage: 'new', shadowStage: 'churned', differsSince: since(10) },
    live: { effectiveAt: since(0), cause: 'order', evidence: { rule: 2 } },
    shadow: { effectiveAt: since(20), cause: 'time', evidence: { rule: 0, condition: { type: 'silence' } } },
  });
  const ledger = await get(t, service, '/v1/customers/ext:crm:ann/shadow-transitions');
  t.match(
    ledger.data.map(({ to, policyVersion }: { to: string; policyVersion: number | null }) => [
      to,
      policyVersion,
    ]),
    [
      ['churned', null],
      ['declining', null],
      ['new', 2],
    ],
    'from the row that stood when it began',
  );
  // The live policy comes to the same later.
  clock.advance(180 * DAY_MS);
  await services.transitions.advanceDue(clock.now());
  await run(service);
  t.match(await get(t, service, `${path}/shadow-report`), {
    customersDiffering: 0,
    transitions: [
      { from: 'declining', to: 'churned', shadow: 2, live: 2 },
      { from: 'new', to: 'declining', shadow: 2, live: 2 },
    ],
  });
  t.same((await get(t, service, `${path}/shadow-disagreements`)).data, []);
});

t.test('a late cancellation corrects a shadow as it corrects the ledger', async (t) => {
  const { service, policyId } = await open(t, 'correction');
  await sell(t, service, 'ann');
  const [order] = (await get(t, service, '/v1/orders')).data;
  await start(service, policyId);
  service.clock.advance(11 * DAY_MS);
  await run(service);
  await service.inject('POST', `/v1/orders/${order.id}/cancel`);
  t.match(await get(t, service, `/v1/policies/${policyId}/shadow-report`), {
    progress: { isCurrent: false, changesPending: 1 },
  });
  await run(service);
  const path = '/v1/customers/ext:crm:ann/shadow-transitions';
  const inForce = (await get(t, service, `${path}?policyId=${policyId}`)).data;
  t.match(inForce, [{ from: null, to: 'prospect', cause: 'created', supersededAt: null }]);
  const all = (await get(t, service, `${path}?superseded=true`)).data;
  t.same(
    all.filter(({ supersededAt }: { supersededAt: string | null }) => supersededAt !== null).length,
    2,
    'what it had said is kept with its two clocks',
  );
  t.same((await get(t, service, `${path}?policyId=${uuidv7()}`)).data, []);
  t.match(await get(t, service, `/v1/policies/${policyId}/shadow-report`), {
    ...{ customersDiffering: 0, matrix: [{ liveStage: 'prospect', shadowStage: 'prospect', customers: 1 }] },
    transitions: [],
  });
});

t.test('the list of disagreements is had by either stage or both', async (t) => {
  const { service, policyId } = await open(t, 'filters');
  await sell(t, service, 'lost');
  service.clock.advance(90 * DAY_MS);
  await sell(t, service, 'fresh');
  service.clock.advance(15 * DAY_MS);
  await service.services.transitions.advanceDue(service.clock.now());
  await start(service, policyId, { since: new Date(service.clock.now().getTime() - 30 * DAY_MS) });
  await run(service);
  const stages = async (query: string) =>
    (await get(t, service, `/v1/policies/${policyId}/shadow-disagreements?${query}`)).data.map(
      (row: { liveStage: string; shadowStage: string }) => `${row.liveStage}>${row.shadowStage}`,
    );
  t.same(await stages(''), ['declining>churned', 'new>declining']);
  t.same(await stages('liveStage=new'), ['new>declining']);
  t.same(await stages('shadowStage=churned'), ['declining>churned']);
  t.same(await stages('liveStage=declining&shadowStage=churned'), ['declining>churned']);
  t.same(await stages('liveStage=new&shadowStage=churned'), []);
});
