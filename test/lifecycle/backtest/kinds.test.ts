// Which scores are probabilities and which are not, of the policy and of the live one.

import t from 'tap';
import { countStretch } from '../../../src/lifecycle/backtest/count.js';
import type { BacktestPlan } from '../../../src/lifecycle/backtest/plan.js';
import { type GroupReport, reportOf } from '../../../src/lifecycle/backtest/report.js';
import { emptyTally } from '../../../src/lifecycle/backtest/tally.js';
import { at, calibration, historyOf, ordersAt, policyOf, silencePolicy } from '../samples.js';

const CUT = '2025-01-01';
/** Of BTYDplus, whose time is in weeks. */
const MBG = { r: 0.5248, alphaDays: 6.1831 * 7, a: 0.8914, b: 1.614 };
const UNFITTED = { at: at('2024-12-31'), calibration };
const FITTED = { at: at(CUT), calibration: { ...calibration, mbg: MBG } };
const ASKING = policyOf([
  ['churned', { type: 'aliveProbability', model: 'mbg', below: 0.5 }],
  ['new', { type: 'orders', atLeast: 1 }],
]);
const HISTORIES = [
  historyOf('2024-11-01', { orders: ordersAt('2024-11-01', '2024-12-01') }),
  historyOf('2024-11-01', { orders: ordersAt('2024-12-05', '2025-01-20') }),
  historyOf('2024-12-20', { orders: ordersAt('2024-12-30', '2025-01-05') }),
  historyOf('2024-12-20', { orders: ordersAt('2024-12-30') }),
];

function report(more: Partial<BacktestPlan>) {
  const plan: BacktestPlan = {
    policy: ASKING,
    live: [{ version: 1, effectiveFrom: null, policy: ASKING }],
    horizonMs: 30 * 86_400_000,
    cuts: [FITTED],
    isSegmented: true,
    ...more,
  };
  const customers = HISTORIES.map((history) => ({ history, segment: 'web' }));
  return reportOf({ plan, tally: countStretch({ plan, tally: emptyTally(plan.cuts.length), customers }) });
}

function ruleOf({ rules }: GroupReport, name: string) {
  const rule = rules.find((one) => one.rule === name);
  if (rule === undefined) throw new Error(`there is no rule ${name}`);
  return rule;
}

t.test(
  'where the live policy asks a model it is judged by its probability, as the tried one is',
  async (t) => {
    const tried = report({});
    const { overall } = report({ policy: silencePolicy(10, 20) });
    t.equal(ruleOf(overall, 'policy').brier, null);
    t.type(ruleOf(overall, 'live').brier, 'number');
    for (const figure of ['brier', 'auc'] as const)
      t.equal(ruleOf(overall, 'live')[figure], ruleOf(tried.overall, 'policy')[figure], figure);
    t.same(overall.roc.live, tried.overall.roc.policy);
  },
);

t.test('what the live policy asks is what its version at the cut asks', async (t) => {
  const versions = (asksFirst: boolean, second: string) => [
    { version: 1, effectiveFrom: null, policy: asksFirst ? ASKING : silencePolicy(10, 40) },
    { version: 2, effectiveFrom: at(second), policy: asksFirst ? silencePolicy(10, 40) : ASKING },
  ];
  const brierOf = (live: BacktestPlan['live']) => ruleOf(report({ live }).overall, 'live').brier;
  t.equal(brierOf(versions(true, '2024-12-01')), null);
  t.type(brierOf(versions(false, '2024-12-01')), 'number');
  t.type(brierOf(versions(true, '2025-02-01')), 'number');
  t.equal(brierOf(versions(false, '2025-02-01')), null);
  t.equal(brierOf([]), null, 'without any, the default one');
});

t.test('scores of two kinds are not ranked together, nor held against what came', async (t) => {
  const { overall, cuts } = report({ cuts: [UNFITTED, FITTED] });
  for (const group of [overall, ...overall.segments]) {
    for (const name of ['policy', 'live']) t.match(ruleOf(group, name), { auc: null, brier: null }, name);
    t.type(ruleOf(group, 'silence_30').auc, 'number');
  }
  t.same([overall.calibration, overall.roc.policy, overall.roc.live], [[], [], []]);
  const kinds = cuts.map(({ calibration: rows }) => {
    return rows.map(({ predicted, score }) => [predicted === null, score === null]);
  });
  t.ok(kinds.every((rows) => rows.length > 0));
  t.ok(kinds[0]?.every(([isNone, isProbability]) => isNone && !isProbability));
  t.ok(kinds[1]?.every(([isNone, isProbability]) => !isNone && isProbability));
  for (const cut of cuts) t.type(ruleOf(cut, 'policy').auc, 'number');
});

t.test('those of one kind are, whatever a cut without customers would have had', async (t) => {
  const early = { at: at('2024-01-01'), calibration };
  const also = { ...UNFITTED, calibration: FITTED.calibration };
  const { overall } = report({ cuts: [early, also, FITTED] });
  t.type(ruleOf(overall, 'policy').auc, 'number');
  t.type(ruleOf(overall, 'policy').brier, 'number');
  const customers = overall.calibration.reduce((total, row) => total + row.customers, 0);
  t.equal(customers, 2 * HISTORIES.length);
  t.ok(overall.calibration.every(({ predicted }) => predicted !== null));
  t.ok(overall.roc.policy.length > 0);
});
