// The ledger the slow way, written from the rules and not from the code under test: at every instant at
// which anything could happen, everything is worked out anew from the bare facts. Owns no shortcuts.

import type { Condition } from '../../src/lifecycle/conditions.js';
import type { ManualMoveFact, OrderFact } from '../../src/lifecycle/facts.js';
import type { Cadence } from '../../src/lifecycle/models/cadence.js';
import { cadenceQuantileDays, shrunkMeanGapDays } from '../../src/lifecycle/models/cadence.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { History, Timeline, Transition } from '../../src/lifecycle/replay.js';

export const DAY = 86_400_000;

export type LedgerLine = Omit<Transition, 'evidence'>;

/** The ledger up to `until`, without evidence. */
export function referenceLedger(history: History, timeline: Timeline, until: number): LedgerLine[] {
  const lines: LedgerLine[] = [];
  const start = Math.min(history.createdAt, ...allFacts(history).map((fact) => fact.at));
  for (const at of instants(history, timeline)) {
    if (at < start || (at > until && at !== start)) continue;
    const from = lines.at(-1)?.to ?? null;
    const to = stageAt(history, timeline, at);
    if (to === from) continue;
    const move = liveMove(history, at);
    const { cause, causeId } = causeAt(history, timeline, at, from === null);
    lines.push({
      effectiveAt: at,
      from,
      to,
      cause,
      causeId,
      policyVersion: policyAt(timeline, at).version,
      calibrationVersion: calibrationAt(timeline, at).version,
      actor: cause === 'manual' ? (move?.actor ?? null) : null,
      reason: cause === 'manual' ? (move?.reason ?? null) : null,
    });
  }
  return lines;
}

/** When the stage changes next after `until` if nothing more is said or done. */
export function referenceReviewAt(history: History, timeline: Timeline, until: number): number | null {
  const known: History = {
    createdAt: history.createdAt,
    orders: history.orders.filter((fact) => fact.at <= until),
    touchpoints: [],
    moves: history.moves.filter((fact) => fact.at <= until),
  };
  const versions: Timeline = {
    policies: timeline.policies.filter((version) => (version.effectiveFrom ?? -Infinity) <= until),
    calibrations: timeline.calibrations.filter((version) => version.effectiveFrom <= until),
  };
  const now = stageAt(known, versions, until);
  const change = instants(known, versions).find((at) => at > until && stageAt(known, versions, at) !== now);
  return change ?? null;
}

export function stageAt(history: History, timeline: Timeline, at: number): string {
  const move = liveMove(history, at);
  if (move !== undefined) return move.to;
  const { policy } = policyAt(timeline, at);
  const known = { policy, orders: history.orders.filter((order) => order.at <= at) };
  const { cadence } = calibrationAt(timeline, at);
  return policy.rules.find((rule) => holds(rule.when, known, cadence, at))?.stage ?? policy.otherwise;
}

interface Known {
  policy: Policy;
  orders: OrderFact[];
}

function holds(condition: Condition, known: Known, cadence: Cadence, at: number): boolean {
  switch (condition.type) {
    case 'orders':
      return daysOf(known).size >= condition.atLeast;
    case 'categories':
      return new Set(known.orders.flatMap((order) => order.categories)).size >= condition.atLeast;
    case 'all':
      return condition.of.every((part) => holds(part, known, cadence, at));
    case 'any':
      return condition.of.some((part) => holds(part, known, cadence, at));
    case 'not':
      return !holds(condition.of, known, cadence, at);
    default: {
      const due = dueAt(condition, known, cadence);
      return due !== undefined && at >= due;
    }
  }
}

function dueAt(condition: Condition, known: Known, cadence: Cadence): number | undefined {
  if (known.orders.length === 0) return undefined;
  const last = Math.max(...known.orders.map((order) => order.at));
  const days = silenceDays(condition, known, cadence);
  return days === undefined ? undefined : last + Math.ceil(days * DAY);
}

function silenceDays(condition: Condition, known: Known, cadence: Cadence): number | undefined {
  const days = [...daysOf(known)].sort();
  const span = (Date.parse(days.at(-1) ?? '') - Date.parse(days[0] ?? '')) / DAY;
  if (condition.type === 'silence') return condition.days;
  if (condition.type === 'cadenceQuantile') {
    return cadenceQuantileDays(condition.q, days.length - 1, span, cadence);
  }
  if (condition.type !== 'cadenceMultiple') return undefined;
  return condition.multiple * shrunkMeanGapDays(days.length - 1, span, cadence.medianGapDays);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local dates as text, by Intl alone: no arithmetic on offsets. */
function daysOf({ policy, orders }: Known): Set<string> {
  const { timeZone } = policy;
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-CA', { timeZone });
  formats.set(timeZone, format);
  return new Set(orders.map((order) => format.format(order.at)));
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
  if (policyAt(timeline, at).version !== policyAt(timeline, at - 1).version)
    return { cause: 'policy', causeId: null };
  const reads = JSON.stringify(policyAt(timeline, at).policy).includes('cadence');
  if (reads && calibrationAt(timeline, at).version !== calibrationAt(timeline, at - 1).version) {
    return { cause: 'calibration', causeId: null };
  }
  return { cause: liveMove(history, at - 1) === undefined ? 'time' : 'hold_ended', causeId: null };
}

function policyAt(timeline: Timeline, at: number): { version: number; policy: Policy } {
  const dated = timeline.policies.filter((version) => (version.effectiveFrom ?? -Infinity) <= at);
  const newest = dated.sort((a, b) => b.version - a.version)[0];
  if (newest === undefined) throw new Error('the reference wants a policy from the beginning of time');
  return newest;
}

function calibrationAt(timeline: Timeline, at: number): { version: number; cadence: Cadence } {
  const dated = timeline.calibrations.filter((version) => version.effectiveFrom <= at);
  const newest = dated.sort((a, b) => b.version - a.version)[0];
  return newest ?? { version: 0, cadence: { r: 3, alphaDays: 90, medianGapDays: 30 } };
}

function allFacts(history: History): { at: number }[] {
  return [...history.orders, ...history.touchpoints, ...history.moves];
}

/** Every instant at which anything could happen, whichever facts and versions turn out to count. */
function instants(history: History, timeline: Timeline): number[] {
  const found = new Set<number>([history.createdAt]);
  for (const fact of allFacts(history)) found.add(fact.at);
  for (const move of history.moves) if (move.holdUntil !== null) found.add(move.holdUntil);
  for (const { effectiveFrom } of timeline.policies) if (effectiveFrom !== null) found.add(effectiveFrom);
  for (const { effectiveFrom } of timeline.calibrations) found.add(effectiveFrom);
  const cadences = [
    { r: 3, alphaDays: 90, medianGapDays: 30 },
    ...timeline.calibrations.map((c) => c.cadence),
  ];
  for (const { policy } of timeline.policies) {
    const plain = policy.rules.flatMap((rule) => plainParts(rule.when));
    for (const { at } of history.orders) {
      const known = { policy, orders: history.orders.filter((order) => order.at <= at) };
      for (const condition of plain) {
        for (const cadence of cadences) {
          const due = dueAt(condition, known, cadence);
          if (due !== undefined && Number.isSafeInteger(due)) found.add(due);
        }
      }
    }
  }
  return [...found].sort((a, b) => a - b);
}

export function plainParts(condition: Condition): Condition[] {
  if (condition.type === 'not') return plainParts(condition.of);
  return condition.type === 'all' || condition.type === 'any'
    ? condition.of.flatMap(plainParts)
    : [condition];
}
