// Owns what a walk under way holds, and how one begins. Does not own what happens on it (walk.ts).

import { createStanding, type Hold, type Standing } from './decide.js';
import type { FactLists, Facts } from './facts.js';
import type { Past, Series } from './past.js';
import { type CompiledTimeline, type Segment, segmentIndexAt } from './timeline.js';
import type { Transition } from './transition.js';

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
