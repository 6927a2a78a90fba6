// By hand: a few customers whose every figure can be told.

import { serialize } from 'node:v8';
import t from 'tap';
import { countStretch } from '../../../src/lifecycle/backtest/count.js';
import type { BacktestPlan } from '../../../src/lifecycle/backtest/plan.js';
import { reportOf, type SummaryReport } from '../../../src/lifecycle/backtest/report.js';
import { emptyTally, SEGMENTS_MAX, segmentsMax } from '../../../src/lifecycle/backtest/tally.js';
import type { Policy } from '../../../src/lifecycle/policy.js';
import type { History } from '../../../src/lifecycle/replay.js';
import { at, calibration, historyOf, moveAt, orderAt, ordersAt, silencePolicy } from '../samples.js';

const CUT = '2025-01-01';
const DAY_MS = 86_400_000;

type Segments = readonly (string | null)[];

function backtest(histories: readonly History[], more: Partial<BacktestPlan> = {}, segments?: Segments) {
  const plan: BacktestPlan = {
    policy: silencePolicy(10, 20),
    live: [{ version: 1, effectiveFrom: null, policy: silencePolicy(10, 40) }],
    horizonMs: 30 * DAY_MS,
    cuts: [{ at: at(CUT), calibration }],
    isSegmented: segments !== undefined,
    ...more,
  };
  const customers = histories.map((history, index) => ({ history, segment: segments?.[index] ?? null }));
  const report = reportOf({
    plan,
    tally: countStretch({ plan, tally: emptyTally(plan.cuts.length), customers }),
  });
  const [cut] = report.cuts;
  if (cut === undefined) throw new Error('a report has its cut');
  const rule = (name: string) => cut.rules.find((one) => one.rule === name);
  return { report, cut, rule };
}

const SILENT = historyOf('2024-11-01', { orders: ordersAt('2024-11-01', '2024-12-01') });
const BACK = historyOf('2024-11-01', {
  orders: [
    orderAt('a', '2024-12-05', { amountMinor: 700 }),
    orderAt('b', '2025-01-20', { amountMinor: 900 }),
  ],
});
const ACTIVE = historyOf('2024-12-20', { orders: ordersAt('2024-12-30', '2025-01-05') });
const GONE = historyOf('2024-12-20', { orders: ordersAt('2024-12-30') });
const PROSPECT = historyOf('2024-12-20');

t.test('flags are held against what came, money and delays included', async (t) => {
  const { rule, cut } = backtest([SILENT, BACK, ACTIVE, GONE, PROSPECT]);
  t.match(rule('policy'), { tp: 1, fp: 1, fn: 1, tn: 1, precision: 0.5, recall: 0.5, medianDelayDays: 20 });
  t.same(rule('policy')?.revenueAtStake, [{ currency: 'EUR', amountMinor: 700 }], 'SILENT’s was before');
  t.same(rule('policy')?.spentByFalselyFlagged, [{ currency: 'EUR', amountMinor: 900 }]);
  t.match(rule('live'), { tp: 0, fp: 0, fn: 2, tn: 2, precision: null, recall: 0, medianDelayDays: null });
  t.match(rule('silence_30'), { tp: 1, fp: 0, fn: 1, tn: 2, medianDelayDays: 30 });
  t.match(cut, { customers: 5, customersWithOrder: 4 }, 'a prospect cannot churn');
  t.match(cut.differences, {
    differ: 2,
    matrix: [
      { live: 'declining', policy: 'churned', customers: 2 },
      { live: 'new', policy: 'new', customers: 2 },
      { live: 'prospect', policy: 'prospect', customers: 1 },
    ],
  });
});

t.test('exactly at the threshold a fixed silence does not flag, and a rule does', async (t) => {
  const edge = historyOf('2024-12-01', { orders: ordersAt('2024-12-02') });
  const { rule } = backtest([edge], { policy: silencePolicy(10, 30) });
  t.match(rule('policy'), { tp: 1, fn: 0 });
  t.match(rule('silence_30'), { tp: 0, fn: 1 });
});

t.test('an order at the end of the horizon is in it, and one at the cut is known', async (t) => {
  const { rule } = backtest([
    historyOf(CUT, { orders: ordersAt('2024-12-01', '2025-01-31') }),
    historyOf(CUT, { orders: ordersAt('2024-12-01', '2025-01-31T00:00:00.001Z') }),
    historyOf(CUT, { orders: ordersAt('2024-11-01', CUT) }),
  ]);
  t.match(rule('policy'), { tp: 1, fp: 1, fn: 1, tn: 0 });
});

t.test('a prospect who was moved to churned by hand is not judged', async (t) => {
  const lost = historyOf('2024-12-01', { moves: [moveAt('m', '2024-12-05', 'churned')] });
  const { rule, cut } = backtest([lost]);
  t.match(rule('policy'), { tp: 0, fp: 0, fn: 0, tn: 0 });
  t.same(cut.stages, [{ stage: 'churned', customers: 1 }]);
  t.match(cut.followed, { flags: 0, stopped: 0 });
});

t.test('every flag is followed from its own instant on', async (t) => {
  // Flagged on 21 August and right for 30 days, on 21 October and November and wrong, on 21 December and right.
  const often = historyOf('2024-08-01', {
    orders: ordersAt('2024-08-01', '2024-10-01', '2024-11-01', '2024-12-01'),
  });
  const { cut } = backtest([often, GONE]);
  t.same(cut.followed, {
    ...{ flags: 4, trueFlags: 2, precision: 0.5, stopped: 2, caught: 1, recall: 0.5, medianDelayDays: 20 },
  });
  const churned = cut.transitions.filter(({ to }) => to === 'churned');
  t.equal(
    churned.reduce((total, { count }) => total + count, 0),
    4,
  );
  const reactivated = cut.events.find(({ type }) => type === 'customer.reactivated');
  t.same(reactivated, { type: 'customer.reactivated', count: 3, lastYear: 3 });
});

t.test('what lies more than a year back is counted, but not in the year before', async (t) => {
  const old = historyOf('2023-01-01', { orders: ordersAt('2023-01-01') });
  const { cut } = backtest([old]);
  t.same(
    cut.events.map(({ count, lastYear }) => [count, lastYear]),
    cut.events.map(({ count }) => [count, 0]),
  );
  t.ok(cut.events.length > 1);
});

t.test('the live policy is what was in force at the cut, not what came later', async (t) => {
  const later: Policy = silencePolicy(1, 2);
  const { rule } = backtest([SILENT], {
    live: [
      { version: 1, effectiveFrom: null, policy: silencePolicy(10, 25) },
      { version: 2, effectiveFrom: at('2025-01-02'), policy: later },
    ],
  });
  t.match(rule('live'), { tp: 1, medianDelayDays: 25 });
});

/** Of each segment, who it is of and the policy's true positives. */
function segmentsOf({ segments }: Pick<SummaryReport, 'segments'>) {
  return segments.map(({ segment, kind, rules }) => [segment, kind, rules[0]?.tp]);
}

t.test('segments beyond the most that are told apart are counted together', async (t) => {
  const histories = Array.from({ length: SEGMENTS_MAX + 5 }, () => SILENT);
  const names = histories.map((_, index) => `s${String(index).padStart(2, '0')}`);
  const { cut, report } = backtest([...histories, SILENT], {}, names);
  t.same(segmentsOf(cut).slice(-3), [
    [`s${SEGMENTS_MAX - 1}`, 'value', 1],
    [null, 'none', 1],
    [null, 'other', 5],
  ]);
  t.equal(cut.segments.length, SEGMENTS_MAX + 2);
  t.same(segmentsOf(report.overall), segmentsOf(cut));
});

t.test('no value is taken for those without one, nor for those beyond the most', async (t) => {
  const names = ['none', 'other', '(none)', '=none', null];
  const { cut } = backtest(
    names.map(() => SILENT),
    {},
    names,
  );
  t.same(segmentsOf(cut), [
    ['(none)', 'value', 1],
    ['=none', 'value', 1],
    ['none', 'value', 1],
    ['other', 'value', 1],
    [null, 'none', 1],
  ]);
});

t.test('the same segments are told apart at all cuts', async (t) => {
  const early = Array.from({ length: SEGMENTS_MAX }, (_, i) => `early ${String(i).padStart(2, '0')}`);
  const late = Array.from({ length: SEGMENTS_MAX }, (_, i) => `late ${String(i).padStart(2, '0')}`);
  const names = [...late, ...late, ...early];
  const before = historyOf('2024-06-01', { orders: ordersAt('2024-06-01') });
  const cuts = ['2024-09-01', CUT].map((day) => ({ at: at(day), calibration }));
  const histories = [...late, ...late].map(() => SILENT).concat(early.map(() => before));
  const { report } = backtest(histories, { cuts }, names);
  const [first, second] = report.cuts;
  t.same(segmentsOf(first as SummaryReport), [[null, 'other', SEGMENTS_MAX]]);
  const expected = late.map((name) => [name, 'value', 2]);
  t.same(segmentsOf(second as SummaryReport), [...expected, [null, 'other', SEGMENTS_MAX]]);
  t.same(segmentsOf(report.overall), [...expected, [null, 'other', 2 * SEGMENTS_MAX]], 'and adds up');
});

t.test('the more cuts, the fewer segments, so that the sums stay small', async (t) => {
  t.same([1, 8, 9, 24].map(segmentsMax), [SEGMENTS_MAX, SEGMENTS_MAX, 26, 10]);
  const names = Array.from({ length: 60 }, (_, i) => `${i}`);
  const cuts = Array.from({ length: 24 }, (_, i) => ({ at: at(CUT) - i, calibration }));
  const customers = [...names, null].map((segment) => ({ history: SILENT, segment }));
  const plan = { policy: silencePolicy(10, 20), live: [], horizonMs: DAY_MS, cuts, isSegmented: true };
  const tally = countStretch({ plan, tally: emptyTally(cuts.length), customers });
  const { length } = serialize(tally);
  t.ok(length < 12_000_000, `${length} bytes`);
});
