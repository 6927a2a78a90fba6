// Owns the ledger as a function: a history and a timeline go in, transitions and the state reached come out,
// from the beginning (replay) or from a stored state (advance). Owns the rule by which the two are equal.
// Does not own the walk itself (walk.ts) nor the comparison with stored rows (reconcile.ts).

import { type Evidence, explainStage, type Hold, judge, nextReview } from './decide.js';
import { copyFacts, emptyFacts, type FactLists, type Facts, firstFactAt, inOrder } from './facts.js';
import { type CompiledTimeline, segmentIndexAt } from './timeline.js';
import type { Transition } from './transition.js';
import { step, walkTo } from './walk.js';
import { nextFactAt, takeChanges } from './walkFacts.js';
import { beginWalk, type Walk } from './walkState.js';

export { type CompiledTimeline, compileTimeline, type Timeline } from './timeline.js';
export { particularType, TRANSITION_CAUSES, type Transition, type TransitionCause } from './transition.js';

/** Everything of one customer that the ledger is a function of. Only counting orders are in it. */
export interface History extends FactLists {
  createdAt: number;
}

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

/**
 * The whole ledger of one customer up to `until`, inclusive. A customer exists from their first row on, at
 * the earlier of their creation and their first fact: an `until` before that is taken to be that instant.
 */
export function replay(history: History, timeline: CompiledTimeline, until: number): Advance {
  return finish(replayWalk(history, timeline, until));
}

/** The walk itself, at `until`, for those who ask more of it than the ledger (explain.ts). */
export function replayWalk(history: History, timeline: CompiledTimeline, until: number): Walk {
  const lists = inOrder(history);
  const at = Math.min(history.createdAt, firstFactAt(lists));
  const walk = beginWalk({ timeline, lists, isWhole: true, at, facts: emptyFacts() });
  // What a profile says from its creation on is taken to have been so before, when the first facts came.
  takeChanges(walk, Math.max(at, history.createdAt));
  step(walk, at);
  walkTo(walk, Math.max(until, at));
  return walk;
}

/**
 * The same from a stored state on, with the facts that are not in it. Right only where canAdvance says so.
 * What the state holds has happened: an `until` before it, of a clock that is behind, takes nothing back.
 */
export function advance(
  state: CustomerState,
  newFacts: FactLists,
  timeline: CompiledTimeline,
  until: number,
): Advance {
  const facts = copyFacts(state.facts);
  const walk = beginWalk({ timeline, lists: inOrder(newFacts), isWhole: false, at: state.at, facts });
  walk.stage = state.stage;
  walk.since = state.since;
  walk.hold = state.hold;
  if (walk.hold === null) judge(walk.standing, state.at);
  walkTo(walk, until);
  return finish(walk);
}

/**
 * Whether an advance from this state gives what a replay would. It needs a replay when a fact is not later
 * than all that is applied, when a version has come that was in force at or before the state (which counts
 * up, so the one in force at the state tells), when a policy on the way looks at single facts, or when days
 * are counted in another time zone on the way: the state knows how many days there were, not which orders
 * made them.
 */
export function canAdvance(
  state: CustomerState,
  { createdAt, ...newFacts }: History,
  timeline: CompiledTimeline,
  until: number,
): boolean {
  const index = segmentIndexAt(timeline, state.at);
  const segment = timeline.segments[index];
  if (segment?.policyVersion !== state.policyVersion) return false;
  if (segment.calibration.version !== state.calibrationVersion || segment.policy.needs.history) return false;
  for (let i = index + 1; i < timeline.segments.length; i += 1) {
    const later = timeline.segments[i];
    if (later === undefined || later.from > until) break;
    if (later.recounts || later.policy.needs.history) return false;
  }
  const isLater = (fact: { at: number }) => fact.at > state.at;
  // Whoever looks at the profile from now on has been replayed above; who did in the past decided by other values.
  // What is said of the creation is so from the first fact on (replayWalk), and that may be long before.
  const isRewritten = newFacts.changes.some((change) => !isLater(change) || change.at <= createdAt);
  if (isRewritten && timeline.segments.slice(0, index).some(({ policy }) => policy.needs.history))
    return false;
  return (
    newFacts.orders.every(isLater) && newFacts.touchpoints.every(isLater) && newFacts.moves.every(isLater)
  );
}

function finish(walk: Walk): Advance {
  const { standing, segment, hold, at, since } = walk;
  const stage = walk.stage ?? segment.policy.otherwise;
  const review = nextReview(standing, stage, hold);
  const reviewAt = review === Infinity ? null : review;
  const because = reviewAt === null ? null : explainStage(standing, null);
  const factAt = nextFactAt(walk);
  return {
    state: {
      at,
      stage,
      since,
      facts: standing.facts,
      hold,
      policyVersion: segment.policyVersion,
      calibrationVersion: segment.calibration.version,
    },
    transitions: walk.transitions,
    reviewAt,
    next: reviewAt === null || because === null ? null : { at: reviewAt, stage: because.stage, because },
    nextFactAt: factAt === Infinity ? null : factAt,
  };
}
