// Churn rules on the CDNOW holdout, against figures that were computed apart from this code, at the published
// parameters: positive is who is flagged at the cut, true who buys nothing in the 39 weeks after it.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { shrunkMeanGapDays } from '../../../src/lifecycle/models/cadence.js';
import { expectedOrders, orderProbability, probabilityAlive } from '../../../src/lifecycle/models/dropout.js';
import { fitDropout } from '../../../src/lifecycle/models/dropoutFit.js';
import { auc, brier } from '../../../src/lifecycle/models/scores.js';
import { type CutHistory, historiesUntil, readPurchases } from '../cdnow.js';

interface Bar {
  tp: number;
  fp: number;
  fn: number;
  tn: number;
  precision: number;
  recall: number;
  accuracy: number;
  auc: number;
  brier?: number;
}

/** Higher for who is likelier gone; a probability where there is a Brier score. */
interface Rule {
  flag: (one: CutHistory) => boolean;
  score: (one: CutHistory) => number;
}

const HORIZON_DAYS = 39 * 7;
const BG = { r: 0.2425945, alphaDays: 4.4136019 * 7, a: 0.7929199, b: 2.4258881 };
const MBG = { r: 0.5248, alphaDays: 6.1831 * 7, a: 0.8914, b: 1.614 };
const bars: Record<string, Bar> = JSON.parse(
  readFileSync('test/fixtures/cdnow/cdnow_sample_bars.json', 'utf8'),
);
const customers = historiesUntil(readPurchases(), '1997-09-30');
const medianGap = median(customers.flatMap((one) => one.gapsDays));

/**
 * The AUC figures of the rules by silence were computed from differences of ages in weeks, whose rounding parts
 * some of the many customers with equal silences. The scores here are formed likewise, so that all figures can
 * be asked for to their last digit; in whole days, where equal is equal, none is off by more than 0.0002.
 */
const silenceWeeks = (one: CutHistory) => one.ageDays / 7 - one.spanDays / 7;
const silenceDays = (one: CutHistory) => one.ageDays - one.spanDays;
const shrunk = (one: CutHistory) => shrunkMeanGapDays(one.repeats, one.spanDays, medianGap);
const own = (one: CutHistory) => (one.gapsDays.length === 0 ? medianGap : median(one.gapsDays));

const RULES: Record<string, Rule> = {
  'fixed>90d': { flag: (one) => silenceDays(one) > 90, score: silenceWeeks },
  'fixed>180d': { flag: (one) => silenceDays(one) > 180, score: silenceWeeks },
  'silence>3*own median gap (x=0: population median)': {
    flag: (one) => silenceDays(one) > 3 * own(one),
    score: (one) => silenceWeeks(one) / own(one),
  },
  'silence>3*shrunk mean gap n0=3 g0=pop median': {
    flag: (one) => silenceDays(one) > 3 * shrunk(one),
    score: (one) => silenceWeeks(one) / shrunk(one),
  },
  'BG P(alive)<.5': below(0.5, (one) => probabilityAlive('bg', BG, one)),
  'BG P(active39)<.5': below(0.5, (one) => orderProbability('bg', BG, one, HORIZON_DAYS)),
  'MBG P(alive)<.5': below(0.5, (one) => probabilityAlive('mbg', MBG, one)),
  'MBG P(active39)<.5': below(0.5, (one) => orderProbability('mbg', MBG, one, HORIZON_DAYS)),
  'MBG P(active39)<.25': below(0.25, (one) => orderProbability('mbg', MBG, one, HORIZON_DAYS)),
  'BG E[orders39]<.5': below(0.5, (one) => expectedOrders('bg', BG, one, HORIZON_DAYS)),
  'MBG E[orders39]<.5': below(0.5, (one) => expectedOrders('mbg', MBG, one, HORIZON_DAYS)),
};

t.equal(Object.keys(bars).length, 2 * Object.keys(RULES).length, 'every published rule is here');

for (const [name, bar] of Object.entries(bars)) {
  t.test(`${name}: the published counts and scores`, async (t) => {
    const [, group, of = ''] = /^(all|x>=1) (.*)$/.exec(name) ?? [];
    const rule = RULES[of];
    if (rule === undefined) return t.fail('no such rule');
    const people = group === 'all' ? customers : customers.filter((one) => one.repeats >= 1);
    const outcomes = people.map((one) => one.stopped);
    const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
    for (const one of people) {
      if (rule.flag(one)) counts[one.stopped ? 'tp' : 'fp'] += 1;
      else counts[one.stopped ? 'fn' : 'tn'] += 1;
    }
    const { tp, fp, fn, tn } = counts;
    t.same(counts, { tp: bar.tp, fp: bar.fp, fn: bar.fn, tn: bar.tn });
    t.equal(rounded(tp / (tp + fp)), bar.precision);
    t.equal(rounded(tp / (tp + fn)), bar.recall);
    t.equal(rounded((tp + tn) / people.length), bar.accuracy);
    const scores = people.map(rule.score);
    t.equal(rounded(auc(scores, outcomes)), bar.auc);
    if (bar.brier !== undefined) t.equal(rounded(brier(scores, outcomes)), bar.brier);
  });
}

t.test('in whole days the AUC of the rules by silence is the published one within 0.0002', async (t) => {
  for (const [group, people] of [
    ['all', customers],
    ['x>=1', customers.filter((one) => one.repeats >= 1)],
  ] as const) {
    const found = auc(
      people.map(silenceDays),
      people.map((one) => one.stopped),
    );
    t.ok(Math.abs((found ?? 0) - (bars[`${group} fixed>90d`]?.auc ?? 0)) <= 0.0002, `${found}`);
  }
});

t.test('fitted to the calibration period, P(order within 39 weeks) tells who will order', async (t) => {
  const fit = fitDropout('mbg', customers);
  const chances = customers.map((one) => orderProbability('mbg', fit, one, HORIZON_DAYS));
  const ordered = customers.map((one) => !one.stopped);
  const [area = 0, error = 1] = [auc(chances, ordered), brier(chances, ordered)];
  t.ok((area ?? 0) >= 0.755, `AUC ${area}`);
  t.ok((error ?? 1) <= 0.163, `Brier score ${error}`);
});

function below(threshold: number, of: (one: CutHistory) => number): Rule {
  return { flag: (one) => of(one) < threshold, score: (one) => 1 - of(one) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

/** To four decimals, as the figures are. */
function rounded(value: number | null): number {
  return Number((value ?? Number.NaN).toFixed(4));
}
