// The ledger the slow way, written from the rules and not from the code under test: at every instant at
// which anything could happen, everything is worked out anew from the bare facts. Owns no shortcuts.

import { type Calibration, DEFAULT_CALIBRATION } from '../../src/lifecycle/calibration.js';
import type { Condition } from '../../src/lifecycle/conditions.js';
import type { ManualMoveFact } from '../../src/lifecycle/facts.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { History, Timeline, Transition } from '../../src/lifecycle/replay.js';
import { changesOf, holds, type Known } from './reference-conditions.js';

export { DAY } from './reference-conditions.js';

export type LedgerLine = Omit<Transition, 'evidence'>;

/** The ledger up to `until`, without evidence. */
export function referenceLedger(history: History, timeline: Timeline, until: number): LedgerLine[] {
  const fold = new Fold(history, timeline);
  fold.runTo(until);
  return fold.lines;
}

/** When the stage changes next after `until` if nothing more is said or done. */
export function referenceReviewAt(history: History, timeline: Timeline, until: number): number | null {
  const by = <T extends { at: number }>(facts: readonly T[]) => facts.filter((fact) => fact.at <= until);
  const known: History = {
    createdAt: history.createdAt,
    orders: by(history.orders),
    touchpoints: by(history.touchpoints),
    moves: by(history.moves),
    // What the profile said when it was made was so from the beginning.
    changes: history.changes.filter((change) => change.at <= Math.max(until, history.createdAt)),
  };
  const versions: Timeline = {
    policies: timeline.policies.filter((version) => (version.effectiveFrom ?? -Infinity) <= until),
    calibrations: timeline.calibrations.filter((version) => version.effectiveFrom <= until),
  };
  const fold = new Fold(known, versions);
  fold.runTo(until);
  return fold.runOn(until);
}

/** Goes from instant to instant; those that only the stage itself brings about are found on the way. */
class Fold {
  readonly lines: LedgerLine[] = [];
  readonly #instants: number[];
  readonly #stays: Known['stays'] = [];
  #done = -Infinity;

  constructor(
    private readonly history: History,
    private readonly timeline: Timeline,
  ) {
    const start = beginningOf(history);
    this.#instants = [...instantsOf(history, timeline)].filter((at) => at >= start).sort((a, b) => a - b);
  }

  /** All up to `until`, and the beginning in any case. */
  runTo(until: number): void {
    for (;;) {
      const at = this.#next();
      if (at === undefined || (at > until && this.lines.length > 0)) return;
      this.#decide(at);
    }
  }

  /** On to the next change after `until`; null where there is none within reason. */
  runOn(until: number): number | null {
    const rows = this.lines.length;
    for (let steps = 0; steps < 5_000; steps += 1) {
      const at = this.#next();
      if (at === undefined) return null;
      this.#decide(at);
      if (this.lines.length > rows && at > until) return at;
    }
    return null;
  }

  #next(): number | undefined {
    return this.#instants.find((at) => at > this.#done);
  }

  #known(at: number): Known {
    const by = <T extends { at: number }>(facts: readonly T[]) => facts.filter((fact) => fact.at <= at);
    const { orders, touchpoints, moves } = this.history;
    return {
      history: { ...this.history, orders: by(orders), touchpoints: by(touchpoints), moves: by(moves) },
      policy: policyAt(this.timeline, at).policy,
      calibration: calibrationAt(this.timeline, at),
      stage: this.lines.at(-1)?.to ?? null,
      since: this.lines.at(-1)?.effectiveAt ?? at,
      stays: this.#stays,
    };
  }

  #decide(at: number): void {
    this.#done = at;
    const known = this.#known(at);
    const move = liveMove(this.history, at);
    const { policy } = known;
    const decided = policy.rules.find((rule) => holds(rule.when, known, at))?.stage ?? policy.otherwise;
    const to = move?.to ?? decided;
    const from = known.stage;
    if (to !== from) this.#add({ at, from, to, since: known.since, move });
    // The stage and what is known may bring about instants of their own.
    const now = this.#known(at);
    for (const { policy: dated } of this.timeline.policies) {
      for (const part of dated.rules.flatMap((rule) => plainParts(rule.when))) {
        for (const instant of changesOf(part, { ...now, policy: dated }, at)) this.#plan(instant);
      }
    }
  }

  #add({
    at,
    from,
    to,
    since,
    move,
  }: {
    at: number;
    from: string | null;
    to: string;
    since: number;
    move: ManualMoveFact | undefined;
  }) {
    const { cause, causeId } = causeAt(this.history, this.timeline, at, from === null);
    if (from !== null) this.#stays.push({ stage: from, from: since, to: at });
    this.lines.push({
      effectiveAt: at,
      from,
      to,
      cause,
      causeId,
      policyVersion: policyAt(this.timeline, at).version,
      calibrationVersion: calibrationAt(this.timeline, at).version,
      actor: cause === 'manual' ? (move?.actor ?? null) : null,
      reason: cause === 'manual' ? (move?.reason ?? null) : null,
    });
  }

  #plan(instant: number): void {
    if (instant <= this.#done || this.#instants.includes(instant)) return;
    const place = this.#instants.findIndex((at) => at > instant);
    this.#instants.splice(place === -1 ? this.#instants.length : place, 0, instant);
  }
}

/** The last move, unless an order placed after it or its date has ended its hold. */
function liveMove(history: History, at: number): ManualMoveFact | undefined {
  const move = lastMove(history, at);
  if (move === undefined) return undefined;
  if (move.holdUntil !== null && move.holdUntil <= at) return undefined;
  return history.orders.some((order) => order.at > move.at && order.at <= at) ? undefined : move;
}

function lastMove(history: History, at: number): ManualMoveFact | undefined {
  const moves = history.moves.filter((move) => move.at <= at);
  return moves.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).at(-1);
}

function causeAt(
  history: History,
  timeline: Timeline,
  at: number,
  isFirst: boolean,
): Pick<LedgerLine, 'cause' | 'causeId'> {
  const lastId = (facts: readonly { id: string; at: number }[]) =>
    facts
      .filter((fact) => fact.at === at)
      .map((fact) => fact.id)
      .sort()
      .at(-1);
  const move = liveMove(history, at);
  if (move?.at === at) return { cause: 'manual', causeId: move.id };
  const orderId = lastId(history.orders);
  if (orderId !== undefined) return { cause: 'order', causeId: orderId };
  if (isFirst) return { cause: 'created', causeId: null };
  const touchpointId = lastId(history.touchpoints);
  if (touchpointId !== undefined) return { cause: 'touchpoint', causeId: touchpointId };
  const { policy, version } = policyAt(timeline, at);
  const parts = policy.rules.flatMap((rule) => plainParts(rule.when)).map((part) => part.type);
  const reads = (...types: string[]) => parts.some((type) => types.includes(type));
  const changeId = at > history.createdAt ? lastId(history.changes) : undefined;
  if (changeId !== undefined && reads('tag', 'channel', 'country', 'attribute')) {
    return { cause: 'profile', causeId: changeId };
  }
  if (version !== policyAt(timeline, at - 1).version) return { cause: 'policy', causeId: null };
  const fitted = reads('cadenceQuantile', 'cadenceMultiple', 'aliveProbability', 'orderProbability');
  if (fitted && calibrationAt(timeline, at).version !== calibrationAt(timeline, at - 1).version) {
    return { cause: 'calibration', causeId: null };
  }
  return { cause: liveMove(history, at - 1) === undefined ? 'time' : 'hold_ended', causeId: null };
}

export function policyAt(timeline: Timeline, at: number): { version: number; policy: Policy } {
  const dated = timeline.policies.filter((version) => (version.effectiveFrom ?? -Infinity) <= at);
  const newest = dated.sort((a, b) => b.version - a.version)[0];
  if (newest === undefined) throw new Error('the reference wants a policy from the beginning of time');
  return newest;
}

export function calibrationAt(timeline: Timeline, at: number): Calibration {
  const dated = timeline.calibrations.filter((version) => version.effectiveFrom <= at);
  const newest = dated.sort((a, b) => b.version - a.version)[0];
  return { ...DEFAULT_CALIBRATION, ...newest };
}

function beginningOf(history: History): number {
  const { orders, touchpoints, moves } = history;
  return Math.min(history.createdAt, ...[...orders, ...touchpoints, ...moves].map((fact) => fact.at));
}

/** Every instant at which a fact or a version comes in, or a hold ends. */
function instantsOf(history: History, timeline: Timeline): Set<number> {
  const { orders, touchpoints, moves, changes } = history;
  const found = new Set<number>([history.createdAt]);
  for (const fact of [...orders, ...touchpoints, ...moves, ...changes]) found.add(fact.at);
  for (const move of moves) if (move.holdUntil !== null) found.add(move.holdUntil);
  for (const { effectiveFrom } of timeline.policies) if (effectiveFrom !== null) found.add(effectiveFrom);
  for (const { effectiveFrom } of timeline.calibrations) found.add(effectiveFrom);
  return found;
}

export function plainParts(condition: Condition): Condition[] {
  if (condition.type === 'not') return plainParts(condition.of);
  return condition.type === 'all' || condition.type === 'any'
    ? condition.of.flatMap(plainParts)
    : [condition];
}
