// Owns the walk through time: each instant at which something happens is applied and decided once, in order.
// A replay walks from the beginning, an advance from a stored state; it is the same walk. Does not own which
// of the two is right (replay.ts), where the facts come from, how they are taken in (walkFacts.ts), nor what is
// stored.

import { causeIdOf, causeOf, type Happened } from './cause.js';
import { explainStage, judge, nextChange, stageOf } from './decide.js';
import { recountDays } from './facts.js';
import type { Segment } from './timeline.js';
import { nextFactAt, takeChanges, takeMoves, takeOrders, takeTouchpoints } from './walkFacts.js';
import type { Walk } from './walkState.js';

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
