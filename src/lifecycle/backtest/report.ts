// Owns what a backtest says in the end: figures and tables, read off the tally. Does not own their sums
// (tally.ts), nor how they look outside (backtests/).

import { DAY_MS } from '../calendar.js';
import type { Cadence } from '../models/cadence.js';
import { BASELINE_DAYS, type BacktestPlan } from './plan.js';
import { aucOf, type RocPoint, rocOf, STEPS_SEGMENT, STEPS_WHOLE } from './scores.js';
import {
  type Confusion,
  type CutTally,
  type DelayCounts,
  type FlagTally,
  type FollowedTally,
  type GroupTally,
  NO_SEGMENT,
  type Recent,
  type RuleTally,
  segmentValueOf,
  sumOfFollowed,
  sumOfGroups,
  type Tally,
} from './tally.js';
import { areMixed, type CalibrationRow, calibrationOf, rocUnlessMixed } from './telling.js';

export interface Money {
  currency: string;
  amountMinor: number;
}

/** How the flags of one rule fared. Ratios are null where there is nothing to divide by. */
export interface RuleReport extends Confusion {
  rule: string;
  precision: number | null;
  recall: number | null;
  /** Null where some scores are probabilities and others are not: they cannot be ranked together. */
  auc: number | null;
  /** Where everybody has a probability. */
  brier: number | null;
  /** From the last order to the flag, of true positives, in whole days. */
  medianDelayDays: number | null;
  revenueAtStake: Money[];
  spentByFalselyFlagged: Money[];
}

export interface FollowedReport {
  flags: number;
  trueFlags: number;
  precision: number | null;
  stopped: number;
  caught: number;
  recall: number | null;
  medianDelayDays: number | null;
}

export interface GroupReport {
  /** The policy, the live one, and the fixed silences. */
  rules: RuleReport[];
}

export interface SegmentReport extends GroupReport {
  /** The value; null of customers who are not told apart by one. */
  segment: string | null;
  /** Without a value, or with one beyond those that are told apart. */
  kind: 'value' | 'none' | 'other';
}

export interface SummaryReport extends GroupReport {
  segments: SegmentReport[];
  /** Empty where the scores are of both kinds. */
  calibration: CalibrationRow[];
  followed: FollowedReport;
  roc: { policy: RocPoint[]; live: RocPoint[]; silence: RocPoint[] };
}

export interface CutReport extends SummaryReport {
  cut: string;
  customers: number;
  customersWithOrder: number;
  cadence: Cadence;
  stages: { stage: string; customers: number }[];
  liveStages: { stage: string; customers: number }[];
  transitions: { from: string | null; to: string; count: number; lastYear: number }[];
  events: { type: string; count: number; lastYear: number }[];
  differences: { differ: number; matrix: { live: string; policy: string; customers: number }[] };
}

export interface BacktestReport {
  horizonDays: number;
  /** All cuts together: a customer counts once at each. */
  overall: SummaryReport;
  cuts: CutReport[];
}

const ROC_POINTS = 60;

export function reportOf({ plan, tally }: { plan: BacktestPlan; tally: Tally }): BacktestReport {
  const names = new Set(tally.cuts.flatMap(({ segments }) => [...segments.keys()]));
  const segments = [...names].map((name) => {
    const groups = tally.cuts.flatMap((cut) => cut.segments.get(name) ?? []);
    return [name, sumOfGroups(groups, STEPS_SEGMENT)] as const;
  });
  const whole = sumOfGroups(
    tally.cuts.map((cut) => cut.whole),
    STEPS_WHOLE,
  );
  const followed = sumOfFollowed(tally.cuts.map((cut) => cut.followed));
  return {
    horizonDays: plan.horizonMs / DAY_MS,
    overall: summaryOf(whole, new Map(segments), followed),
    cuts: tally.cuts.flatMap((cut, index) => {
      const asked = plan.cuts[index];
      return asked === undefined ? [] : [cutOf(cut, asked)];
    }),
  };
}

function cutOf(tally: CutTally, { at, calibration }: BacktestPlan['cuts'][number]): CutReport {
  const { r, alphaDays, medianGapDays } = calibration.cadence;
  return {
    cut: new Date(at).toISOString(),
    customers: tally.customers,
    customersWithOrder: tally.withOrder,
    cadence: { r, alphaDays, medianGapDays },
    stages: stagesOf(tally.stages),
    liveStages: stagesOf(tally.liveStages),
    transitions: byCount(tally.transitions).map(([key, [count, lastYear]]) => {
      const [from, to] = pair(key);
      return { from: from === '' ? null : from, to, count, lastYear };
    }),
    events: byCount(tally.events).map(([type, [count, lastYear]]) => ({ type, count, lastYear })),
    differences: {
      differ: tally.differ,
      matrix: byKey(tally.matrix).map(([key, customers]) => {
        const [live, policy] = pair(key);
        return { live, policy, customers };
      }),
    },
    ...summaryOf(tally.whole, tally.segments, tally.followed),
  };
}

function summaryOf(
  whole: GroupTally,
  segments: ReadonlyMap<string, GroupTally>,
  followed: FollowedTally,
): SummaryReport {
  return {
    rules: rulesOf(whole),
    segments: byKey(segments).map(([key, group]) => {
      const segment = segmentValueOf(key);
      const kind = segment !== null ? 'value' : key === NO_SEGMENT ? 'none' : 'other';
      return { segment, kind, rules: rulesOf(group) };
    }),
    calibration: calibrationOf(whole.policy),
    followed: followedOf(followed),
    roc: {
      policy: rocUnlessMixed(whole.policy, ROC_POINTS),
      live: rocUnlessMixed(whole.live, ROC_POINTS),
      silence: rocOf(whole.silence, ROC_POINTS),
    },
  };
}

function rulesOf({ policy, live, silence, baselines }: GroupTally): RuleReport[] {
  const auc = aucOf(silence);
  return [
    ruleOf('policy', policy),
    ruleOf('live', live),
    ...baselines.map((flags, index) => {
      const days = BASELINE_DAYS[index] ?? 0;
      // It flags on the day itself.
      const medianDelayDays = flags.tp === 0 ? null : days;
      return { ...flagsOf(`silence_${days}`, flags), auc, brier: null, medianDelayDays };
    }),
  ];
}

function ruleOf(name: string, rule: RuleTally): RuleReport {
  return {
    ...flagsOf(name, rule),
    auc: areMixed(rule) ? null : aucOf(rule.scores),
    brier: areMixed(rule) ? null : ratio(rule.squaredError, rule.probabilities),
    medianDelayDays: medianOf(rule.delays),
  };
}

function flagsOf(rule: string, { tp, fp, fn, tn, atStake, spentAfter }: FlagTally) {
  const rates = { precision: ratio(tp, tp + fp), recall: ratio(tp, tp + fn) };
  const revenue = { revenueAtStake: moneyOf(atStake), spentByFalselyFlagged: moneyOf(spentAfter) };
  return { rule, tp, fp, fn, tn, ...rates, ...revenue };
}

function followedOf({ flags, truths, stopped, caught, delays }: FollowedTally): FollowedReport {
  return {
    ...{ flags, trueFlags: truths, precision: ratio(truths, flags) },
    ...{ stopped, caught, recall: ratio(caught, stopped) },
    medianDelayDays: medianOf(delays),
  };
}

/** The lower median of what is counted by days; null of nothing. */
function medianOf(delays: DelayCounts): number | null {
  const total = [...delays.values()].reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const median = [...delays]
    .sort(([a], [b]) => a - b)
    .find(([, count]) => {
      seen += count;
      return seen * 2 >= total;
    });
  return median?.[0] ?? null;
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function moneyOf(sums: Map<string, number>): Money[] {
  return byKey(sums).map(([currency, amountMinor]) => ({ currency, amountMinor }));
}

function stagesOf(counts: Map<string, number>) {
  return byKey(counts).map(([stage, customers]) => ({ stage, customers }));
}

function pair(key: string): [string, string] {
  const [first = '', second = ''] = key.split('→');
  return [first, second];
}

function byKey<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function byCount(map: Map<string, Recent>): [string, Recent][] {
  return byKey(map).sort(([, [a]], [, [b]]) => b - a);
}
