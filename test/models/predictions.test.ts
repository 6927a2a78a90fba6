// What is predicted of customers, over HTTP: in their profile as of now, in lists as of the last walk.

import t from 'tap';
import { runOnce as predictJob } from '../../src/jobs/predict-customers.js';
import { calibrationOf } from '../../src/lifecycle/calibration.js';
import { expectedOrders, probabilityAlive } from '../../src/lifecycle/models/dropout.js';
import { expectedSpend } from '../../src/lifecycle/models/spend.js';
import type { CurrentModels } from '../../src/models/schemas.js';
import { startService } from '../helpers/service.js';
import { read, sellCdnow, work } from './shop.js';

const DAY_MS = 86_400_000;
const NOW = '1997-09-30T12:00:00Z';

interface Value {
  currency: string;
  historicMinor: number;
  expectedOrderMinor: number | null;
  futureMinor: number | null;
}
interface Predictions {
  asOf: string;
  calibrationVersion: number;
  model: 'bg' | 'mbg' | null;
  reason: string | null;
  pAlive: number | null;
  expectedOrders: Record<'next30Days' | 'next90Days' | 'next365Days', number> | null;
  values: Value[];
}
interface Profile {
  id: string;
  facts: { purchaseDays: number; lastOrderAt: string };
  predictions: Predictions;
}
interface Page {
  data: { id: string }[];
  nextCursor: string | null;
}

const service = await startService(t, { now: NOW });
await sellCdnow(service, '1997-09-30');
await service.inject('POST', '/v1/calibrations');
const models = await read<CurrentModels>(service, '/v1/models/current');
const profileOf = (id: string) => read<Profile>(service, `/v1/customers/ext:cdnow:${id}`);
const everybody = (query: string) => pages(`/v1/customers?limit=200&${query}`);

/** All pages of a list. */
async function pages(url: string): Promise<{ id: string }[]> {
  const found: { id: string }[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await read<Page>(service, cursor === '' ? url : `${url}&cursor=${cursor}`);
    found.push(...page.data);
    cursor = page.nextCursor;
  }
  return found;
}

t.test('a profile predicts as of now, by the model that is identified', async (t) => {
  const { predictions, facts } = await profileOf('00004');
  const parameters = models.mbg.parameters;
  if (parameters === null) throw new Error('CDNOW identifies MBG/NBD');
  // Four purchase days: 1 and 18 January, 2 August and 12 December 1997, of which the last has not come yet.
  t.equal(facts.purchaseDays, 3);
  const silenceDays = (Date.parse(NOW) - Date.parse(facts.lastOrderAt)) / DAY_MS;
  const history = { repeats: 2, spanDays: 213, ageDays: 213 + silenceDays };
  t.match(predictions, {
    model: 'mbg',
    reason: null,
    calibrationVersion: 1,
    asOf: '1997-09-30T12:00:00.000Z',
  });
  t.equal(predictions.pAlive, probabilityAlive('mbg', parameters, history));
  t.equal(predictions.expectedOrders?.next365Days, expectedOrders('mbg', parameters, history, 365));
  t.equal(predictions.expectedOrders?.next30Days, expectedOrders('mbg', parameters, history, 30));

  const spend = calibrationOf({ version: 1, cadence: models.cadence.parameters }).spend;
  t.same(spend, {});
  const usd = models.spend[0]?.parameters;
  if (usd === undefined || usd === null) throw new Error('CDNOW identifies spend');
  const [value, ...others] = predictions.values;
  t.same(others, []);
  // 29.33 on the first day; 29.73 and 14.96 on the two repeat days.
  t.equal(value?.historicMinor, 2_933 + 2_973 + 1_496);
  const perOrder = expectedSpend(usd, 2, (2_973 + 1_496) / 2);
  t.equal(value?.expectedOrderMinor, Math.round(perOrder));
  const undiscounted = (predictions.expectedOrders?.next365Days ?? 0) * perOrder;
  t.ok((value?.futureMinor ?? 0) < undiscounted, 'money to come is worth less');
  t.ok((value?.futureMinor ?? 0) > undiscounted / 1.1, 'but not by more than a year of it');
});

t.test('time alone moves a prediction, so a profile that has one is always sent', async (t) => {
  const etag = (await service.inject('GET', '/v1/customers/ext:cdnow:00004')).headers.etag;
  service.clock.advance(10 * DAY_MS);
  const headers = { 'if-none-match': String(etag) };
  const answer = await service.inject('GET', '/v1/customers/ext:cdnow:00004', { headers });
  t.equal(answer.statusCode, 200);
  t.equal(answer.json().predictions.asOf, service.clock.now().toISOString());
  service.clock.set(NOW);
  t.ok(answer.json().predictions.pAlive < ((await profileOf('00004')).predictions.pAlive ?? 0));
});

t.test('a customer without an order, and values in two currencies', async (t) => {
  const orders = [
    { placedAt: '1997-03-01T10:00:00Z', amountMinor: 1_000, currency: 'USD' },
    { placedAt: '1997-05-01T10:00:00Z', amountMinor: 700, currency: 'EUR' },
    { placedAt: '1997-05-01T20:00:00Z', amountMinor: 500, currency: 'USD' },
    { placedAt: '1997-07-01T10:00:00Z', amountMinor: 900, currency: 'USD' },
  ];
  const customer = (id: string) => ({ externalIds: [{ namespace: 'cdnow', id }] });
  for (const order of orders)
    await service.inject('POST', '/v1/orders', { body: { customer: customer('two'), ...order } });
  const { predictions } = await profileOf('two');
  const [usd, eur] = predictions.values;
  t.match(usd, { currency: 'USD', historicMinor: 2_400 });
  t.same(eur, { currency: 'EUR', historicMinor: 700, expectedOrderMinor: null, futureMinor: null });
  const parameters = models.spend[0]?.parameters;
  if (parameters == null) throw new Error('CDNOW identifies spend');
  t.equal(usd?.expectedOrderMinor, Math.round(expectedSpend(parameters, 2, 700)));

  await service.inject('POST', '/v1/customers', { body: customer('idle') });
  const idle = await profileOf('idle');
  t.match(idle.predictions, { model: null, reason: 'no_orders', pAlive: null, values: [] });
});

t.test('the walk predicts everybody with an order, once', async (t) => {
  const before = await read<CurrentModels>(service, '/v1/models/current');
  t.match(before.predictions, { computedAt: null, customersDone: 0 });
  t.same(await everybody('pAliveAtLeast=0'), [], 'nobody passes before they are predicted');
  t.same(await predictJob(service.services, service.clock.now()), {
    more: true,
    counts: { customers: 2_359, finished: 1 },
  });
  t.same(await predictJob(service.services, service.clock.now()), {
    more: false,
    counts: { customers: 0, finished: 0 },
  });
  const after = await read<CurrentModels>(service, '/v1/models/current');
  t.same(after.predictions, {
    computedAt: '1997-09-30T12:00:00.000Z',
    running: false,
    customersDone: 2_359,
    nextAt: '1997-10-01T12:00:00.000Z',
  });
  t.equal((await everybody('pAliveAtLeast=0')).length, 2_358, 'all but the one without an order');
});

t.test('lists are filtered by what was predicted: of few and of many alike', async (t) => {
  const all = await everybody('pAliveAtLeast=0');
  const figures = new Map<string, Predictions>();
  for (const { id } of all.slice(0, 150))
    figures.set(id, (await read<Profile>(service, `/v1/customers/${id}`)).predictions);
  const filters: [string, (predictions: Predictions) => boolean][] = [
    ['pAliveBelow=0.2', ({ pAlive }) => (pAlive ?? 1) < 0.2],
    ['pAliveAtLeast=0.8', ({ pAlive }) => (pAlive ?? 0) >= 0.8],
    ['pAliveAtLeast=0.01', ({ pAlive }) => (pAlive ?? 0) >= 0.01],
    ['pAliveAtLeast=0.3&pAliveBelow=0.6', ({ pAlive }) => (pAlive ?? 0) >= 0.3 && (pAlive ?? 1) < 0.6],
    ['expectedOrders90AtLeast=0.5', ({ expectedOrders: orders }) => (orders?.next90Days ?? 0) >= 0.5],
    [
      'futureValueAtLeast=5000&currency=USD',
      ({ values }) => values.some(({ futureMinor }) => (futureMinor ?? 0) >= 5_000),
    ],
  ];
  for (const [query, passes] of filters) {
    const found = new Set((await everybody(query)).map(({ id }) => id));
    const wanted = [...figures].filter(([, predictions]) => passes(predictions)).map(([id]) => id);
    const shown = [...figures.keys()].filter((id) => found.has(id));
    t.same(shown, wanted, query);
    t.ok(found.size > 0, `${query} finds ${found.size}`);
  }
  t.same(await everybody('futureValueAtLeast=0&currency=EUR'), [], 'no such model');
  t.same(
    (await everybody('pAliveBelow=0.2&stage=churned')).length > 0,
    true,
    'together with other filters, in the order of either index',
  );
});

t.test('a value is one of a currency', async (t) => {
  for (const query of ['futureValueAtLeast=1', 'currency=USD', 'pAliveBelow=2', 'pAliveBelow=x']) {
    const answer = await service.inject('GET', `/v1/customers?${query}`);
    t.equal(answer.statusCode, 400, query);
    t.match(answer.json(), { code: 'invalid_request', errors: [{ pointer: /^\/query\// }] });
  }
});

t.test(
  'a day later all are predicted anew; a customer whose orders are gone is predicted no longer',
  async (t) => {
    const { data } = await read<{ data: { id: string; placedAt: string }[] }>(
      service,
      '/v1/orders?customer=ext:cdnow:two',
    );
    for (const { id } of data) await service.inject('POST', `/v1/orders/${id}/cancel`);
    const two = await profileOf('two');
    t.match(two.predictions, { model: null, reason: 'no_orders', values: [] });
    const isListed = async () => (await everybody('pAliveAtLeast=0')).some(({ id }) => id === two.id);
    t.equal(await isListed(), true, 'as of the last walk');
    service.clock.set('1997-10-01T12:00:00Z');
    await work(service);
    t.equal(await isListed(), false);
    t.match(await read(service, '/v1/models/current'), {
      predictions: { computedAt: '1997-10-01T12:00:00.000Z', customersDone: 2_359 },
    });
  },
);

t.test('a new calibration begins the walk anew', async (t) => {
  await service.inject('POST', '/v1/calibrations');
  t.match(await predictJob(service.services, service.clock.now()), {
    counts: { customers: 2_359, finished: 1 },
  });
});
