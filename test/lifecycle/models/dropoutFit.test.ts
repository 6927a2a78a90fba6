// The fits of BG/NBD and MBG/NBD against published figures, simulated populations and data that say nothing.

import t from 'tap';
import { DROPOUT_MODELS, type DropoutModel } from '../../../src/lifecycle/models/dropout.js';
import { type DropoutFit, fitDropout } from '../../../src/lifecycle/models/dropoutFit.js';
import type { CustomerGroup } from '../../../src/lifecycle/models/dropoutSample.js';
import { historiesUntil, readPurchases } from '../cdnow.js';
import { drawCustomers } from './simulate.js';

const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;
const cdnow = historiesUntil(readPurchases(), '1997-09-30');
const NAMES = ['r', 'alphaDays', 'a', 'b'] as const;

/** Published in weeks, of BG with seven decimals and of MBG with four. */
const PUBLISHED: Record<DropoutModel, { at: [number, number, number, number]; logLikelihood: number }> = {
  bg: { at: [0.2425945, 4.4136019, 0.7929199, 2.4258881], logLikelihood: -9_582.429 },
  mbg: { at: [0.5248, 6.1831, 0.8914, 1.614], logLikelihood: -9_582.136 },
};

for (const model of DROPOUT_MODELS) {
  t.test(`CDNOW, ${model}: parameters and likelihood are the published ones`, async (t) => {
    const fit = fitDropout(model, cdnow);
    const [r, alpha, a, b] = PUBLISHED[model].at;
    t.ok(near(fit.r, r, 0.00005), `r ${fit.r}`);
    t.ok(near(fit.alphaDays / 7, alpha, 0.00005), `alpha ${fit.alphaDays / 7} weeks`);
    t.ok(near(fit.a, a, 0.00005), `a ${fit.a}`);
    t.ok(near(fit.b, b, 0.00005), `b ${fit.b}`);
    // A density of days is one of weeks divided by seven, for each repeat purchase.
    const repeats = cdnow.reduce((sum, one) => sum + one.repeats, 0);
    t.equal(repeats, 2_457);
    const inWeeks = fit.logLikelihood + repeats * Math.log(7);
    t.ok(near(inWeeks, PUBLISHED[model].logLikelihood, 0.001), `log-likelihood ${inWeeks}`);
    t.match(fit, { customers: 2_357, identified: true, reason: null });
  });

  t.test(`${model}: the likelihood is that of the formula, and falls as the errors say`, async (t) => {
    const fit = fitDropout(model, cdnow);
    t.ok(near(fit.logLikelihood, likelihood(model, cdnow, fit), 1e-6));
    for (const name of NAMES) {
      const error = fit.standardErrors?.[name] ?? Number.NaN;
      for (const sign of [-1, 1]) {
        const moved = { ...fit, [name]: fit[name] + sign * 0.02 * error };
        const loss = fit.logLikelihood - likelihood(model, cdnow, moved);
        // With the others left where they are it falls by at least the half square of errors moved.
        t.ok(loss >= 0.98 * (0.02 ** 2 / 2), `${name} moved by ${sign} × 0.02 errors: ${loss}`);
      }
    }
  });

  t.test(`${model}: the order of the customers moves no digit, nor does grouping equal ones`, async (t) => {
    const fit = fitDropout(model, cdnow);
    for (const by of [1, 700, 1_500]) {
      t.strictSame(fitDropout(model, [...cdnow.slice(by), ...cdnow.slice(0, by)].toReversed()), fit);
    }
    const groups = new Map<string, CustomerGroup>();
    for (const one of cdnow) {
      const key = `${one.repeats}:${one.spanDays}:${one.ageDays}`;
      groups.set(key, { ...one, customers: (groups.get(key)?.customers ?? 0) + 1 });
    }
    t.ok(groups.size < cdnow.length);
    t.strictSame(fitDropout(model, [...groups.values()]), fit);
  });

  t.test(`${model}: the parameters of simulated customers are found again`, async (t) => {
    for (const [seed, truth] of [
      [1, { r: 0.6, alphaDays: 40, a: 0.9, b: 2.2 }],
      [2, { r: 2, alphaDays: 60, a: 0.3, b: 1.5 }],
      [3, { r: 0.3, alphaDays: 25, a: 2, b: 9 }],
    ] as const) {
      const fit = fitDropout(model, drawCustomers(model, truth, { seed, customers: 6_000, days: 800 }));
      t.equal(fit.reason, null);
      for (const name of NAMES) {
        const error = fit.standardErrors?.[name] ?? 0;
        const off = (fit[name] - truth[name]) / error;
        t.ok(Math.abs(off) < 4, `${name} ${fit[name]} is ${off} errors from ${truth[name]}`);
      }
    }
  });

  t.test(`${model}: where customers are never lost, dropout is not identified`, async (t) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const stayers = { r: 0.6, alphaDays: 40, a: 0, b: 1 };
      const fit = fitDropout(model, drawCustomers(model, stayers, { seed, customers: 2_000, days: 700 }));
      t.match(fit, { identified: false, reason: 'dropout_not_identified', customers: 2_000 });
      t.ok(near(fit.r, 0.6, 0.1) && near(fit.alphaDays, 40, 8), 'the rates are found all the same');
    }
  });

  t.test(`${model}: dropout that is alike in all customers, or all or nothing, is identified`, async (t) => {
    for (const shape of [
      { a: 300, b: 700 },
      { a: 0.05, b: 0.1 },
    ]) {
      const truth = { r: 0.6, alphaDays: 40, ...shape };
      const fit = fitDropout(model, drawCustomers(model, truth, { seed: 7, customers: 3_000, days: 700 }));
      t.equal(fit.identified, true);
      const [share, known] = [fit.a / (fit.a + fit.b), shape.a / (shape.a + shape.b)];
      t.ok(near(share, known, 0.08), `mean dropout ${share}, drawn with ${known}`);
    }
  });

  t.test(`${model}: data that are too few or say nothing are refused with finite figures`, async (t) => {
    const many = (customers: number, of: (i: number) => Omit<CustomerGroup, 'customers'>) =>
      Array.from({ length: customers }, (_, i) => ({ ...of(i), customers: 1 }));
    const cases: [string, CustomerGroup[], string][] = [
      ['nobody', [], 'too_few_customers'],
      ['one customer', [{ repeats: 3, spanDays: 50, ageDays: 200, customers: 1 }], 'too_few_customers'],
      ['half of CDNOW’s customers', cdnow.slice(0, 499), 'too_few_customers'],
      [
        'a young tenant',
        many(900, (i) => ({ repeats: i % 5, spanDays: i % 5, ageDays: 170 })),
        'history_too_short',
      ],
      [
        'one-time buyers alone',
        many(900, (i) => ({ repeats: 0, spanDays: 0, ageDays: i })),
        'too_few_repeaters',
      ],
      [
        'all first orders today',
        many(900, () => ({ repeats: 0, spanDays: 0, ageDays: 0 })),
        'history_too_short',
      ],
      [
        'gaps that are all alike',
        many(900, (i) => ({
          repeats: 1 + (i % 9),
          spanDays: 30 * (1 + (i % 9)),
          ageDays: 30 * (1 + (i % 9)),
        })),
        'dropout_not_identified',
      ],
      [
        'histories that cannot be',
        [
          { repeats: 1.5, spanDays: 3, ageDays: 9, customers: 600 },
          { repeats: 1, spanDays: 9, ageDays: 3, customers: 600 },
          { repeats: 1, spanDays: Number.NaN, ageDays: 3, customers: 600 },
          { repeats: 1, spanDays: 3, ageDays: Infinity, customers: 600 },
        ],
        'too_few_customers',
      ],
    ];
    for (const [name, customers, reason] of cases) {
      const fit = fitDropout(model, customers);
      t.match(fit, { identified: false, reason }, name);
      t.ok(allFinite(fit), `${name}: ${JSON.stringify(fit)}`);
    }
  });

  t.test(`${model}: data wilder than the model give finite figures`, async (t) => {
    const wild = [
      { repeats: 5, spanDays: 5, ageDays: 5_000, customers: 700 },
      { repeats: 0, spanDays: 0, ageDays: 5_000, customers: 700 },
      { repeats: 3_000, spanDays: 4_999, ageDays: 5_000, customers: 60 },
    ];
    const fit = fitDropout(model, wild);
    t.ok(allFinite(fit), JSON.stringify(fit));
    t.ok(near(fit.logLikelihood, likelihood(model, wild, fit), 1e-3));
  });
}

t.test('the bounds of what is enough are where they are said to be', async (t) => {
  const customers = drawCustomers(
    'mbg',
    { r: 1, alphaDays: 30, a: 1, b: 3 },
    { seed: 5, customers: 520, days: 185 },
  );
  t.equal(fitDropout('mbg', customers.slice(0, 499)).reason, 'too_few_customers');
  t.not(fitDropout('mbg', customers.slice(0, 500)).reason, 'too_few_customers');
  const three = customers.filter((one) => one.repeats >= 2);
  const fewer = [...customers.filter((one) => one.repeats < 2), ...three.slice(0, 49)];
  const once = { repeats: 0, spanDays: 0, ageDays: 183, customers: 400 };
  t.equal(fitDropout('mbg', [...fewer, once]).reason, 'too_few_repeaters');
  t.not(fitDropout('mbg', [...fewer, once, ...three.slice(49, 50)]).reason, 'too_few_repeaters');
});

function allFinite(fit: DropoutFit): boolean {
  const errors = fit.standardErrors === null ? [] : Object.values(fit.standardErrors);
  return [...NAMES.map((name) => fit[name]), fit.logLikelihood, ...errors].every(Number.isFinite);
}

/** Term by term, as it is written. */
function likelihood(
  model: DropoutModel,
  customers: readonly CustomerGroup[],
  { r, alphaDays: alpha, a, b }: { r: number; alphaDays: number; a: number; b: number },
): number {
  let total = 0;
  for (const { repeats: x, spanDays, ageDays, customers: count } of customers) {
    let one = r * Math.log(alpha);
    for (let i = 0; i < x; i += 1) one += Math.log(r + i);
    for (let i = 0; i < (model === 'bg' ? x : x + 1); i += 1) one -= Math.log(1 + a / (b + i));
    const a3 = -(r + x) * Math.log(alpha + ageDays);
    const d = model === 'bg' ? b + x - 1 : b + x;
    const a4 =
      model === 'bg' && x === 0
        ? -Infinity
        : Math.log(a) - Math.log(d) - (r + x) * Math.log(alpha + spanDays);
    const top = Math.max(a3, a4);
    total += count * (one + top + Math.log(Math.exp(a3 - top) + Math.exp(a4 - top)));
  }
  return total;
}
