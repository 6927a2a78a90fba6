// Owns the condition over the time spent in a stage. The stage is what the rules decide, so this one looks at
// what they have decided before: at the instant that is being decided, the stage in force until then.

import { DAY_MS, isoInstant } from '../calendar.js';
import { claimed } from '../claims.js';
import type { ConditionOf } from '../conditions.js';
import { dueAt, type LeafPredicate, rounded, type View } from '../predicate.js';

type DaysInStage = ConditionOf<'daysInStage'>;

/**
 * A stay that was long enough goes on counting after the stage was left, until the next order. Without that the
 * condition would end at the very move that it causes, and the customer would be moved back at once. For the
 * same reason two stages do not exclude each other here, though a customer is in one at a time.
 */
export const daysInStage: LeafPredicate<DaysInStage> = {
  needs: () => ({ history: true }),
  meaning: ({ stage, atLeast }) => ({ says: [claimed({ about: `stay:${stage}`, min: atLeast })] }),
  compile: (condition) => (view) => {
    const due = dueOf(condition, view);
    view.holds = view.at >= due;
    view.until = view.holds ? Infinity : due;
  },
  explain(condition, view) {
    const { stage, atLeast, type } = condition;
    const { past, at } = view;
    const due = dueOf(condition, view);
    const stayedMs = past.stage === stage ? at - past.since : past.stays.get(stage);
    return {
      type,
      holds: at >= due,
      value: stayedMs === undefined ? null : rounded(stayedMs / DAY_MS),
      threshold: atLeast,
      unit: 'days',
      stage,
      ...(Number.isFinite(due) ? { at: isoInstant(due) } : {}),
    };
  },
};

/** From when on it holds: −Infinity where an earlier stay was long enough, Infinity where nothing is under way. */
function dueOf({ stage, atLeast }: DaysInStage, { past }: View): number {
  if ((past.stays.get(stage) ?? -1) >= Math.ceil(atLeast * DAY_MS)) return Number.NEGATIVE_INFINITY;
  return past.stage === stage ? dueAt(past.since, atLeast) : Infinity;
}
