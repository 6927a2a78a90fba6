// Owns the table of predicates, one for each type of condition, and those that are made of others: whether a
// condition holds at an instant, and the next instant at which that may change if no fact arrives. A new type
// of condition is one schema in conditions.ts and one entry here. Does not own which rule decides (decide.ts).

import type { Calibration } from './calibration.js';
import type { Meaning } from './claims.js';
import {
  type Condition,
  type ConditionOf,
  type ConditionType,
  type LeafType,
  partsOf,
} from './conditions.js';
import type { Facts } from './facts.js';
import { categories, orders, spend } from './leaves/counts.js';
import { attribute, channel, country, satisfaction, tag } from './leaves/profile.js';
import {
  aliveProbability,
  cadenceMultiple,
  cadenceQuantile,
  interactionSilence,
  orderProbability,
  silence,
} from './leaves/silences.js';
import { daysInStage } from './leaves/stay.js';
import { drop, recentInteractions, recentOrders, recentSpend } from './leaves/windows.js';
import type { Past } from './past.js';
import {
  type ConditionEvidence,
  type LeafPredicate,
  type Look,
  type Needs,
  type Predicate,
  type View,
  viewOf,
} from './predicate.js';

export { type ConditionEvidence, type Look, type Predicate, spanDays, type View } from './predicate.js';

const NOTHING: Needs = {};

const LEAVES: { readonly [T in LeafType]: LeafPredicate<ConditionOf<T>> } = {
  orders,
  spend,
  categories,
  silence,
  interactionSilence,
  cadenceQuantile,
  cadenceMultiple,
  recentOrders,
  recentSpend,
  recentInteractions,
  drop,
  orderProbability,
  aliveProbability,
  satisfaction,
  daysInStage,
  tag,
  channel,
  country,
  attribute,
};

export const PREDICATES: { readonly [T in ConditionType]: Predicate<ConditionOf<T>> } = {
  ...LEAVES,
  all: compound<ConditionOf<'all'>>(true),
  any: compound<ConditionOf<'any'>>(false),
  not: {
    needs: () => NOTHING,
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

/** What a condition that is not made of others says. */
export function meaningOf(condition: ConditionOf<LeafType>): Meaning {
  const leaf: LeafPredicate<Condition> = LEAVES[condition.type];
  return leaf.meaning(condition);
}

export function compile(condition: Condition): Look {
  return predicateOf(condition).compile(condition);
}

export function explain(condition: Condition, view: View): ConditionEvidence {
  return predicateOf(condition).explain(condition, view);
}

export interface Evaluation {
  holds: boolean;
  until: number | null;
  because: ConditionEvidence;
}

/** One question at a time, as a value. */
export function evaluate(
  condition: Condition,
  facts: Facts,
  calibration: Calibration,
  at: number,
  past?: Past,
): Evaluation {
  const view = viewOf(facts, calibration, at, past);
  compile(condition)(view);
  const { holds, until } = view;
  return { holds, until: until === Infinity ? null : until, because: explain(condition, view) };
}

/** What a condition must be given to be decided by, in all its parts. */
export interface AllNeeds {
  calibration: ReadonlySet<'cadence' | 'bg' | 'mbg'>;
  history: boolean;
  profile: boolean;
}

export function needsOf(conditions: readonly Condition[]): AllNeeds {
  const calibration = new Set<'cadence' | 'bg' | 'mbg'>();
  let history = false;
  let profile = false;
  const visit = (condition: Condition): void => {
    const needs = predicateOf(condition).needs(condition);
    if (needs.calibration !== undefined) calibration.add(needs.calibration);
    history ||= needs.history === true;
    profile ||= needs.profile === true;
    for (const part of partsOf(condition)) visit(part);
  };
  for (const condition of conditions) visit(condition);
  return { calibration, history, profile };
}

/**
 * `all` and `any`. The earliest change of a part is taken as the compound's own: it may change nothing, and
 * whoever needs the exact instant looks again there (decide.ts does).
 */
function compound<C extends ConditionOf<'all'> | ConditionOf<'any'>>(every: boolean): Predicate<C> {
  return {
    needs: () => NOTHING,
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
