// Owns the walk through time: each instant at which something happens is applied and decided once, in order.
// A replay walks from the beginning, an advance from a stored state; it is the same walk. Does not own which
// of the two is right (replay.ts), where the facts come from, nor what is stored.

import { causeIdOf, causeOf, type Happened } from './cause.js';
import {
  createStanding,
  type Evidence,
  explainStage,
  type Hold,
  judge,
  nextChange,
  type Standing,
  stageOf,
} from './decide.js';
import {
  applyOrder,
  applyTouchpoint,
  type FactLists,
  type Facts,
  type ManualMoveFact,
  type OrderFact,
  type ProfileChangeFact,
  recountDays,
  type TouchpointFact,
} from './facts.js';
import type { Past, Series } from './past.js';
import { type CompiledTimeline, type Segment, segmentIndexAt } from './timeline.js';
import type { Transition } from './transition.js';

/** What an advance can go on from. Plain JSON: it is stored with the customer. */
export interface CustomerState {
  /** The last instant at which anything was applied or decided: creation, fact, activation, hold's end, change. */
  at: number;
  stage: string;
  /** When the stage was entered. */
  since: number;
  facts: Facts;
  hold: Hold | null;
  /** The versions in force at `at`. */
  policyVersion: number;
  calibrationVersion: number;
}

export interface Advance {
  state: CustomerState;
  /** Oldest first; of an advance, only those after the state that it went on from. */
  transitions: Transition[];
  /** The first instant after the one reached at which the stage changes if no fact arrives; null for never. */
  reviewAt: number | null;
  /** What happens there. */
  next: { at: number; stage: string; because: Evidence } | null;
  /** The earliest given fact that lies after the instant reached, and so has not been applied. */
  nextFactAt: number | null;
}

/** A walk under way, which is the past of what it decides next. All that it changes is its own. */
export interface Walk extends Past {
  readonly timeline: CompiledTimeline;
  /** How much of each list has been applied. */
  ordersDone: number;
  touchpointsDone: number;
  movesDone: number;
  changesDone: number;
  readonly values: Map<string, unknown>;
  readonly stays: Map<string, number>;
  /** Whether the orders given are all there ever were, so that their days can be counted anew. */
  readonly isWhole: boolean;
  segmentIndex: number;
  segment: Segment;
  standing: Standing;
  at: number;
  stage: string | null;
  since: number;
  hold: Hold | null;
  readonly transitions: Transition[];
}

export interface WalkStart {
  timeline: CompiledTimeline;
  lists: FactLists;
  isWhole: boolean;
  at: number;
  facts: Facts;
}

/** A walk that stands at `at`, with nothing applied or decided yet. `lists` are in order; it takes over `facts`. */
export function beginWalk({ timeline, lists, isWhole, at, facts }: WalkStart): Walk {
  const segmentIndex = segmentIndexAt(timeline, at);
  const segment = timeline.segments[segmentIndex] ?? timeline.segments[0];
  const past = {
    lists,
    ordersDone: 0,
    touchpointsDone: 0,
    values: new Map<string, unknown>(),
    stage: null,
    since: at,
    stays: new Map<string, number>(),
    sums: new Map<string, Series>(),
  };
  const walk: Omit<Walk, 'standing'> = {
    timeline,
    ...past,
    movesDone: 0,
    changesDone: 0,
    isWhole,
    segmentIndex,
    segment,
    at,
    hold: null,
    transitions: [],
  };
  const standing = createStanding(segment.policy, facts, segment.calibration, walk);
  return Object.assign(walk, { standing });
}

/** Walks on until nothing is left to happen at or before `until`. */
export function walkTo(walk: Walk, until: number): void {
  for (;;) {
    let at = Math.min(nextFactAt(walk), walk.segment.nextActivationAt);
    if (walk.hold === null) {
      // Looks no further than it has to: most orders come long before the silence before them has an end.
      const change = nextChange(walk.standing, walk.stage ?? '', Math.min(at, until + 1));
      if (change < at) at = change;
    } else if (walk.hold.until !== null && walk.hold.until < at) {
      at = walk.hold.until;
    }
    if (at > until) return;
    step(walk, at);
  }
}

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

/**
 * One instant: what is in force, then the facts (orders, touchpoints, the profile, moves), then one decision
 * and at most one transition.
 */
export function step(walk: Walk, at: number): void {
  const activated = enterSegment(walk, at);
  const wasHeld = walk.hold !== null;
  if (walk.hold !== null && walk.hold.until !== null && walk.hold.until <= at) walk.hold = null;
  const order = takeOrders(walk, at);
  // An order at the instant of a move comes before it, so any order that meets a hold was placed after it.
  if (order !== null) {
    walk.hold = null;
    walk.stays.clear();
  }
  const touchpoint = takeTouchpoints(walk, at);
  const change = takeChanges(walk, at);
  const move = takeMoves(walk, at);
  walk.at = at;
  // An instant at which nothing but the time has come was judged when it was found, and no other can have been.
  if (walk.hold === null && walk.standing.at !== at) judge(walk.standing, at);
  const stage = walk.hold?.stage ?? stageOf(walk.standing);
  if (stage === walk.stage) return;
  // Without a move there is another stage than the held one only where the hold has ended.
  record(walk, stage, { move, order, touchpoint, change, activated, holdEnded: wasHeld });
}

/** An activation is an instant of its own, so none is ever entered late. */
function enterSegment(walk: Walk, at: number): Segment['activates'] {
  const { segments } = walk.timeline;
  let next = segments[walk.segmentIndex + 1];
  if (next === undefined || next.from > at) return null;
  let recounts = false;
  while (next !== undefined && next.from <= at) {
    walk.segmentIndex += 1;
    walk.segment = next;
    recounts ||= next.recounts;
    next = segments[walk.segmentIndex + 1];
  }
  const { segment, standing } = walk;
  standing.policy = segment.policy;
  standing.timeZone = segment.policy.timeZone;
  carryOver(walk);
  standing.calibration = segment.calibration;
  if (recounts && walk.isWhole) {
    recountDays(standing.facts, walk.lists.orders.slice(0, walk.ordersDone), segment.policy.timeZone);
  }
  return segment.activates;
}

/** A person's decision goes on in the stage that the new lifecycle has in the place of its own. */
function carryOver(walk: Walk): void {
  const { hold, segment } = walk;
  const stage = hold === null ? undefined : segment.carryOver.get(hold.stage);
  if (hold !== null && stage !== undefined) walk.hold = { ...hold, stage };
}

function takeOrders(walk: Walk, at: number): OrderFact | null {
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

function takeTouchpoints(walk: Walk, at: number): TouchpointFact | null {
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
function takeMoves(walk: Walk, at: number): ManualMoveFact | null {
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

function record(walk: Walk, stage: string, happened: Happened): void {
  const { move } = happened;
  const cause = causeOf(happened, walk.stage === null);
  walk.transitions.push({
    effectiveAt: walk.at,
    from: walk.stage,
    to: stage,
    cause,
    causeId: causeIdOf(happened, cause),
    policyVersion: walk.segment.policyVersion,
    calibrationVersion: walk.segment.calibration.version,
    evidence: explainStage(walk.standing, walk.hold),
    actor: move?.actor ?? null,
    reason: move?.reason ?? null,
  });
  leave(walk);
  walk.stage = stage;
  walk.since = walk.at;
  // The due time of a rule about the stage begins with the stage.
  if (walk.segment.policy.needs.history && walk.hold === null) judge(walk.standing, walk.at);
}

/** The longest of the stays in a stage since the last order is kept. */
function leave({ stage, since, at, stays }: Walk): void {
  if (stage !== null) stays.set(stage, Math.max(stays.get(stage) ?? 0, at - since));
}
