// Owns the sums that a backtest keeps while customers go by: of a size that depends on cuts and segments, not on
// customers, and plain data, so that it can be put aside and gone on with. Does not own what is added (count.ts)
// nor what is read off it (report.ts).

import { BASELINE_DAYS } from './plan.js';
import { emptyScores, type ScoreCounts, STEPS_SEGMENT, STEPS_WHOLE } from './scores.js';

/** Segments that are told apart; further ones are counted together, as OTHER_SEGMENTS. */
export const SEGMENTS_MAX = 30;
/** Each has sums of its own at each cut, and all of them go from thread to thread with every stretch. */
const SEGMENTS_AT_CUTS_MAX = 240;
/** Keys of groups. That of a value begins with a sign that these do not, so that no value is taken for one. */
const VALUE_SIGN = '=';
export const NO_SEGMENT = 'none';
export const OTHER_SEGMENTS = 'other';
/** Delays are counted in whole days, up to this one. */
export const DELAY_DAYS_MAX = 4_095;

/** By whole days. Few of them occur: most flags are raised after the same few silences. */
export type DelayCounts = Map<number, number>;

/** Flagged as churned (positive) against no order in the horizon (true). */
export interface Confusion {
  tp: number;
  fp: number;
  fn: number;
  tn: number;
}

export interface FlagTally extends Confusion {
  /** What the flagged spent in the horizon before the cut, by currency, in minor units. */
  atStake: Map<string, number>;
  /** What those who were flagged falsely spent in the horizon after it. */
  spentAfter: Map<string, number>;
}

export interface RuleTally extends FlagTally {
  scores: ScoreCounts;
  /** From the last order to the flag, of true positives. */
  delays: DelayCounts;
  /** Where the rule has a probability: of how many, and the sum of the squared distances from what happened. */
  probabilities: number;
  squaredError: number;
}

/** One cut, of everybody or of one segment. */
export interface GroupTally {
  policy: RuleTally;
  live: RuleTally;
  /** The silence as a score: what all the fixed ones have in common. */
  silence: ScoreCounts;
  /** In the order of BASELINE_DAYS. */
  baselines: FlagTally[];
}

/** Every flag up to the cut, each followed for the horizon after it. */
export interface FollowedTally {
  flags: number;
  truths: number;
  /** Customers who did not order in the horizon after the cut, and those of them who were flagged by then. */
  stopped: number;
  caught: number;
  /** Of true flags. */
  delays: DelayCounts;
}

/** A count, and of that in the year before the cut. */
export type Recent = [all: number, lastYear: number];

export interface CutTally {
  customers: number;
  withOrder: number;
  /** Of customers whose stage under the live policy is another. */
  differ: number;
  stages: Map<string, number>;
  liveStages: Map<string, number>;
  /** By `from→to`, with an empty `from` for the first row. */
  transitions: Map<string, Recent>;
  events: Map<string, Recent>;
  /** By `live→policy`. */
  matrix: Map<string, number>;
  followed: FollowedTally;
  whole: GroupTally;
  /** By `segmentKeyOf`. */
  segments: Map<string, GroupTally>;
}

export interface Tally {
  cuts: CutTally[];
  /** The values that are told apart, at all cuts the same; null before the first stretch. */
  segmentNames: Set<string> | null;
}

export function emptyTally(cuts: number): Tally {
  return { cuts: Array.from({ length: cuts }, emptyCut), segmentNames: null };
}

export function emptyCut(): CutTally {
  return {
    ...{ customers: 0, withOrder: 0, differ: 0 },
    ...{ stages: new Map(), liveStages: new Map(), transitions: new Map(), events: new Map() },
    matrix: new Map(),
    followed: emptyFollowed(),
    whole: emptyGroup(STEPS_WHOLE),
    segments: new Map(),
  };
}

function emptyFollowed(): FollowedTally {
  return { flags: 0, truths: 0, stopped: 0, caught: 0, delays: new Map() };
}

export function segmentsMax(cuts: number): number {
  return Math.min(SEGMENTS_MAX, Math.floor(SEGMENTS_AT_CUTS_MAX / cuts));
}

/** To begin with, the values that most of the first customers have. */
export function chooseSegments(tally: Tally, names: readonly (string | null)[]): void {
  if (tally.segmentNames !== null) return;
  const counts = new Map<string, number>();
  for (const name of names) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  const common = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  tally.segmentNames = new Set(common.slice(0, segmentsMax(tally.cuts.length)).map(([name]) => name));
}

/** Where there is room for one more, a value that comes later is told apart too: it is so from its first customer. */
export function segmentKeyOf({ segmentNames, cuts }: Tally, name: string | null): string {
  if (name === null) return NO_SEGMENT;
  const hasRoom = segmentNames !== null && segmentNames.size < segmentsMax(cuts.length);
  if (hasRoom) segmentNames.add(name);
  return segmentNames?.has(name) ? `${VALUE_SIGN}${name}` : OTHER_SEGMENTS;
}

/** The value that a group's key stands for; null of those who are not told apart by one. */
export function segmentValueOf(key: string): string | null {
  return key.startsWith(VALUE_SIGN) ? key.slice(VALUE_SIGN.length) : null;
}

/** The tally of a segment, by `segmentKeyOf`. */
export function segmentOf({ segments }: CutTally, key: string): GroupTally {
  const known = segments.get(key);
  if (known !== undefined) return known;
  const opened = emptyGroup(STEPS_SEGMENT);
  segments.set(key, opened);
  return opened;
}

export function emptyGroup(steps: number): GroupTally {
  return {
    policy: emptyRule(steps),
    live: emptyRule(steps),
    silence: emptyScores(steps),
    baselines: BASELINE_DAYS.map(emptyFlags),
  };
}

function emptyRule(steps: number): RuleTally {
  const scores = emptyScores(steps);
  return { ...emptyFlags(), scores, delays: new Map(), probabilities: 0, squaredError: 0 };
}

function emptyFlags(): FlagTally {
  return { tp: 0, fp: 0, fn: 0, tn: 0, atStake: new Map(), spentAfter: new Map() };
}

/** The sum of the same group over all cuts. */
export function sumOfGroups(groups: readonly GroupTally[], steps: number): GroupTally {
  const sum = emptyGroup(steps);
  for (const group of groups) {
    addRule(sum.policy, group.policy);
    addRule(sum.live, group.live);
    addCounts(sum.silence, group.silence);
    for (const [index, baseline] of sum.baselines.entries()) {
      const own = group.baselines[index];
      if (own !== undefined) addFlags(baseline, own);
    }
  }
  return sum;
}

export function sumOfFollowed(all: readonly FollowedTally[]): FollowedTally {
  const sum = emptyFollowed();
  for (const one of all) {
    sum.flags += one.flags;
    sum.truths += one.truths;
    sum.stopped += one.stopped;
    sum.caught += one.caught;
    addSums(sum.delays, one.delays);
  }
  return sum;
}

function addRule(sum: RuleTally, rule: RuleTally): void {
  addFlags(sum, rule);
  addCounts(sum.scores, rule.scores);
  addSums(sum.delays, rule.delays);
  sum.probabilities += rule.probabilities;
  sum.squaredError += rule.squaredError;
}

function addFlags(sum: FlagTally, flags: FlagTally): void {
  for (const name of ['tp', 'fp', 'fn', 'tn'] as const) sum[name] += flags[name];
  addSums(sum.atStake, flags.atStake);
  addSums(sum.spentAfter, flags.spentAfter);
}

function addCounts(sum: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < counts.length; i += 1) sum[i] = (sum[i] ?? 0) + (counts[i] ?? 0);
}

export function addSums<K>(sum: Map<K, number>, sums: ReadonlyMap<K, number>): void {
  for (const [key, amount] of sums) sum.set(key, (sum.get(key) ?? 0) + amount);
}
