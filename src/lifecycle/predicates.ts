// Owns what each condition means over time: whether it holds at an instant, and the next instant at which
// that changes if no fact arrives. A new type of condition is one schema in conditions.ts and one entry here.
// Does not own which rule decides (decide.ts).

import { DAY_MS, INSTANT_MAX, isoInstant } from './calendar.js';
import type { Calibration } from './calibration.js';
import { type Condition, type ConditionOf, type ConditionType, partsOf } from './conditions.js';
import type { Facts } from './facts.js';
import { logTail, shrunkMeanGapDays, tailQuantileDays } from './models/cadence.js';

/**
 * What a condition is asked about, and its last answer. The answer is written into the question, because a
 * replay asks millions of times and an object for each answer costs more than the answer.
 */
export interface View {
  facts: Facts;
  calibration: Calibration;
  at: number;
  holds: boolean;
  /** The next instant after `at` at which `holds` changes if no fact arrives; Infinity for never. */
  until: number;
}

/** Why a condition holds or does not, as it is stored with a transition. Plain JSON. */
export interface ConditionEvidence {
  type: ConditionType;
  holds: boolean;
  /** What was measured, in `unit`; null where there is nothing to measure (no order yet). */
  value?: number | null;
  threshold?: number | null;
  unit?: 'purchase_days' | 'categories' | 'days';
  /** The policy's own figure where the threshold is computed from it. */
  q?: number;
  multiple?: number;
  /** When the condition began or will begin to hold, if no fact arrives. */
  at?: string;
  of?: ConditionEvidence[];
}

export interface Evaluation {
  holds: boolean;
  until: number | null;
  because: ConditionEvidence;
}

/** A condition made ready: answers for `view.at` in `view.holds` and `view.until`. */
export type Look = (view: View) => void;

export interface Predicate<C extends Condition> {
  /** Whether the answer depends on the tenant's calibration. */
  readonly usesCalibration: boolean;
  /** Whether it can hold only for a customer with an order. */
  readonly needsOrder: boolean;
  /** The figure that it compares with, where holding at a larger one implies holding at a smaller one. */
  threshold?(condition: C): number;
  /** Takes the condition apart once for a policy, so that nothing of that is left to do at each instant. */
  compile(condition: C): Look;
  /** The answer for `view.at` with its reasons. Only reads the view. */
  explain(condition: C, view: View): ConditionEvidence;
}

export const PREDICATES: { readonly [T in ConditionType]: Predicate<ConditionOf<T>> } = {
  orders: counted('purchase_days', ({ purchaseDays }) => purchaseDays),
  categories: counted('categories', ({ categories }) => categories.length),
  silence: silent<ConditionOf<'silence'>>({
    usesCalibration: false,
    threshold: (condition) => condition.days,
    dueDays: (condition) => () => condition.days,
    quote: () => undefined,
  }),
  cadenceQuantile: silent<ConditionOf<'cadenceQuantile'>>({
    usesCalibration: true,
    threshold: (condition) => condition.q,
    dueDays({ q }) {
      const tail = logTail(q);
      return ({ purchaseDays, firstDay, lastDay }, { cadence }) =>
        tailQuantileDays(tail, purchaseDays - 1, spanDays(firstDay, lastDay), cadence);
    },
    quote(condition, evidence) {
      evidence.q = condition.q;
    },
  }),
  cadenceMultiple: silent<ConditionOf<'cadenceMultiple'>>({
    usesCalibration: true,
    threshold: (condition) => condition.multiple,
    dueDays({ multiple }) {
      return ({ purchaseDays, firstDay, lastDay }, { cadence }) =>
        multiple * shrunkMeanGapDays(purchaseDays - 1, spanDays(firstDay, lastDay), cadence.medianGapDays);
    },
    quote(condition, evidence) {
      evidence.multiple = condition.multiple;
    },
  }),
  all: compound<ConditionOf<'all'>>(true),
  any: compound<ConditionOf<'any'>>(false),
  not: {
    usesCalibration: false,
    needsOrder: false,
    compile(condition) {
      const look = compile(condition.of);
      return (view) => {
        look(view);
        view.holds = !view.holds;
      };
    },
    explain(condition, view) {
      const part = explain(condition.of, view);
      return { type: 'not', holds: !part.holds, of: [part] };
    },
  },
};

/** The predicate of a condition, whichever its type. */
export function predicateOf(condition: Condition): Predicate<Condition> {
  return PREDICATES[condition.type];
}

export function compile(condition: Condition): Look {
  return predicateOf(condition).compile(condition);
}

export function explain(condition: Condition, view: View): ConditionEvidence {
  return predicateOf(condition).explain(condition, view);
}

/** One question at a time, as a value. */
export function evaluate(
  condition: Condition,
  facts: Facts,
  calibration: Calibration,
  at: number,
): Evaluation {
  const view: View = { facts, calibration, at, holds: false, until: Infinity };
  compile(condition)(view);
  const { holds, until } = view;
  return { holds, until: until === Infinity ? null : until, because: explain(condition, view) };
}

/** Whether the answer depends on the tenant's calibration, in any part. */
export function readsCalibration(condition: Condition): boolean {
  return predicateOf(condition).usesCalibration || partsOf(condition).some(readsCalibration);
}

/** From the first purchase day to the last: t_x, the sum of the customer's completed gaps. */
export function spanDays(firstDay: number | null, lastDay: number | null): number {
  return firstDay === null || lastDay === null ? 0 : lastDay - firstDay;
}

/** Evidence is read by people: four decimals of a day are nine seconds, and due times are exact beside it. */
function roundDays(days: number): number {
  return Math.round(days * 10_000) / 10_000;
}

/** A count of facts compared with a threshold: nothing but a fact can change it. */
function counted<C extends Condition & { atLeast: number }>(
  unit: 'purchase_days' | 'categories',
  count: (facts: Facts) => number,
): Predicate<C> {
  return {
    usesCalibration: false,
    needsOrder: true,
    threshold: (condition) => condition.atLeast,
    compile({ atLeast }) {
      return (view) => {
        view.holds = count(view.facts) >= atLeast;
        view.until = Infinity;
      };
    },
    explain(condition, view) {
      const value = count(view.facts);
      const threshold = condition.atLeast;
      return { type: condition.type, holds: value >= threshold, value, threshold, unit };
    },
  };
}

interface Silence<C extends Condition> {
  usesCalibration: boolean;
  threshold(condition: C): number;
  /** Gives the silence from which on the condition holds; asked only where there is an order. */
  dueDays(condition: C): (facts: Facts, calibration: Calibration) => number;
  /** Writes down the policy's own figure, where the threshold is computed from it. */
  quote(condition: C, evidence: ConditionEvidence): void;
}

/** A silence compared with a threshold: it begins to hold once, and only an order ends that. */
function silent<C extends Condition>({
  usesCalibration,
  threshold,
  dueDays,
  quote,
}: Silence<C>): Predicate<C> {
  return {
    usesCalibration,
    needsOrder: true,
    threshold,
    compile(condition) {
      const days = dueDays(condition);
      return (view) => {
        const { lastOrderAt } = view.facts;
        const due = lastOrderAt === null ? Infinity : dueAt(lastOrderAt, days(view.facts, view.calibration));
        view.holds = view.at >= due;
        view.until = view.holds ? Infinity : due;
      };
    },
    explain(condition, { facts, calibration, at }) {
      const { type } = condition;
      const evidence: ConditionEvidence = { type, holds: false, value: null, threshold: null, unit: 'days' };
      quote(condition, evidence);
      if (facts.lastOrderAt === null) return evidence;
      const days = dueDays(condition)(facts, calibration);
      const due = dueAt(facts.lastOrderAt, days);
      evidence.holds = at >= due;
      evidence.value = roundDays((at - facts.lastOrderAt) / DAY_MS);
      if (due === Infinity) return evidence;
      evidence.threshold = roundDays(days);
      evidence.at = isoInstant(due);
      return evidence;
    },
  };
}

/** Due times round up to the millisecond; one that no calendar can write never comes. */
function dueAt(lastOrderAt: number, days: number): number {
  const due = lastOrderAt + Math.ceil(days * DAY_MS);
  return due <= INSTANT_MAX ? due : Infinity;
}

/**
 * `all` and `any`. The earliest change of a part is taken as the compound's own: it may change nothing, and
 * whoever needs the exact instant looks again there (decide.ts does).
 */
function compound<C extends ConditionOf<'all'> | ConditionOf<'any'>>(every: boolean): Predicate<C> {
  return {
    usesCalibration: false,
    needsOrder: false,
    compile(condition) {
      const looks = condition.of.map(compile);
      return (view) => {
        let holds = every;
        let until = Infinity;
        for (const look of looks) {
          look(view);
          if (view.holds !== every) holds = !every;
          if (view.until < until) until = view.until;
        }
        view.holds = holds;
        view.until = until;
      };
    },
    explain({ type, of }, view) {
      const parts = of.map((part) => explain(part, view));
      const holds = every ? parts.every((part) => part.holds) : parts.some((part) => part.holds);
      return { type, holds, of: parts };
    },
  };
}
