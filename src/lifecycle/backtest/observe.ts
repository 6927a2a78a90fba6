// Owns what a policy would have said of one customer at a cut: the stage, the transitions up to it, whether and
// since when they are flagged as churned, and how near to that they are. Does not own the counting (tally.ts).

import { DAY_MS } from '../calendar.js';
import { type History, replay, type Transition } from '../replay.js';
import type { CompiledTimeline } from '../timeline.js';
import { kindOf } from './plan.js';

/** How far ahead a flag that has not come yet is looked for: one later than that is taken to come then. */
const LOOK_AHEAD_MS = 1_825 * DAY_MS;

export interface Verdict {
  stage: string;
  /** Oldest first, up to the cut. */
  transitions: Transition[];
  isChurned: boolean;
  /** The beginnings of churned spells up to the cut. */
  flags: number[];
  /**
   * The silence at the cut over the silence at which the flag was raised or would be, if no fact arrives: 1 and
   * more for the flagged, less for the others, and comparable between customers whatever the rule reads. 0
   * where there is no order.
   */
  score: number;
}

/**
 * `history` is what is known at the cut. One walk past it, in which nothing more happens, gives both the ledger
 * up to the cut and the flag that is yet to come.
 */
export function observe(
  history: History,
  timeline: CompiledTimeline,
  { at, lastOrderAt }: { at: number; lastOrderAt: number | null },
): Verdict {
  const { transitions } = replay(history, timeline, at + LOOK_AHEAD_MS);
  const known = transitions.filter(({ effectiveAt }) => effectiveAt <= at);
  const flags: number[] = [];
  let isChurned = false;
  for (const transition of known) {
    const wasChurned = isChurned;
    isChurned = leadsToChurned(timeline, transition);
    if (isChurned && !wasChurned) flags.push(transition.effectiveAt);
  }
  const ahead = transitions.find((one) => one.effectiveAt > at && leadsToChurned(timeline, one));
  const flagAt = (isChurned ? flags.at(-1) : ahead?.effectiveAt) ?? at + LOOK_AHEAD_MS;
  return {
    stage: known.at(-1)?.to ?? '',
    transitions: known,
    isChurned,
    flags,
    // One millisecond at the least: a rule may flag a customer at their very order.
    score: lastOrderAt === null ? 0 : (at - lastOrderAt) / Math.max(flagAt - lastOrderAt, 1),
  };
}

function leadsToChurned(timeline: CompiledTimeline, { policyVersion, to }: Transition): boolean {
  return kindOf(timeline, policyVersion, to) === 'churned';
}
