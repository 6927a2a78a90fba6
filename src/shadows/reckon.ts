// Owns what one customer comes to under a shadow: its ledger from `since` on, where it stands, whether and since
// when that differs from the live ledger, and what the customer adds to the counts. Pure. Does not own the replay
// (lifecycle/) nor how any of this is read and written (store.ts).

import type { Policy } from '../lifecycle/policy.js';
import { reconcile } from '../lifecycle/reconcile.js';
import { type CompiledTimeline, compileTimeline, type History, replay } from '../lifecycle/replay.js';
import type { Timeline } from '../lifecycle/timeline.js';
import { particularType, type Transition } from '../lifecycle/transition.js';

/** The place of the shadow's policy among the dated versions: above all there are and will be. */
export const SHADOW_VERSION = 2_147_483_647;

/** Where a transition comes from, where it goes, and the event that tells of it. */
export type Flow = readonly [from: string | null, to: string, type: string];

export interface Flows {
  live: Flow[];
  shadow: Flow[];
}

export interface Reason {
  effectiveAt: string;
  cause: Transition['cause'];
  evidence: Transition['evidence'];
}

/** Why a customer stands where they do, under both. */
export interface Basis {
  live: Reason;
  shadow: Reason;
}

export interface ShadowStanding {
  stage: string;
  stageSince: number;
  liveStage: string;
  liveSince: number;
  differs: boolean;
  differsSince: number | null;
  basis: Basis | null;
  flows: Flows;
  dueAt: number | null;
  asOf: number;
}

/** A row of the shadow's ledger as it was read back. */
export type ShadowLedgerRow = Transition & { id: string };

export interface Reckoned {
  standing: ShadowStanding;
  add: Transition[];
  /** Rows that are no longer in force, those that say something else now included. */
  supersede: string[];
}

export interface Reckoning {
  since: number;
  timeline: CompiledTimeline;
  history: History;
  /** The live ledger in force, oldest first. */
  live: readonly Transition[];
  /** The shadow's rows in force. */
  inForce: readonly ShadowLedgerRow[];
  until: number;
}

/**
 * The tenant's dated versions with the shadow's policy in force from `since` on, whatever becomes live later.
 * Calibrations go on as they come, and what is dated before `since` decides as it does in the live ledger.
 */
export function shadowTimeline(live: Timeline, shadow: { policy: Policy; since: number }): CompiledTimeline {
  const ahead = { version: SHADOW_VERSION, effectiveFrom: shadow.since, policy: shadow.policy };
  return compileTimeline({ ...live, policies: [...live.policies, ahead] });
}

export function reckon({ since, timeline, history, live, inForce, until }: Reckoning): Reckoned {
  const result = replay(history, timeline, until);
  const ledger = standingFrom(result.transitions, since);
  const { retract, refresh, add } = reconcile(inForce, ledger);
  const last = ledger.at(-1);
  const lastLive = live.at(-1);
  if (last === undefined || lastLive === undefined) throw new Error('a customer stands somewhere');
  const differs = last.to !== lastLive.to;
  const flowsOf = (rows: readonly Transition[]) =>
    rows.filter(({ effectiveAt }) => effectiveAt >= since).map((row) => flowOf(row, timeline));
  return {
    standing: {
      stage: last.to,
      stageSince: last.effectiveAt,
      liveStage: lastLive.to,
      liveSince: lastLive.effectiveAt,
      differs,
      differsSince: differs ? differingSince(live, ledger) : null,
      basis: differs ? { live: reasonOf(lastLive), shadow: reasonOf(last) } : null,
      flows: { live: flowsOf(live), shadow: flowsOf(ledger) },
      dueAt: earlier(result.reviewAt, result.nextFactAt),
      asOf: until,
    },
    add: [...add, ...refresh.map(({ transition }) => transition)],
    supersede: [...retract, ...refresh.map(({ row }) => row)].map(({ id }) => id),
  };
}

/** From the row that stood at `since` on; before it the shadow has nothing of its own to say. */
export function standingFrom(transitions: readonly Transition[], since: number): readonly Transition[] {
  const first = transitions.findIndex(({ effectiveAt }) => effectiveAt >= since);
  if (first === -1) return transitions.slice(-1);
  return transitions.slice(Math.max(first - 1, 0));
}

/**
 * The instant from which on the last stages of two ledgers, which differ, have differed without a break. Both are
 * walked backwards together, from change to change; they cannot differ before the one that begins later does.
 */
export function differingSince(live: readonly Transition[], shadow: readonly Transition[]): number {
  let i = live.length - 1;
  let j = shadow.length - 1;
  let since = Infinity;
  for (;;) {
    const a = live[i];
    const b = shadow[j];
    if (a === undefined || b === undefined || a.to === b.to) return since;
    since = Math.max(a.effectiveAt, b.effectiveAt);
    if (a.effectiveAt === since) i -= 1;
    if (b.effectiveAt === since) j -= 1;
  }
}

/** How a customer's counts change: what they came to before is taken out, what they come to now is put in. */
export function tally(
  changes: readonly { before: Counted | undefined; after: Counted | undefined }[],
): CountChange[] {
  const sums = new Map<string, CountChange>();
  const add = (count: Omit<CountChange, 'count'>, change: number) => {
    const key = JSON.stringify(count);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { ...count, count: change });
    else sum.count += change;
  };
  const addAll = (counted: Counted | undefined, change: number) => {
    if (counted === undefined) return;
    const { liveStage, stage, flows } = counted;
    add({ kind: 'standing', fromStage: liveStage, toStage: stage, eventType: '' }, change);
    for (const kind of ['live', 'shadow'] as const) {
      for (const [from, toStage, eventType] of flows[kind])
        add({ kind, fromStage: from ?? '', toStage, eventType }, change);
    }
  };
  for (const { before, after } of changes) {
    addAll(before, -1);
    addAll(after, 1);
  }
  return [...sums.values()].filter(({ count }) => count !== 0);
}

export type Counted = Pick<ShadowStanding, 'stage' | 'liveStage' | 'flows'>;

export interface CountChange {
  kind: 'standing' | 'live' | 'shadow';
  fromStage: string;
  toStage: string;
  eventType: string;
  count: number;
}

function flowOf(row: Transition, timeline: CompiledTimeline): Flow {
  const particular = particularType(row, timeline.lifecycleOf(row.policyVersion));
  return [row.from, row.to, `customer.${particular ?? 'stage_changed'}`];
}

function reasonOf({ effectiveAt, cause, evidence }: Transition): Reason {
  return { effectiveAt: new Date(effectiveAt).toISOString(), cause, evidence };
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
