// Owns taking facts into a walk: how far each list has been applied, and which fact comes next. Does not own what a
// fact changes of what is known (facts.ts), nor the decision that follows (walk.ts).

import {
  applyOrder,
  applyTouchpoint,
  type ManualMoveFact,
  type OrderFact,
  type ProfileChangeFact,
  type TouchpointFact,
} from './facts.js';
import type { Walk } from './walkState.js';

/** The earliest fact that has not been applied; Infinity if none is left. */
export function nextFactAt(walk: Walk): number {
  const { lists, ordersDone, touchpointsDone, movesDone } = walk;
  const order = lists.orders[ordersDone]?.at ?? Infinity;
  const touchpoint = lists.touchpoints[touchpointsDone]?.at ?? Infinity;
  const move = lists.moves[movesDone]?.at ?? Infinity;
  const fact = Math.min(order, touchpoint, move);
  // To rules that do not look at the profile its changes are no facts: they are taken along with the next one.
  if (!walk.segment.policy.needs.profile) return fact;
  return Math.min(fact, lists.changes[walk.changesDone]?.at ?? Infinity);
}

export function takeOrders(walk: Walk, at: number): OrderFact | null {
  const { orders } = walk.lists;
  let last: OrderFact | null = null;
  for (
    let order = orders[walk.ordersDone];
    order !== undefined && order.at <= at;
    order = orders[walk.ordersDone]
  ) {
    applyOrder(walk.standing.facts, order, walk.segment.policy.timeZone);
    walk.ordersDone += 1;
    last = order;
  }
  return last;
}

export function takeTouchpoints(walk: Walk, at: number): TouchpointFact | null {
  const { touchpoints } = walk.lists;
  let last: TouchpointFact | null = null;
  for (;;) {
    const touchpoint = touchpoints[walk.touchpointsDone];
    if (touchpoint === undefined || touchpoint.at > at) return last;
    applyTouchpoint(walk.standing.facts, touchpoint);
    walk.touchpointsDone += 1;
    last = touchpoint;
  }
}

/** Applies the profile's changes so far; answers the last of this instant, where the rules look at the profile. */
export function takeChanges(walk: Walk, at: number): ProfileChangeFact | null {
  const { changes } = walk.lists;
  let last: ProfileChangeFact | null = null;
  for (;;) {
    const change = changes[walk.changesDone];
    if (change === undefined || change.at > at) break;
    walk.values.set(change.field, change.value);
    walk.changesDone += 1;
    last = change;
  }
  return last !== null && last.at === at && walk.segment.policy.needs.profile ? last : null;
}

/** Moves are checked on acceptance, never here: the stage may since have left the lifecycle. */
export function takeMoves(walk: Walk, at: number): ManualMoveFact | null {
  const { moves } = walk.lists;
  let last: ManualMoveFact | null = null;
  for (;;) {
    const move = moves[walk.movesDone];
    if (move === undefined || move.at > at) return last;
    walk.movesDone += 1;
    // A hold whose date is not after its move would end as it begins: the rules decide as if it were not.
    const holds = move.holdUntil === null || move.holdUntil > at;
    // Under a lifecycle that has another stage in the place of the one that was meant, it is that one.
    const stage = walk.segment.carryOver.get(move.to) ?? move.to;
    walk.hold = holds ? { stage, since: at, until: move.holdUntil, moveId: move.id } : null;
    last = holds ? move : null;
  }
}
