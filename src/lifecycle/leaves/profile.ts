// Owns conditions over the profile's dated values (tags, channel, country, attributes) and over what customers
// have answered. Does not own which values there are (customers/).

import { isoInstant } from '../calendar.js';
import { claimed, denied, type Literal } from '../claims.js';
import type { Condition, ConditionOf } from '../conditions.js';
import { type ConditionEvidence, dueAt, type LeafPredicate, type Needs, type View } from '../predicate.js';
import { interactions } from './quantities.js';

const PROFILE: Needs = { history: true, profile: true };

interface Profiled<C extends Condition> {
  field(condition: C): string;
  holds(condition: C, value: unknown): boolean;
  says(condition: C): Literal;
  wanted(condition: C): unknown;
}

export const tag = profiled<ConditionOf<'tag'>>({
  field: (condition) => `tag:${condition.tag}`,
  holds: (_, value) => value === true,
  says: (condition) => claimed({ about: `tag:${condition.tag}` }),
  wanted: () => true,
});

export const channel = profiled<ConditionOf<'channel'>>({
  field: () => 'channel',
  holds: (condition, value) => typeof value === 'string' && condition.in.includes(value),
  says: (condition) => claimed({ about: 'channel', among: new Set(condition.in), isSingle: true }),
  wanted: (condition) => condition.in,
});

export const country = profiled<ConditionOf<'country'>>({
  field: () => 'country',
  holds: (condition, value) => typeof value === 'string' && condition.in.includes(value),
  says: (condition) => claimed({ about: 'country', among: new Set(condition.in), isSingle: true }),
  wanted: (condition) => condition.in,
});

export const attribute = profiled<ConditionOf<'attribute'>>({
  field: ({ key }) => `attributes.${key}`,
  holds(condition, value) {
    const { atLeast, atMost, exists } = condition;
    if (exists !== undefined) return (value != null) === exists;
    if (condition.in !== undefined) {
      const values: unknown[] = Array.isArray(value) ? value : [value];
      return values.some((one) => (condition.in as unknown[]).includes(one));
    }
    if (typeof value !== 'number') return false;
    return (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
  },
  /** A list has several values at once. Bounds ask for a number, which is none: they leave no other value. */
  says({ key, in: values, atLeast, atMost, exists }) {
    const about = `attributes.${key}`;
    if (exists !== undefined) return exists ? claimed({ about }) : denied({ about });
    if (values !== undefined) return claimed({ about, among: new Set<unknown>(values) });
    return claimed({ about, min: atLeast ?? -Infinity, max: atMost ?? Infinity, isSingle: true });
  },
  wanted({ in: values, atLeast, atMost, exists }) {
    if (exists !== undefined) return { exists };
    return (
      values ?? { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }) }
    );
  },
});

/** Only a change of the profile changes it. */
function profiled<C extends Condition>(of: Profiled<C>): LeafPredicate<C> {
  return {
    needs: () => PROFILE,
    meaning: (condition) => ({ says: [of.says(condition)] }),
    compile(condition) {
      const field = of.field(condition);
      return (view) => {
        view.holds = of.holds(condition, view.past.values.get(field));
        view.until = Infinity;
      };
    },
    explain(condition, { past }) {
      const field = of.field(condition);
      const found = past.values.get(field) ?? null;
      return {
        type: condition.type,
        holds: of.holds(condition, found),
        field,
        found,
        wanted: of.wanted(condition),
      };
    },
  };
}

export const satisfaction: LeafPredicate<ConditionOf<'satisfaction'>> = {
  needs: () => ({}),
  /** There is one last answer on a scale, however far back is looked; and to answer is an interaction. */
  meaning({ scale, atLeast, atMost, withinDays }) {
    const about = `satisfaction:${scale}`;
    const [min, max] = [atLeast ?? -Infinity, atMost ?? Infinity];
    return {
      says: [claimed({ about, min, max, isSingle: true, window: withinDays ?? Infinity })],
      hence: [interactions(1, withinDays)],
    };
  },
  compile: (condition) => (view) => {
    const { holds, until } = lookAtAnswer(condition, view);
    view.holds = holds;
    view.until = until;
  },
  explain(condition, view) {
    const { scale, atLeast, atMost, withinDays, type } = condition;
    const { holds, until } = lookAtAnswer(condition, view);
    const value = view.facts.satisfaction?.[scale]?.score ?? null;
    const threshold = atLeast ?? atMost ?? null;
    const evidence: ConditionEvidence = { type, holds, value, threshold, unit: 'score', scale };
    if (withinDays !== undefined) evidence.withinDays = withinDays;
    if (holds && until !== Infinity) evidence.at = isoInstant(until);
    return evidence;
  },
};

function lookAtAnswer(condition: ConditionOf<'satisfaction'>, view: View): { holds: boolean; until: number } {
  const { scale, atLeast, atMost, withinDays } = condition;
  const answer = view.facts.satisfaction?.[scale];
  if (answer === undefined) return { holds: false, until: Infinity };
  const isWithin =
    (atLeast === undefined || answer.score >= atLeast) && (atMost === undefined || answer.score <= atMost);
  const expires = withinDays === undefined ? Infinity : dueAt(answer.at, withinDays);
  const holds = isWithin && view.at < expires;
  return { holds, until: holds ? expires : Infinity };
}
