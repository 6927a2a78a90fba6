// Gamma-gamma against its formula and published figures, and on spends that say nothing.

import t from 'tap';
import { expectedSpend } from '../../../src/lifecycle/models/spend.js';
import { fitSpend, type SpendFit } from '../../../src/lifecycle/models/spendFit.js';
import type { SpendGroup } from '../../../src/lifecycle/models/spendLikelihood.js';
import { readSpends } from '../cdnow.js';
import { drawGamma, drawsFrom } from './simulate.js';

const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;
const cdnow = readSpends();

t.test('CDNOW: parameters, customers and likelihood are the published ones', async (t) => {
  const fit = fitSpend(cdnow);
  t.ok(near(fit.p, 6.25, 0.005), `p ${fit.p}`);
  t.ok(near(fit.q, 3.74, 0.005), `q ${fit.q}`);
  t.ok(near(fit.v / 100, 15.44, 0.01), `v ${fit.v / 100} dollars`);
  t.match(fit, { customers: 946, identified: true, reason: null });
  const inDollars = fit.logLikelihood + fit.customers * Math.log(100);
  t.ok(near(inDollars, -4_055.92, 0.01), `log-likelihood ${inDollars}`);
});

t.test('the expected spend lies between the customer’s own mean and the tenant’s', async (t) => {
  const p = { p: 6.25, q: 3.74, v: 1_544 };
  const tenant = (6.25 * 1_544) / 2.74;
  t.equal(expectedSpend(p, 0, Number.NaN), tenant, 'who has no repeat day is expected to be like the tenant');
  t.ok(near(expectedSpend(p, 2, 2_235), (6.25 * (1_544 + 4_470)) / 15.24, 1e-9), 'as the formula says');
  let before = tenant;
  for (const x of [1, 2, 5, 20, 100]) {
    const spend = expectedSpend(p, x, 9_000);
    t.ok(spend > before && spend < 9_000, `${x} days at 90.00: ${spend}`);
    before = spend;
  }
  t.equal(expectedSpend({ p: 2, q: 1, v: 100 }, 0, 0), Infinity);
  t.equal(expectedSpend({ p: 2, q: 0.5, v: 100 }, 0, 0), Infinity);
});

t.test('the order of the customers moves no digit, nor does grouping equal ones', async (t) => {
  const fit = fitSpend(cdnow);
  t.strictSame(fitSpend([...cdnow.slice(900), ...cdnow.slice(0, 900)].toReversed()), fit);
  const groups = new Map<string, SpendGroup>();
  for (const one of cdnow) {
    const key = `${one.repeats}:${one.meanMinor}`;
    groups.set(key, { ...one, customers: (groups.get(key)?.customers ?? 0) + 1 });
  }
  t.ok(groups.size < cdnow.length);
  t.strictSame(fitSpend([...groups.values()]), fit);
});

t.test('the parameters of simulated customers are found again', async (t) => {
  const truth = { p: 4, q: 3, v: 5_000 };
  const draw = drawsFrom(3);
  const drawn = Array.from({ length: 5_000 }, () => {
    const repeats = 1 + Math.floor(draw() * 6);
    const rate = drawGamma(draw, truth.q) / truth.v;
    return { repeats, meanMinor: drawGamma(draw, truth.p * repeats) / (rate * repeats), customers: 1 };
  });
  const fit = fitSpend(drawn);
  for (const name of ['p', 'q', 'v'] as const) {
    const off = (fit[name] - truth[name]) / (fit.standardErrors?.[name] ?? 0);
    t.ok(Math.abs(off) < 4, `${name} ${fit[name]} is ${off} errors from ${truth[name]}`);
  }
});

t.test('spends that are too few or say nothing give finite figures', async (t) => {
  const many = (of: (i: number) => [number, number]) =>
    Array.from({ length: 500 }, (_, i) => {
      const [repeats, meanMinor] = of(i);
      return { repeats, meanMinor, customers: 1 };
    });
  const cases: [string, SpendGroup[], SpendFit['reason'] | undefined][] = [
    ['nobody', [], 'too_few_customers'],
    ['one customer', [{ repeats: 2, meanMinor: 500, customers: 1 }], 'too_few_customers'],
    ['nothing spent', many(() => [2, 0]), 'too_few_customers'],
    ['no repeats', many(() => [0, 700]), 'too_few_customers'],
    ['49 customers', cdnow.filter((one) => one.meanMinor > 0).slice(0, 49), 'too_few_customers'],
    ['one price', many(() => [2, 500]), null],
    ['one repeat each', many((i) => [1, 10 + i]), null],
    ['spends of all magnitudes', many((i) => [1 + (i % 3), Math.exp(i % 25)]), 'no_expectation'],
  ];
  for (const [name, customers, reason] of cases) {
    const fit = fitSpend(customers);
    t.equal(fit.reason, reason, name);
    t.equal(fit.identified, reason === null);
    const figures = [fit.p, fit.q, fit.v, fit.logLikelihood, ...Object.values(fit.standardErrors ?? {})];
    t.ok(figures.every(Number.isFinite), `${name}: ${JSON.stringify(fit)}`);
  }
  const onePrice = fitSpend(many(() => [2, 500]));
  t.ok(near(expectedSpend(onePrice, 0, 0), 500, 1), 'where everybody pays 5.00, 5.00 is expected');
});
