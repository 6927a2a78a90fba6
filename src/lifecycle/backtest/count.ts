// Owns a stretch of a backtest: customers are replayed as of each cut and added to the tally. Does not own what a
// verdict is (observe.ts) nor what the sums say (report.ts). Pure: the same tally and customers give the same.

import { DAY_MS } from '../calendar.js';
import type { Facts } from '../facts.js';
import { type History, replay } from '../replay.js';
import type { CompiledTimeline } from '../timeline.js';
import { particularType, type Transition } from '../transition.js';
import { addTo, hasOrderIn, knownAt, type Purchases, purchasesAround } from './known.js';
import { observe, type Verdict } from './observe.js';
import {
  type AskedModel,
  BASELINE_DAYS,
  type BacktestPlan,
  type CompiledCut,
  type CompiledPlan,
  compilePlan,
} from './plan.js';
import { stopProbability } from './probability.js';
import { countScore, shareOf } from './scores.js';
import {
  addSums,
  type CutTally,
  chooseSegments,
  DELAY_DAYS_MAX,
  type DelayCounts,
  type FlagTally,
  type FollowedTally,
  type GroupTally,
  type Recent,
  type RuleTally,
  segmentKeyOf,
  segmentOf,
  type Tally,
} from './tally.js';

export interface BacktestCustomer {
  history: History;
  /** Null where the customer has no such value. */
  segment: string | null;
}

export interface BacktestStretch {
  plan: BacktestPlan;
  /** What the stretches before came to. It is taken over. */
  tally: Tally;
  customers: readonly BacktestCustomer[];
}

const YEAR_MS = 365 * DAY_MS;
/** What a baseline's silence is a share of, so that all silences have a place between 0 and 1. */
const SILENCE_UNIT_MS = 90 * DAY_MS;

export function countStretch({ plan, tally, customers }: BacktestStretch): Tally {
  const compiled = compilePlan(plan);
  const names = customers.map(({ segment }) => segment);
  chooseSegments(tally, names);
  const keys = names.map((name) => (plan.isSegmented ? segmentKeyOf(tally, name) : null));
  for (const [index, cut] of compiled.cuts.entries()) {
    const sums = tally.cuts[index];
    if (sums === undefined) continue;
    for (const [place, { history }] of customers.entries()) {
      countCustomer(compiled, { cut, sums }, history, keys[place] ?? null);
    }
  }
  return tally;
}

function countCustomer(
  { horizonMs }: CompiledPlan,
  { cut, sums }: { cut: CompiledCut; sums: CutTally },
  history: History,
  segmentKey: string | null,
): void {
  const known = knownAt(history, cut.at);
  if (known === null) return;
  const purchases = purchasesAround(history.orders, cut.at, horizonMs);
  const place = { at: cut.at, lastOrderAt: purchases.lastBeforeAt };
  const policy = observe(known, cut.policy, place);
  // Whoever has no row of the ledger yet was not there.
  if (policy.transitions.length === 0) return;
  const live = observe(known, cut.live, place);
  countLedger(sums, cut, policy);
  countDifference(sums, policy, live);
  const { lastBeforeAt } = purchases;
  // A prospect cannot churn: nobody is judged who has not ordered.
  if (lastBeforeAt === null) return;
  sums.withOrder += 1;
  const judged: Judged = {
    purchases,
    hasStopped: purchases.firstAfterAt === null,
    silenceMs: cut.at - lastBeforeAt,
    lastOrderAt: lastBeforeAt,
    policy,
    live,
    probabilities: {
      policy: probabilityOf(cut, 'policy', known, horizonMs),
      live: probabilityOf(cut, 'live', known, horizonMs),
    },
  };
  countGroup(sums.whole, judged);
  if (segmentKey !== null) countGroup(segmentOf(sums, segmentKey), judged);
  countFollowed(sums.followed, history, judged, horizonMs);
}

interface Judged {
  purchases: Purchases;
  /** No order in the horizon: what a flag says. */
  hasStopped: boolean;
  silenceMs: number;
  lastOrderAt: number;
  policy: Verdict;
  live: Verdict;
  /** Of having stopped, where the rules of either ask a model. */
  probabilities: Record<'policy' | 'live', number | null>;
}

/** By the facts as the policy counts them: its days are those of its time zone. */
function probabilityOf(
  { at, calibration, models, ...timelines }: CompiledCut,
  whose: 'policy' | 'live',
  known: History,
  horizonMs: number,
): number | null {
  const model: AskedModel | null = models[whose];
  if (model === null) return null;
  const facts: Facts = replay(known, timelines[whose], at).state.facts;
  return stopProbability(model, calibration, { facts, at, horizonMs });
}

function countLedger(sums: CutTally, cut: CompiledCut, { stage, transitions }: Verdict): void {
  sums.customers += 1;
  addTo(sums.stages, stage, 1);
  for (const transition of transitions) {
    const isRecent = transition.effectiveAt > cut.at - YEAR_MS;
    addRecent(sums.transitions, `${transition.from ?? ''}→${transition.to}`, isRecent);
    addRecent(sums.events, eventTypeOf(transition, cut.policy), isRecent);
  }
}

function eventTypeOf(transition: Transition, timeline: CompiledTimeline): string {
  const particular = particularType(transition, timeline.lifecycleOf(transition.policyVersion));
  return `customer.${particular ?? 'stage_changed'}`;
}

function addRecent(counts: Map<string, Recent>, key: string, isRecent: boolean): void {
  const [all, lastYear] = counts.get(key) ?? [0, 0];
  counts.set(key, [all + 1, lastYear + (isRecent ? 1 : 0)]);
}

function countDifference(sums: CutTally, policy: Verdict, live: Verdict): void {
  addTo(sums.liveStages, live.stage, 1);
  addTo(sums.matrix, `${live.stage}→${policy.stage}`, 1);
  if (live.stage !== policy.stage) sums.differ += 1;
}

function countGroup(group: GroupTally, judged: Judged): void {
  const { hasStopped, policy, live, silenceMs, probabilities } = judged;
  countRule(group.policy, judged, policy, probabilities.policy);
  countRule(group.live, judged, live, probabilities.live);
  countScore(group.silence, shareOf(silenceMs / SILENCE_UNIT_MS), hasStopped);
  for (const [index, days] of BASELINE_DAYS.entries()) {
    const baseline = group.baselines[index];
    if (baseline !== undefined) countFlag(baseline, judged, silenceMs > days * DAY_MS);
  }
}

function countRule(rule: RuleTally, judged: Judged, verdict: Verdict, probability: number | null): void {
  const { hasStopped, lastOrderAt } = judged;
  countFlag(rule, judged, verdict.isChurned);
  countScore(rule.scores, probability ?? shareOf(verdict.score), hasStopped);
  const flaggedAt = verdict.flags.at(-1);
  if (verdict.isChurned && hasStopped && flaggedAt !== undefined) {
    countDelay(rule.delays, flaggedAt - lastOrderAt);
  }
  if (probability === null) return;
  rule.probabilities += 1;
  rule.squaredError += (probability - (hasStopped ? 1 : 0)) ** 2;
}

function countFlag(flags: FlagTally, { hasStopped, purchases }: Judged, isFlagged: boolean): void {
  if (!isFlagged) {
    flags[hasStopped ? 'fn' : 'tn'] += 1;
    return;
  }
  flags[hasStopped ? 'tp' : 'fp'] += 1;
  addSums(flags.atStake, purchases.spentBefore);
  addSums(flags.spentAfter, purchases.spentAfter);
}

/** A flag before any order is nobody's loss, and is not followed. */
function countFollowed(
  followed: FollowedTally,
  { orders }: History,
  { policy, hasStopped, lastOrderAt }: Judged,
  horizonMs: number,
): void {
  for (const flaggedAt of policy.flags) {
    const before = lastOrderUpTo(orders, flaggedAt);
    if (before === null) continue;
    followed.flags += 1;
    if (hasOrderIn(orders, flaggedAt, flaggedAt + horizonMs)) continue;
    followed.truths += 1;
    countDelay(followed.delays, flaggedAt - before);
  }
  if (!hasStopped) return;
  followed.stopped += 1;
  const last = policy.flags.at(-1);
  if (policy.isChurned && last !== undefined && last >= lastOrderAt) followed.caught += 1;
}

function lastOrderUpTo(orders: History['orders'], until: number): number | null {
  let last: number | null = null;
  for (const { at } of orders) if (at <= until && (last === null || at > last)) last = at;
  return last;
}

function countDelay(delays: DelayCounts, delayMs: number): void {
  addTo(delays, Math.min(Math.max(Math.floor(delayMs / DAY_MS), 0), DELAY_DAYS_MAX), 1);
}
