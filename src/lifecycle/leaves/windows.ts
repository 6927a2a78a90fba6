// Owns conditions over the last so many days, and over a drop against the customer's own earlier rate. A fact
// at t is within a window of D days until t + D × 86,400 s, and then it is not: those instants, and one more
// for a drop, are the only ones at which such a condition can change while no fact arrives.

import { DAY_MS, INSTANT_MAX, isoInstant } from '../calendar.js';
import { type Claim, claimed, denied } from '../claims.js';
import type { Condition, ConditionOf } from '../conditions.js';
import { firstAfter, interactionsOf, latestStart, purchaseDaysOf, type Series, spendOf } from '../past.js';
import {
  type ConditionEvidence,
  dueAt,
  type EvidenceUnit,
  type LeafPredicate,
  type Needs,
  rounded,
  type View,
} from '../predicate.js';
import { AN_ORDER, interactions, purchaseDays, spent } from './quantities.js';

const HISTORY: Needs = { history: true };

interface Windowed<C extends Condition & { days: number }> {
  unit: EvidenceUnit;
  bound(condition: C): { least: number; isLess: boolean };
  series(condition: C, view: View): Series;
  done(view: View): number;
  /** That there was at least so much in the window, and what follows from it. */
  claim(least: number, condition: C): Claim;
  hence?(condition: C): Claim[];
}

const ordersDone = ({ past }: View) => past.ordersDone;
const touchpointsDone = ({ past }: View) => past.touchpointsDone;

/** The policy's validation sees to it that exactly one of the two is given. */
function boundOf({ atLeast, lessThan }: { atLeast?: number; lessThan?: number }) {
  return { least: lessThan ?? atLeast ?? 1, isLess: lessThan !== undefined };
}

export const recentOrders = windowed<ConditionOf<'recentOrders'>>({
  unit: 'purchase_days',
  bound: boundOf,
  series: (_, { past, timeZone }) => purchaseDaysOf(past, timeZone),
  done: ordersDone,
  claim: (least, { days }) => purchaseDays(least, days),
});

export const recentSpend = windowed<ConditionOf<'recentSpend'>>({
  unit: 'minor_units',
  bound: ({ atLeastMinor, lessThanMinor }) =>
    boundOf({ ...given({ atLeast: atLeastMinor, lessThan: lessThanMinor }) }),
  series: ({ currency }, { past }) => spendOf(past, currency),
  done: ordersDone,
  claim: (least, { currency, days }) => spent(currency, least, days),
  hence: ({ days }) => [purchaseDays(1, days)],
});

export const recentInteractions = windowed<ConditionOf<'recentInteractions'>>({
  unit: 'interactions',
  bound: boundOf,
  series: (_, { past }) => interactionsOf(past),
  done: touchpointsDone,
  claim: (least, { days }) => interactions(least, days),
});

function given(bounds: { atLeast: number | undefined; lessThan: number | undefined }) {
  const { atLeast, lessThan } = bounds;
  return { ...(atLeast === undefined ? {} : { atLeast }), ...(lessThan === undefined ? {} : { lessThan }) };
}

/** At least `least` within the window holds until the fact that makes it enough has left it. */
function windowed<C extends Condition & { days: number }>(of: Windowed<C>): LeafPredicate<C> {
  const look = (condition: C, view: View): { enough: boolean; until: number } => {
    const { least } = of.bound(condition);
    const series = of.series(condition, view);
    const start = latestStart(series, of.done(view), least);
    const leaves = start === -1 ? Number.NEGATIVE_INFINITY : dueAt(series.times[start] ?? 0, condition.days);
    const enough = view.at < leaves;
    return { enough, until: enough ? leaves : Infinity };
  };
  return {
    needs: () => HISTORY,
    meaning(condition) {
      const { least, isLess } = of.bound(condition);
      const claim = of.claim(least, condition);
      return isLess
        ? { says: [denied(claim)] }
        : { says: [claimed(claim)], hence: of.hence?.(condition) ?? [] };
    },
    compile: (condition) => {
      const { isLess } = of.bound(condition);
      return (view) => {
        const { enough, until } = look(condition, view);
        view.holds = enough !== isLess;
        view.until = until;
      };
    },
    explain(condition, view) {
      const { least, isLess } = of.bound(condition);
      const { enough, until } = look(condition, view);
      const series = of.series(condition, view);
      const from = windowStart(series, view, condition.days, of.done(view));
      const value = series.total(from, of.done(view));
      const evidence: ConditionEvidence = {
        type: condition.type,
        holds: enough !== isLess,
        value,
        threshold: least,
        unit: of.unit,
        days: condition.days,
      };
      if ('currency' in condition) evidence.currency = condition.currency as string;
      if (isLess && until !== Infinity) evidence.at = isoInstant(until);
      return evidence;
    },
  };
}

/** The first fact of the window that ends now; those that lie exactly its length back have left it. */
function windowStart(series: Series, { at }: View, days: number, done: number): number {
  return firstAfter(series, at - Math.ceil(days * DAY_MS), done);
}

/** What the window and the time before it hold; null while that is not at least as long as the window. */
interface Comparison {
  recent: number;
  earlier: number;
  /** How long the time before the window is. */
  baseMs: number;
  windowMs: number;
  /** When the comparison can next come out otherwise. */
  until: number;
}

function compare(condition: ConditionOf<'drop'>, view: View): Comparison | null {
  const series = seriesOf(condition, view);
  const done = condition.measure === 'interactions' ? touchpointsDone(view) : ordersDone(view);
  const windowMs = Math.ceil(condition.days * DAY_MS);
  const first = firstOf(condition, series, done);
  if (first === undefined) return null;
  const start = windowStart(series, view, condition.days, done);
  const leaves = start < done ? (series.times[start] ?? Infinity) + windowMs : Infinity;
  const baseMs = view.at - windowMs - first;
  if (baseMs < windowMs) {
    const until = first + 2 * windowMs;
    return { recent: 0, earlier: 0, baseMs: 0, windowMs, until };
  }
  const recent = series.total(start, done);
  return { recent, earlier: series.total(0, start), baseMs, windowMs, until: leaves };
}

function seriesOf({ measure, currency }: ConditionOf<'drop'>, { past, timeZone }: View): Series {
  if (measure === 'interactions') return interactionsOf(past);
  return measure === 'spend' ? spendOf(past, currency ?? '') : purchaseDaysOf(past, timeZone);
}

/** When the customer's own rate begins: with the first fact that adds to it. */
function firstOf(condition: ConditionOf<'drop'>, series: Series, done: number): number | undefined {
  if (condition.measure !== 'spend') return done === 0 ? undefined : series.times[0];
  let low = 0;
  let high = done;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (series.total(0, middle + 1) > 0) high = middle;
    else low = middle + 1;
  }
  return low === done ? undefined : series.times[low];
}

/** recent/window < (1 − by) · earlier/base, put as: the base is shorter than this; Infinity where nothing is recent. */
function baseLimitMs(condition: ConditionOf<'drop'>, { recent, earlier, windowMs }: Comparison): number {
  if (earlier <= 0) return 0;
  return recent <= 0 ? Infinity : Math.ceil(((1 - condition.by) * earlier * windowMs) / recent);
}

function lookAtDrop(condition: ConditionOf<'drop'>, view: View): { holds: boolean; until: number } {
  const comparison = compare(condition, view);
  if (comparison === null) return { holds: false, until: Infinity };
  const limit = baseLimitMs(condition, comparison);
  const holds = comparison.baseMs > 0 && comparison.baseMs < limit;
  // The older the customer's beginning, the lower their earlier rate: a drop can come to its end by that alone.
  const ends = holds ? view.at + (limit - comparison.baseMs) : Infinity;
  const until = Math.min(comparison.until, ends);
  return { holds, until: until <= INSTANT_MAX ? until : Infinity };
}

export const drop: LeafPredicate<ConditionOf<'drop'>> = {
  needs: () => HISTORY,
  meaning: ({ measure, currency, days, by }) => ({
    says: [claimed({ about: `drop:${measure}:${currency}:${days}`, min: by })],
    hence: [measure === 'interactions' ? interactions(1) : AN_ORDER],
  }),
  compile: (condition) => (view) => {
    const { holds, until } = lookAtDrop(condition, view);
    view.holds = holds;
    view.until = until;
  },
  explain(condition, view) {
    const { measure, currency, days, by, type } = condition;
    const comparison = compare(condition, view);
    const { holds } = lookAtDrop(condition, view);
    const isKnown = comparison !== null && comparison.baseMs > 0;
    const usual = isKnown ? (comparison.earlier * comparison.windowMs) / comparison.baseMs : null;
    const evidence: ConditionEvidence = {
      type,
      holds,
      value: isKnown ? comparison.recent : null,
      threshold: usual === null ? null : rounded((1 - by) * usual),
      unit: 'per_window',
      days,
      measure,
    };
    if (currency !== undefined) evidence.currency = currency;
    return evidence;
  },
};
