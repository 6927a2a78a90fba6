// Backtests over HTTP on real purchases: the published confusion counts, and that all of a report adds up.

import t from 'tap';
import { startService } from '../helpers/service.js';
import {
  activate,
  backtestOf,
  CUT,
  countsOf,
  FIXED_POLICY,
  NOW,
  reportIn,
  ruleIn,
  sendPurchases,
} from './cdnow.js';

t.setTimeout(240_000);

const CUSTOMERS = 2_357;
const service = await startService(t, { now: NOW });
await sendPurchases(service);
const fixed = await activate(service, FIXED_POLICY);
const PUBLISHED = [
  { days: 90, counts: { tp: 1_549, fp: 397, fn: 124, tn: 287 } },
  { days: 180, counts: { tp: 1_387, fp: 249, fn: 286, tn: 435 } },
];
const AUC_OF_SILENCE = 0.7714;

t.test('a policy of fixed silences gives the published confusion counts', async (t) => {
  const backtest = await backtestOf(service, fixed);
  t.match(backtest, {
    status: 'done',
    customersDone: CUSTOMERS,
    customersTotal: CUSTOMERS,
    policyVersion: fixed,
  });
  const { overall, cuts } = reportIn(backtest);
  const [cut] = cuts;
  const policy = ruleIn(overall.rules, 'policy');
  t.same(countsOf(policy), { tp: 1_549, fp: 397, fn: 124, tn: 287 });
  t.equal(policy.medianDelayDays, 91);
  t.equal(policy.brier, null, 'no probability');
  t.equal(cut?.customers, CUSTOMERS);
  t.same(cut?.stages, [
    { stage: 'churned', customers: 1_946 },
    { stage: 'declining', customers: 160 },
    { stage: 'mature', customers: 251 },
  ]);
  t.same(countsOf(ruleIn(overall.rules, 'live')), countsOf(policy), 'it is the live one');
  t.same(cut?.differences.differ, 0);
});

t.test('the default policy gives them with the calibration that is fitted at the cut', async (t) => {
  const { overall, cuts } = reportIn(await backtestOf(service, 1));
  t.same(countsOf(ruleIn(overall.rules, 'policy')), { tp: 1_467, fp: 332, fn: 206, tn: 352 });
  const { r = 0, alphaDays = 0 } = cuts[0]?.cadence ?? {};
  t.equal(r.toFixed(2), '3.70');
  t.equal((alphaDays / 7).toFixed(1), '22.7');
  const differences = cuts[0]?.differences;
  const off = differences?.matrix.filter(({ live, policy }) => live !== policy) ?? [];
  const sum = (of: { customers: number }[]) => of.reduce((total, { customers }) => total + customers, 0);
  t.equal(sum(differences?.matrix ?? []), CUSTOMERS);
  t.equal(sum(off), differences?.differ);
  t.ok(off.length > 0, 'the live policy would have had them elsewhere');
});

t.test('fixed silences give the published counts and AUC', async (t) => {
  const { overall } = reportIn(await backtestOf(service, fixed));
  for (const { days, counts } of PUBLISHED) {
    const rule = ruleIn(overall.rules, `silence_${days}`);
    t.same(countsOf(rule), counts, `${days} days`);
    t.ok(Math.abs((rule.auc ?? 0) - AUC_OF_SILENCE) < 0.0005, `AUC ${rule.auc}`);
  }
  const policy = ruleIn(overall.rules, 'policy');
  t.ok(Math.abs((policy.auc ?? 0) - AUC_OF_SILENCE) < 0.0005, 'whose score is the silence too');
});

t.test('the transitions and events of a report are those of the ledger', async (t) => {
  const { cuts } = reportIn(await backtestOf(service, fixed));
  const [cut] = cuts;
  const into = (stage: string) => sumOf(cut?.transitions.filter(({ to }) => to === stage));
  const outOf = (stage: string) => sumOf(cut?.transitions.filter(({ from }) => from === stage));
  for (const { stage, customers } of cut?.stages ?? []) t.equal(into(stage) - outOf(stage), customers, stage);
  t.equal(sumOf(cut?.events), sumOf(cut?.transitions), 'each is one event');
  const churned = cut?.events.find(({ type }) => type === 'customer.churned');
  t.equal(churned?.count, into('churned'));
  t.equal(churned?.lastYear, churned?.count, 'all of it was in the year before');
});

t.test('the groups of the calibration table are all customers, and are told apart', async (t) => {
  const { overall } = reportIn(await backtestOf(service, 1));
  t.equal(
    overall.calibration.reduce((total, { customers }) => total + customers, 0),
    CUSTOMERS,
  );
  const observed = overall.calibration.map((row) => row.observed);
  t.ok((observed[0] ?? 1) < 0.5 && (observed.at(-1) ?? 0) > 0.7, observed.join());
});

t.test('several cuts are summed up, and segments add up to the whole', async (t) => {
  const cuts = ['1997-06-30T00:00:00.000Z', CUT];
  const { overall, cuts: parts } = reportIn(await backtestOf(service, 1, { cuts, segmentBy: 'kind' }));
  t.same(
    parts.map(({ cut }) => cut),
    cuts,
  );
  for (const name of ['policy', 'live', 'silence_90']) {
    const whole = countsOf(ruleIn(overall.rules, name));
    const summed = parts.map(({ rules }) => countsOf(ruleIn(rules, name))).reduce(added);
    t.same(summed, whole, name);
  }
  for (const { rules, segments } of parts) {
    t.same(
      segments.map(({ segment }) => segment),
      ['person'],
    );
    t.same(countsOf(ruleIn(segments[0]?.rules ?? [], 'policy')), countsOf(ruleIn(rules, 'policy')));
  }
});

t.test('the report can be had as CSV and as a picture', async (t) => {
  const { id } = await backtestOf(service, fixed, { segmentBy: 'kind' });
  const csv = await service.inject('GET', `/v1/backtests/${id}/report.csv`);
  t.match(csv.headers['content-type'], 'text/csv');
  const lines = csv.body.trimEnd().split('\r\n');
  t.match(lines[0], /^cut,segment,segmentKind,rule,tp,fp,fn,tn,precision,/);
  t.equal(
    lines.length,
    1 + 2 * 2 * 7,
    'a row for each cut (and all of them), segment (and everybody) and rule',
  );
  t.ok(lines.some((line) => line.startsWith(`${CUT},,all,policy,1549,397,124,287,`)));
  t.ok(lines.some((line) => line.startsWith('all,person,value,silence_90,1549,397,124,287,')));
  const svg = await service.inject('GET', `/v1/backtests/${id}/report.svg`);
  t.equal(svg.headers['content-type'], 'image/svg+xml');
  for (const label of ['<svg', `policy version ${fixed}`, 'this policy', 'silent for 365 days', '</svg>'])
    t.match(svg.body, label);
});

function sumOf(rows: { count: number }[] | undefined): number {
  return (rows ?? []).reduce((total, { count }) => total + count, 0);
}

function added<T extends Record<string, number>>(a: T, b: T): T {
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value + (b[name] ?? 0)])) as T;
}
