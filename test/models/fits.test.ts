// Fits over HTTP, on the orders of CDNOW: what is published of them, and how a fit goes.

import t from 'tap';
import { runOnce as fitJob } from '../../src/jobs/fit-models.js';
import type { CurrentModels, Fit } from '../../src/models/schemas.js';
import { startService } from '../helpers/service.js';
import { read, sellCdnow, work } from './shop.js';

const WEEK = 7;
const REPEATS = 2_457;
const USD = 100;
const REPEATERS = 946;

const service = await startService(t, { now: '1997-09-30T12:00:00Z' });
await sellCdnow(service, '1997-09-30');

t.test('before the first fit there is nothing to show', async (t) => {
  t.match(await read(service, '/v1/models/current', 404), { code: 'models_not_fitted' });
  const profile = await read<{ predictions: object }>(service, '/v1/customers/ext:cdnow:00004');
  t.match(profile.predictions, {
    ...{ model: null, reason: 'not_identified', calibrationVersion: 0, pAlive: null, expectedOrders: null },
    values: [{ currency: 'USD', expectedOrderMinor: null, futureMinor: null }],
  });
});

t.test('a fit that is asked for becomes a calibration version', async (t) => {
  const asked = await service.inject('POST', '/v1/models/fits');
  t.equal(asked.statusCode, 202, asked.body);
  const fit = asked.json<Fit>();
  t.match(fit, { status: 'queued', stage: null, attempts: 0, calibrationVersion: null, finishedAt: null });
  const again = await service.inject('POST', '/v1/models/fits');
  t.equal(again.json().id, fit.id, 'whoever asks while it waits is answered with it');
  t.same(await fitJob(service.services, service.clock.now()), {
    more: true,
    counts: { fitted: 1, failed: 0 },
  });
  t.same(await fitJob(service.services, service.clock.now()), {
    more: false,
    counts: { fitted: 0, failed: 0 },
  });
  const done = await read<Fit>(service, `/v1/models/fits/${fit.id}`);
  t.match(done, { status: 'done', stage: null, attempts: 1, calibrationVersion: 1 });
  t.equal(done.finishedAt, service.clock.now().toISOString());
  t.same((await read<{ data: Fit[] }>(service, '/v1/models/fits')).data, [done]);
});

t.test('what is fitted is what is published', async (t) => {
  const { bg, mbg, spend, cadence, window, customers, calibrationVersion } = await read<CurrentModels>(
    service,
    '/v1/models/current',
  );
  t.equal(calibrationVersion, 1);
  t.same(window, { from: '1997-01-01', to: '1997-09-30', days: 272 });
  t.equal(customers, 2_357);
  // Densities in days are lower than those in weeks by a factor of seven for each repeat purchase.
  const inWeeks = (logLikelihood: number | null) => (logLikelihood ?? 0) + REPEATS * Math.log(WEEK);
  const near = (actual: number | undefined, wanted: number, within: number, what: string) =>
    t.ok(Math.abs((actual ?? Infinity) - wanted) <= within, `${what}: ${actual}, published ${wanted}`);

  t.match(bg, { identified: true, reason: null, customers: 2_357 });
  near(bg.parameters?.r, 0.2425945, 0.0005, 'bg r');
  near(bg.parameters?.alphaDays, 4.4136019 * WEEK, 0.05, 'bg alpha');
  near(bg.parameters?.a, 0.7929199, 0.001, 'bg a');
  near(bg.parameters?.b, 2.4258881, 0.005, 'bg b');
  near(inWeeks(bg.logLikelihood), -9582.429, 0.01, 'bg log-likelihood');

  t.match(mbg, { identified: true, reason: null });
  near(mbg.parameters?.r, 0.5248, 0.0005, 'mbg r');
  near(mbg.parameters?.alphaDays, 6.1831 * WEEK, 0.05, 'mbg alpha');
  near(inWeeks(mbg.logLikelihood), -9582.136, 0.01, 'mbg log-likelihood');
  for (const [name, error] of Object.entries({ ...bg.standardErrors, ...mbg.standardErrors }))
    t.ok(error > 0, `standard error of ${name}`);

  near(cadence.parameters.r, 3.7, 0.01, 'cadence r');
  near(cadence.parameters.alphaDays, 22.7 * WEEK, 0.5, 'cadence alpha');
  t.ok((cadence.standardErrors?.r ?? 0) > 0 && (cadence.standardErrors?.alphaDays ?? 0) > 0);
  t.match(cadence, { identified: true, reason: null, completedGaps: REPEATS, customers: REPEATERS });

  const [usd, ...others] = spend;
  t.same(others, []);
  t.match(usd, { currency: 'USD', identified: true, customers: REPEATERS });
  near(usd?.parameters?.p, 6.25, 0.01, 'p');
  near(usd?.parameters?.q, 3.74, 0.01, 'q');
  near(usd?.parameters?.v, 15.44 * USD, 5, 'v');
  near((usd?.logLikelihood ?? 0) + REPEATERS * Math.log(USD), -4055.92, 0.1, 'spend log-likelihood');
});

t.test('the same orders fitted again make a version, and nobody is decided anew', async (t) => {
  const before = await read<{ data: unknown[] }>(service, '/v1/recomputations');
  t.equal(before.data.length, 1, 'the first fit moved what the policy reads');
  const answer = await service.inject('POST', '/v1/calibrations');
  t.match(answer.json(), { version: 2, method: 'mle' });
  t.same(await read(service, '/v1/recomputations'), before);
});

t.test('a scheduled fit makes a version only where the figures have moved', async (t) => {
  const { policies } = service.services;
  // A day without an order: that many are lost has become likelier by more than a hundredth.
  service.clock.set('1997-10-01T12:00:00Z');
  t.same(await policies.calibrateDue(service.clock.now()), { fitted: 1, unchanged: 0 });
  t.same(await policies.calibrateDue(service.clock.now()), { fitted: 0, unchanged: 0 }, 'once a day');
  service.clock.set('1997-10-02T12:00:00Z');
  await service.inject('POST', '/v1/calibrations');
  t.same(await policies.calibrateDue(service.clock.now()), { fitted: 0, unchanged: 1 });
  t.equal((await read<CurrentModels>(service, '/v1/models/current')).calibrationVersion, 4);
});

t.test('a tenant with few orders is told why nothing is predicted by them', async (t) => {
  const small = await service.forTenant('small');
  await small.inject('POST', '/v1/orders', {
    body: {
      customer: { externalIds: [{ namespace: 'c', id: '1' }] },
      placedAt: '1997-09-01T00:00:00Z',
      ...{ amountMinor: 500, currency: 'EUR' },
    },
  });
  await small.inject('POST', '/v1/models/fits');
  await work(small);
  const none = { identified: false, reason: 'too_few_customers' };
  t.match(await read(small, '/v1/models/current'), {
    ...{ bg: none, mbg: none, spend: [], customers: 1 },
    cadence: { identified: false, reason: 'too_few_gaps', standardErrors: null },
    predictions: { nextAt: null, customersDone: 1, running: false },
  });
  const { predictions } = await read<{ predictions: object }>(small, '/v1/customers/ext:c:1');
  t.match(predictions, { model: null, reason: 'not_identified', calibrationVersion: 1 });
  t.match(await read(small, '/v1/customers?pAliveAtLeast=0'), { data: [] });
});

t.test('an unknown fit is not found', async (t) => {
  const url = '/v1/models/fits/0190a000-0000-7000-8000-000000000000';
  t.match(await read(service, url, 404), { code: 'fit_not_found' });
});
