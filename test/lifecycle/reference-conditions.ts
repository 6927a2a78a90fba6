// What each condition means, worked out anew from the bare facts at one instant, and when it could be something
// else. Written from the rules and not from the code under test; formulas of models are taken as given.

import type { Calibration } from '../../src/lifecycle/calibration.js';
import type { Condition, ConditionOf } from '../../src/lifecycle/conditions.js';
import { cadenceQuantileDays, shrunkMeanGapDays } from '../../src/lifecycle/models/cadence.js';
import { aliveUntilAgeDays, orderProbabilityUntilAgeDays } from '../../src/lifecycle/models/dropout.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { History } from '../../src/lifecycle/replay.js';

export const DAY = 86_400_000;
/** No calendar of four-digit years can write a later one. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** What is known at an instant: only facts at or before it, and the stages decided before it. */
export interface Known {
  history: History;
  policy: Policy;
  calibration: Calibration;
  stage: string | null;
  since: number;
  /** Stages that were left. */
  stays: { stage: string; from: number; to: number }[];
}

export function holds(condition: Condition, known: Known, at: number): boolean {
  const { history } = known;
  switch (condition.type) {
    case 'all':
      return condition.of.every((part) => holds(part, known, at));
    case 'any':
      return condition.of.some((part) => holds(part, known, at));
    case 'not':
      return !holds(condition.of, known, at);
    case 'orders':
      return daysOf(history.orders, known.policy).size >= condition.atLeast;
    case 'categories':
      return new Set(history.orders.flatMap((order) => order.categories)).size >= condition.atLeast;
    case 'spend':
      return spent(history.orders, condition.currency) >= condition.atLeastMinor;
    case 'recentOrders':
      return within(daysOf(since(history.orders, at, condition.days), known.policy).size, condition);
    case 'recentSpend': {
      const { atLeastMinor, lessThanMinor } = condition;
      const sum = spent(since(history.orders, at, condition.days), condition.currency);
      return lessThanMinor === undefined ? sum >= (atLeastMinor ?? 0) : sum < lessThanMinor;
    }
    case 'recentInteractions':
      return within(since(history.touchpoints, at, condition.days).length, condition);
    case 'drop':
      return at - Math.ceil(condition.days * DAY) < dropEnds(condition, known, at);
    case 'satisfaction':
      return answers(condition, history, at);
    case 'daysInStage':
      return hasStayed(condition, known, at);
    case 'tag':
      return valueAt(history, `tag:${condition.tag}`, at) === true;
    case 'channel':
    case 'country':
      return condition.in.includes(valueAt(history, condition.type, at) as string);
    case 'attribute':
      return attributeHolds(condition, valueAt(history, `attributes.${condition.key}`, at));
    default: {
      const due = silenceDue(condition, known);
      return due !== undefined && at >= due;
    }
  }
}

/** Instants at which the condition could change after one of the facts that are known; more than enough of them. */
export function changesOf(condition: Condition, known: Known, at: number): number[] {
  const { history } = known;
  const due = silenceDue(condition, known);
  const instants = due === undefined ? [] : [due];
  if (condition.type === 'drop')
    instants.push(dropEnds(condition, known, at) + Math.ceil(condition.days * DAY));
  if ('days' in condition) {
    for (const fact of [...history.orders, ...history.touchpoints]) {
      for (const times of [1, 2]) instants.push(fact.at + times * Math.ceil(condition.days * DAY));
    }
  }
  if (condition.type === 'satisfaction') {
    for (const fact of history.touchpoints)
      instants.push(fact.at + Math.ceil((condition.withinDays ?? 0) * DAY));
  }
  if (condition.type === 'daysInStage') instants.push(known.since + condition.atLeast * DAY);
  return instants.filter((instant) => Number.isSafeInteger(instant));
}

/** The value that the profile held; what it said when it was made was so from the beginning. */
export function valueAt({ changes, createdAt }: History, field: string, at: number): unknown {
  const past = changes.filter((change) => change.field === field && change.at <= Math.max(at, createdAt));
  return past.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).at(-1)?.value;
}

function within(count: number, { atLeast, lessThan }: { atLeast?: number; lessThan?: number }): boolean {
  return lessThan === undefined ? count >= (atLeast ?? 0) : count < lessThan;
}

function since<Fact extends { at: number }>(facts: readonly Fact[], at: number, days: number): Fact[] {
  return facts.filter((fact) => at < fact.at + Math.ceil(days * DAY));
}

function spent(orders: History['orders'], currency: string): number {
  return orders
    .filter((order) => order.currency === currency)
    .reduce((sum, order) => sum + order.amountMinor, 0);
}

function answers(
  { scale, atLeast, atMost, withinDays }: ConditionOf<'satisfaction'>,
  history: History,
  at: number,
) {
  const last = [...history.touchpoints]
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .filter(({ satisfaction }) => satisfaction?.scale === scale)
    .at(-1);
  if (last?.satisfaction == null) return false;
  if (withinDays !== undefined && at >= last.at + Math.ceil(withinDays * DAY)) return false;
  return last.satisfaction.score >= (atLeast ?? -1) && last.satisfaction.score <= (atMost ?? 99);
}

function attributeHolds(
  { in: values, atLeast, atMost, exists }: ConditionOf<'attribute'>,
  value: unknown,
): boolean {
  if (exists !== undefined) return exists === (value !== undefined && value !== null);
  if (values !== undefined)
    return (Array.isArray(value) ? value : [value]).some((one) => values.includes(one));
  return typeof value === 'number' && value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

function hasStayed({ stage, atLeast }: ConditionOf<'daysInStage'>, known: Known, at: number): boolean {
  if (known.stage === stage && at - known.since >= atLeast * DAY) return true;
  const lastOrder = Math.max(-Infinity, ...known.history.orders.map((order) => order.at));
  return known.stays.some(
    (stay) => stay.stage === stage && stay.to >= lastOrder && stay.to - stay.from >= atLeast * DAY,
  );
}

/** Until when the beginning of the window may lie with the drop still one; −Infinity where there is none. */
function dropEnds(condition: ConditionOf<'drop'>, { history, policy }: Known, at: number): number {
  const { measure, currency, by } = condition;
  const windowMs = Math.ceil(condition.days * DAY);
  const facts = measure === 'interactions' ? history.touchpoints : history.orders;
  const size = (some: readonly { at: number }[]) => {
    if (measure === 'interactions') return some.length;
    const orders = some as History['orders'];
    return measure === 'spend' ? spent(orders, currency ?? '') : daysOf(orders, policy).size;
  };
  const adding = facts.filter((fact) => size([fact]) > 0);
  const first = Math.min(...adding.map((fact) => fact.at));
  const base = at - windowMs - first;
  if (adding.length === 0 || base < windowMs) return -Infinity;
  const earlier = size(facts.filter((fact) => at >= fact.at + windowMs));
  const recent = size(facts.filter((fact) => at < fact.at + windowMs));
  if (earlier === 0) return -Infinity;
  return recent === 0 ? Infinity : first + Math.ceil(((1 - by) * earlier * windowMs) / recent);
}

function silenceDue(condition: Condition, known: Known): number | undefined {
  const { orders, touchpoints } = known.history;
  if (condition.type === 'interactionSilence') {
    if (touchpoints.length === 0) return undefined;
    return Math.max(...touchpoints.map((fact) => fact.at)) + Math.ceil(condition.days * DAY);
  }
  if (orders.length === 0) return undefined;
  const days = silenceDays(condition, known);
  if (days === undefined || days === Infinity) return undefined;
  const due = Math.max(...orders.map((order) => order.at)) + Math.ceil(days * DAY);
  return due <= LAST_INSTANT ? due : undefined;
}

function silenceDays(condition: Condition, known: Known): number | undefined {
  const { cadence } = known.calibration;
  const days = [...daysOf(known.history.orders, known.policy)].sort();
  const spanDays = (Date.parse(days.at(-1) ?? '') - Date.parse(days[0] ?? '')) / DAY;
  const repeats = days.length - 1;
  switch (condition.type) {
    case 'silence':
      return condition.days;
    case 'cadenceQuantile':
      return cadenceQuantileDays(condition.q, repeats, spanDays, cadence);
    case 'cadenceMultiple':
      return condition.multiple * shrunkMeanGapDays(repeats, spanDays, cadence.medianGapDays);
    case 'aliveProbability': {
      const fit = known.calibration[condition.model];
      if (fit === null) return undefined;
      const age = aliveUntilAgeDays(condition.model, fit, { repeats, spanDays }, condition.below);
      return Math.max(0, age - spanDays);
    }
    case 'orderProbability': {
      const { model, withinDays, below } = condition;
      const fit = known.calibration[model];
      if (fit === null) return undefined;
      const age = orderProbabilityUntilAgeDays(model, fit, { repeats, spanDays }, withinDays, below);
      return Math.max(0, age - spanDays);
    }
    default:
      return undefined;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local dates as text, by Intl alone: no arithmetic on offsets. */
function daysOf(orders: History['orders'], { timeZone }: Policy): Set<string> {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-CA', { timeZone });
  formats.set(timeZone, format);
  return new Set(orders.map((order) => format.format(order.at)));
}
