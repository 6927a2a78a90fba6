// Owns turning the core's answer for one customer into rows and events: what is added, what is superseded,
// what is told and what of that is delivered. Pure; ledger-store.ts writes what comes out.

import { newId } from '../ids.js';
import type { ManualMoveFact, OrderFact, ProfileChangeFact, TouchpointFact } from '../lifecycle/facts.js';
import { reconcile } from '../lifecycle/reconcile.js';
import { type Advance, advance, type CustomerState, canAdvance, replay } from '../lifecycle/replay.js';
import type { CompiledTimeline } from '../lifecycle/timeline.js';
import type { Transition } from '../lifecycle/transition.js';
import type { EventDraft } from '../outbox/events.js';
import { outlookOf } from './outlook.js';
import { type Bearing, type Change, tell } from './telling.js';
import type { Advancement, AdvanceOptions, LedgerRow, LockedCustomer, Outlook, Standing } from './work.js';

export interface LifecycleRow {
  customerId: string;
  stage: string;
  stageSince: number;
  lastOrderAt: number | null;
  state: CustomerState;
  outlook: Outlook;
  reviewAt: number | null;
  nextFactAt: number | null;
  dueAt: number | null;
  sequence: number;
  version: number;
  /** Written once, with a new customer. */
  createdAt: number;
  recordedAt: number;
}

export interface History {
  orders: OrderFact[];
  touchpoints: TouchpointFact[];
  moves: ManualMoveFact[];
  changes: ProfileChangeFact[];
  inForce: LedgerRow[];
}

export interface Computed {
  /** The clock of recording, for all that is written of this customer. */
  recordedAt: number;
  lifecycle: LifecycleRow;
  added: LedgerRow[];
  supersededIds: string[];
  events: EventDraft[];
  standing: Standing;
}

/** Whether the customer's state alone does not suffice, and their history must be read and replayed. */
export function needsHistory(advancement: Advancement, timeline: CompiledTimeline, now: Date): boolean {
  const { customer, replay: changed } = advancement;
  if (changed === true) return true;
  if (customer.state === null) return false;
  // A fact that was recorded ahead of its time is in the tables and not in the state.
  if (customer.nextFactAt !== null && customer.nextFactAt <= now) return true;
  const news = { createdAt: customer.snapshot.createdAt.getTime(), ...factsOf(advancement) };
  return !canAdvance(customer.state, news, timeline, now.getTime());
}

function factsOf({ orders = [], touchpoints = [], moves = [], changes = [] }: Advancement) {
  return { orders, touchpoints, moves, changes };
}

export interface ComputeInput {
  advancement: Advancement;
  /** Present where `needsHistory` said so. */
  history: History | undefined;
  timeline: CompiledTimeline;
  now: Date;
  options: AdvanceOptions;
}

/**
 * When what is written of a customer now is recorded: a request that has waited for the lock is later than
 * what it waited for, whatever its clock said when it came.
 */
export function recordingTime(now: Date, { recordedAt }: LockedCustomer): Date {
  return recordedAt !== null && recordedAt > now ? recordedAt : now;
}

export function compute(input: ComputeInput): Computed {
  const { advancement, history, timeline, now } = input;
  const { customer } = advancement;
  // Another replica's clock may be ahead of ours: what it has reached is not taken back.
  const asked = (input.options.until ?? now).getTime();
  const until = Math.max(asked, customer.state?.at ?? Number.NEGATIVE_INFINITY);
  const createdAt = customer.snapshot.createdAt.getTime();
  const result =
    history !== undefined
      ? replay({ createdAt, ...history }, timeline, until)
      : customer.state === null
        ? replay({ createdAt, ...factsOf(advancement) }, timeline, until)
        : advance(customer.state, factsOf(advancement), timeline, until);
  const standing = standingOf(customer, result, timeline, now);
  const change = changeOf(history?.inForce, result.transitions);
  const told = tell(input, standing, change, result);
  return {
    recordedAt: now.getTime(),
    lifecycle: lifecycleRow(customer, result, standing, told.events.length, pendingFactAt(input, result)),
    added: told.added,
    supersededIds: [...change.retract.map((row) => row.id), ...change.refresh.map(({ row }) => row.id)],
    events: told.events,
    standing: { ...standing, added: told.added },
  };
}

/** A replay has seen every fact; a step has seen only what came now, so what was pending stays pending. */
function pendingFactAt({ advancement, history }: ComputeInput, result: Advance): number | null {
  const pending = history === undefined ? (advancement.customer.nextFactAt?.getTime() ?? null) : null;
  return earlier(pending, result.nextFactAt);
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function standingOf(
  customer: LockedCustomer,
  result: Advance,
  timeline: CompiledTimeline,
  now: Date,
): Bearing {
  return {
    customerId: customer.snapshot.id,
    stage: result.state.stage,
    stageSince: new Date(result.state.since),
    state: result.state,
    reviewAt: result.reviewAt === null ? null : new Date(result.reviewAt),
    outlook: outlookOf(result, timeline),
    lifecycleVersion: customer.lifecycleVersion + 1,
    recordedAt: now,
  };
}

function changeOf(inForce: LedgerRow[] | undefined, found: Transition[]): Change {
  if (inForce === undefined) return { retract: [], refresh: [], add: found, correctionId: null };
  const change = reconcile(inForce, found);
  const corrects = change.retract.length > 0;
  return { ...change, correctionId: corrects ? newId() : null };
}

function lifecycleRow(
  customer: LockedCustomer,
  result: Advance,
  standing: Bearing,
  eventCount: number,
  nextFactAt: number | null,
): LifecycleRow {
  return {
    customerId: customer.snapshot.id,
    stage: result.state.stage,
    stageSince: result.state.since,
    lastOrderAt: result.state.facts.lastOrderAt,
    state: result.state,
    outlook: standing.outlook,
    reviewAt: result.reviewAt,
    nextFactAt,
    dueAt: earlier(result.reviewAt, nextFactAt),
    sequence: customer.sequence + eventCount,
    version: standing.lifecycleVersion,
    createdAt: customer.snapshot.createdAt.getTime(),
    recordedAt: standing.recordedAt.getTime(),
  };
}
