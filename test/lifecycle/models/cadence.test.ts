// The cadence model against its formulas, and its fit against published figures.

import t from 'tap';
import { cadenceQuantileDays, shrunkMeanGapDays } from '../../../src/lifecycle/models/cadence.js';
import { type CustomerGaps, fitCadence } from '../../../src/lifecycle/models/cadenceFit.js';
import { gapsUntil, readPurchases } from '../cdnow.js';

const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;

t.test('the quantile is that of a Lomax distribution', async (t) => {
  const cadence = { r: 3.7, alphaDays: 158.9 };
  for (const [q, x, txDays] of [
    [0.5, 0, 0],
    [0.75, 3, 120],
    [0.9, 25, 300],
    [0.001, 1, 1],
  ] as const) {
    const s = cadenceQuantileDays(q, x, txDays, cadence);
    const reached = 1 - ((158.9 + txDays) / (158.9 + txDays + s)) ** (3.7 + x);
    t.ok(near(reached, q, 1e-12), `P(gap < s_${q}) = ${reached}`);
  }
  t.ok(
    near(cadenceQuantileDays(0.75, 0, 0, cadence), 72, 0.5),
    'CDNOW, one purchase: declining after 72 days',
  );
  t.ok(near(cadenceQuantileDays(0.9, 0, 0, cadence), 137, 0.5), 'and churned after 137');
});

t.test('the shrunk mean gap is drawn towards the median one', async (t) => {
  t.equal(shrunkMeanGapDays(0, 0, 30), 30);
  t.equal(shrunkMeanGapDays(1, 10, 30), 25);
  t.ok(near(shrunkMeanGapDays(300, 3_000, 30), 10, 0.25));
});

t.test('CDNOW: the fit of the calibration period and of all data are the published ones', async (t) => {
  const purchases = readPurchases();
  const calibration = fitCadence(gapsUntil(purchases, '1997-09-30'), 30);
  t.ok(near(calibration.r, 3.7, 0.005), `r ${calibration.r}`);
  t.ok(near(calibration.alphaDays / 7, 22.7, 0.05), `alpha ${calibration.alphaDays / 7} weeks`);
  t.match(calibration, { completedGaps: 2_457, method: 'mle', medianGapDays: 30, atBound: false });
  const all = fitCadence(gapsUntil(purchases, '1998-06-30'), 30);
  t.ok(near(all.r, 2.46, 0.005), `r ${all.r}`);
  t.ok(near(all.alphaDays / 7, 23.05, 0.005), `alpha ${all.alphaDays / 7} weeks`);
  t.equal(all.completedGaps, 4_339);
});

t.test('no point beside the fitted one is likelier, and the likelihood is that of the formula', async (t) => {
  const sample = gapsUntil(readPurchases(), '1997-09-30');
  const { r, alphaDays, logLikelihood } = fitCadence(sample, 30);
  t.ok(near(logLikelihood ?? 0, likelihood(sample, r, alphaDays), 1e-6));
  for (const [dr, da] of [
    [1e-3, 0],
    [-1e-3, 0],
    [0, 1e-2],
    [0, -1e-2],
    [1e-3, 0.05],
    [-1e-3, -0.05],
  ] as const) {
    t.ok(likelihood(sample, r + dr, alphaDays + da) < (logLikelihood ?? 0), `${dr}, ${da}`);
  }
});

t.test('the standard errors are those of the likelihood’s curvature', async (t) => {
  const sample = gapsUntil(readPurchases(), '1997-09-30');
  const { r, alphaDays, standardErrors } = fitCadence(sample, 30);
  const at = (dr: number, da: number) => likelihood(sample, r + dr, alphaDays + da);
  const [h, k] = [1e-3 * r, 1e-3 * alphaDays];
  const rr = -(at(h, 0) - 2 * at(0, 0) + at(-h, 0)) / h ** 2;
  const aa = -(at(0, k) - 2 * at(0, 0) + at(0, -k)) / k ** 2;
  const ra = -(at(h, k) - at(h, -k) - at(-h, k) + at(-h, -k)) / (4 * h * k);
  const determinant = rr * aa - ra ** 2;
  t.ok(near((standardErrors?.r ?? 0) / Math.sqrt(aa / determinant), 1, 1e-3));
  t.ok(near((standardErrors?.alphaDays ?? 0) / Math.sqrt(rr / determinant), 1, 1e-3));
});

t.test('the order of the customers does not move a digit', async (t) => {
  const sample = gapsUntil(readPurchases(), '1997-09-30');
  const fit = fitCadence(sample, 30);
  for (const by of [1, 100, 700, 1_500]) {
    t.strictSame(fitCadence([...sample.slice(by), ...sample.slice(0, by)].toReversed(), 30), fit);
  }
});

t.test('figures that stand for many customers count as those customers', async (t) => {
  const sample = gapsUntil(readPurchases(), '1997-09-30');
  const groups = new Map<string, Required<CustomerGaps>>();
  for (const { gaps, totalDays } of sample) {
    const key = `${gaps}:${totalDays}`;
    groups.set(key, { gaps, totalDays, customers: (groups.get(key)?.customers ?? 0) + 1 });
  }
  t.ok(groups.size < sample.length);
  t.strictSame(fitCadence([...groups.values()], 30), fitCadence(sample, 30));
});

t.test('fewer than 50 completed gaps are no ground for a fit', async (t) => {
  const few = Array.from({ length: 49 }, () => ({ gaps: 1, totalDays: 12 }));
  const fallback = { method: 'fallback', logLikelihood: null, standardErrors: null, atBound: false };
  t.same(fitCadence(few, 12), {
    r: 3,
    alphaDays: 36,
    medianGapDays: 12,
    completedGaps: 49,
    customers: 49,
    ...fallback,
  });
  t.same(fitCadence([], null), {
    r: 3,
    alphaDays: 90,
    medianGapDays: 30,
    completedGaps: 0,
    customers: 0,
    ...fallback,
  });
  t.equal(fitCadence([...few, { gaps: 1, totalDays: 9 }], 12).method, 'mle');
  t.equal(fitCadence([...few, { gaps: 0, totalDays: 0 }], 12).method, 'fallback');
});

t.test('gaps that are all alike stop at the bound, and the quantiles stay sensible', async (t) => {
  const alike = Array.from({ length: 200 }, () => ({ gaps: 4, totalDays: 120 }));
  const fit = fitCadence(alike, 30);
  t.equal(fit.atBound, true);
  t.equal(fit.standardErrors, null);
  t.ok(near(fit.r, 100, 1e-6));
  t.ok(near(fit.alphaDays, 3_000, 1e-3));
  t.ok(near(cadenceQuantileDays(0.9, 0, 0, fit), 30 * Math.LN10, 1), 'exponential, mean 30 days');
});

t.test('gaps wilder than the model give finite figures', async (t) => {
  const wild = Array.from({ length: 100 }, (_, i) => ({ gaps: 1, totalDays: i % 2 === 0 ? 1 : 100_000 }));
  const { r, alphaDays, logLikelihood } = fitCadence(wild, 50_000);
  t.ok(r > 0 && alphaDays > 0 && Number.isFinite(r) && Number.isFinite(alphaDays));
  t.ok(near(logLikelihood ?? 0, likelihood(wild, r, alphaDays), 1e-6));
});

/** Term by term, as it is written. */
function likelihood(customers: CustomerGaps[], r: number, alpha: number): number {
  let total = 0;
  for (const { gaps, totalDays } of customers) {
    if (gaps === 0) continue;
    for (let i = 0; i < gaps; i += 1) total += Math.log(r + i);
    total += r * Math.log(alpha) - (r + gaps) * Math.log(alpha + totalDays);
  }
  return total;
}
