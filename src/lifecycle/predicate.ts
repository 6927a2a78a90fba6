// Owns what a predicate is: the question that it is asked, and the shape of its answer and of its reasons.
// Does not own any particular condition (leaves/, predicates.ts).

import { DAY_MS, INSTANT_MAX } from './calendar.js';
import type { Calibration } from './calibration.js';
import type { Meaning } from './claims.js';
import type { Condition, ConditionType } from './conditions.js';
import type { Facts } from './facts.js';
import { NO_PAST, type Past } from './past.js';

/**
 * What a condition is asked about, and its last answer. The answer is written into the question, because a
 * replay asks millions of times and an object for each answer costs more than the answer.
 */
export interface View {
  facts: Facts;
  calibration: Calibration;
  timeZone: string;
  /** The facts one by one; whole only in a replay, so only rules that say they need it may ask. */
  readonly past: Past;
  at: number;
  holds: boolean;
  /** The next instant after `at` at which `holds` may change if no fact arrives; Infinity for never. */
  until: number;
}

export type EvidenceUnit =
  | 'purchase_days'
  | 'categories'
  | 'days'
  | 'minor_units'
  | 'interactions'
  | 'probability'
  | 'score'
  | 'per_window';

/** Why a condition holds or does not, as it is stored with a transition. Plain JSON. */
export interface ConditionEvidence {
  type: ConditionType;
  holds: boolean;
  /** What was measured, in `unit`; null where there is nothing to measure (no order yet). */
  value?: number | null;
  threshold?: number | null;
  unit?: EvidenceUnit;
  /** The policy's own figures where the threshold is computed from them, or the value depends on them. */
  q?: number;
  multiple?: number;
  days?: number;
  withinDays?: number;
  currency?: string;
  measure?: string;
  scale?: string;
  model?: string;
  stage?: string;
  /** The field of the profile that was looked at, and what it held. */
  field?: string;
  found?: unknown;
  wanted?: unknown;
  /** When the condition began or will begin to hold, if no fact arrives. */
  at?: string;
  of?: ConditionEvidence[];
}

/** A condition made ready: answers for `view.at` in `view.holds` and `view.until`. */
export type Look = (view: View) => void;

/** What a rule must be given to be decided by. */
export interface Needs {
  /** The tenant's calibration; of the dropout models, which. */
  calibration?: 'cadence' | 'bg' | 'mbg';
  /** Every single fact, not only their sum: such a rule is decided by replay. */
  history?: true;
  /** Dated values of the profile. */
  profile?: true;
}

export interface Predicate<C extends Condition> {
  needs(condition: C): Needs;
  /** Takes the condition apart once for a policy, so that nothing of that is left to do at each instant. */
  compile(condition: C): Look;
  /** The answer for `view.at` with its reasons. Only reads the view. */
  explain(condition: C, view: View): ConditionEvidence;
}

/** A condition that is not made of others. */
export interface LeafPredicate<C extends Condition> extends Predicate<C> {
  /** What it says, for conditions to be compared without a customer. */
  meaning(condition: C): Meaning;
}

export function viewOf(facts: Facts, calibration: Calibration, at: number, past: Past = NO_PAST): View {
  return { facts, calibration, timeZone: 'UTC', past, at, holds: false, until: Infinity };
}

/** From the first purchase day to the last: t_x, the sum of the customer's completed gaps. */
export function spanDays(firstDay: number | null, lastDay: number | null): number {
  return firstDay === null || lastDay === null ? 0 : lastDay - firstDay;
}

/** Due times round up to the millisecond; one that no calendar can write never comes. */
export function dueAt(since: number, days: number): number {
  const due = since + Math.ceil(days * DAY_MS);
  return due <= INSTANT_MAX ? due : Infinity;
}

/** Evidence is read by people: four decimals of a day are nine seconds, and due times are exact beside it. */
export function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
