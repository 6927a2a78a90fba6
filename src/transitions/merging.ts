// Owns what a merge of two customers means for the ledger: one history of both, replayed, and back again. Does
// not own the profile that comes of it, nor when it is permitted (merges/).

import type { Context } from '../context.js';
import type { Executor, Transaction } from '../db/executor.js';
import type { ProfileChangeFact } from '../lifecycle/facts.js';
import { reconcile } from '../lifecycle/reconcile.js';
import { replay } from '../lifecycle/replay.js';
import type { Transition } from '../lifecycle/transition.js';
import { type AdvanceDeps, historiesOf } from './advance.js';
import { closeLifecycle, reopenCustomer, setCreatedAt } from './closing-store.js';
import {
  type HeldIdentity,
  holdersOf,
  identitiesHeld,
  moveIdentities,
  returnIdentities,
} from './identities-store.js';
import { type History, recordingTime } from './ledger.js';
import {
  countFacts,
  countReturning,
  type LastValue,
  lastValues,
  type MovedRows,
  moveFacts,
  returnFacts,
} from './merging-store.js';
import { heardBefore, keepWritten, takeWritten } from './parting-store.js';
import type { Heard, LedgerRow, LockedCustomer } from './work.js';

export type { HeldIdentity } from './identities-store.js';
export type { LastValue, MovedRows } from './merging-store.js';

export interface Pair {
  survivor: LockedCustomer;
  merged: LockedCustomer;
  mergeId: string;
  /** Both of these are recorded at this time. */
  now: Date;
}

export interface Parting {
  survivorId: string;
  mergedId: string;
  mergeId: string;
  identities: readonly HeldIdentity[];
  now: Date;
}

export interface Preview {
  /** Where the survivor would stand. */
  stage: string;
  stageSince: Date;
  /** Newest first. */
  retract: LedgerRow[];
  /** Oldest first. */
  add: Transition[];
}

/** The ledger's part in merges. Facts first, profile next, advanceCustomers last: as everywhere. */
export interface Merging {
  /** Gives all facts and identities of the one to the other, and takes the one's lifecycle away. */
  join(
    tx: Transaction,
    tenantId: string,
    pair: Pair,
  ): Promise<{ rows: MovedRows; identities: HeldIdentity[] }>;
  /** Keeps which dated values the merge itself writes to the survivor; `part` takes them away again. */
  keepWritten(
    tx: Transaction,
    tenantId: string,
    written: { mergeId: string; factIds: string[] },
  ): Promise<void>;
  /** What partners had been told of one whom a merge at this instant took away. */
  heardBefore(
    executor: Executor,
    tenantId: string,
    closed: { customerId: string; closedAt: Date },
  ): Promise<Heard[]>;
  /** Gives back what a merge has moved, as far as the survivor still has it. The version that their row had. */
  part(
    tx: Transaction,
    tenantId: string,
    parting: Parting,
  ): Promise<{ rows: MovedRows; identities: HeldIdentity[]; profileVersion: number } | undefined>;
  setCreatedAt(tx: Transaction, tenantId: string, customerId: string, createdAt: Date): Promise<void>;
  lastValues(executor: Executor, tenantId: string, customerIds: string[]): Promise<LastValue[]>;
  holdersOf(
    executor: Executor,
    tenantId: string,
    identities: readonly HeldIdentity[],
  ): Promise<(HeldIdentity & { customer: string })[]>;
  count(executor: Executor, tenantId: string, customerId: string): Promise<MovedRows>;
  identitiesHeld(executor: Executor, tenantId: string, customerId: string): Promise<HeldIdentity[]>;
  countReturning(
    executor: Executor,
    tenantId: string,
    passage: { from: string; mergeId: string },
  ): Promise<MovedRows>;
  /**
   * What `join` and an advance would come to: `survivor` has the joined profile, `changes` are the dated values that
   * it takes on, by the same computation and without a write. */
  preview(
    tx: Transaction,
    context: Context,
    pair: Omit<Pair, 'mergeId' | 'now'> & { changes: readonly ProfileChangeFact[] },
  ): Promise<Preview>;
}

/** When what is written of both is recorded: not before anything that was written of either. */
export function laterOf(now: Date, customers: readonly LockedCustomer[]): Date {
  return customers.reduce((time, customer) => recordingTime(time, customer), now);
}

export function createMerging(deps: Pick<AdvanceDeps, 'timelines'>): Merging {
  return {
    setCreatedAt,
    lastValues,
    holdersOf,
    keepWritten,
    heardBefore,
    count: countFacts,
    identitiesHeld,
    countReturning,

    async join(tx, tenantId, { survivor, merged, mergeId, now }) {
      const from = merged.snapshot.id;
      const to = survivor.snapshot.id;
      const [rows, identities] = await Promise.all([
        moveFacts(tx, tenantId, { from, to, mergeId, now }),
        moveIdentities(tx, tenantId, { from, to }),
        closeLifecycle(tx, tenantId, { customerId: from, mergedInto: to, now }),
      ]);
      return { rows, identities };
    },

    async part(tx, tenantId, { survivorId, mergedId, mergeId, identities, now }) {
      const passage = { from: survivorId, to: mergedId, mergeId, now };
      const profileVersion = await reopenCustomer(tx, tenantId, {
        customerId: mergedId,
        mergedInto: survivorId,
      });
      if (profileVersion === undefined) return undefined;
      const [rows, returned] = await Promise.all([
        returnFacts(tx, tenantId, passage),
        returnIdentities(tx, tenantId, { ...passage, identities }),
        takeWritten(tx, tenantId, passage),
      ]);
      return { rows, identities: returned, profileVersion };
    },

    async preview(tx, context, { survivor, merged, changes }) {
      const timeline = await deps.timelines.of(tx, context.tenantId);
      const pair = [{ customer: survivor }, { customer: merged }];
      const histories = await historiesOf(tx, context.tenantId, pair);
      const own = histories.get(survivor.snapshot.id);
      const other = histories.get(merged.snapshot.id);
      if (own === undefined || other === undefined) throw new Error('each customer has a history');
      const now = laterOf(context.now, [survivor, merged]).getTime();
      const until = Math.max(now, survivor.state?.at ?? Number.NEGATIVE_INFINITY);
      const createdAt = survivor.snapshot.createdAt.getTime();
      const history = joined(own, other);
      const { state, transitions } = replay(
        { createdAt, ...history, changes: [...history.changes, ...changes] },
        timeline,
        until,
      );
      const { retract, add } = reconcile(own.inForce, transitions);
      return { stage: state.stage, stageSince: new Date(state.since), retract, add };
    },
  };
}

/** All facts of both, of whatever kind; the ledger in force is the survivor's alone. */
function joined(own: History, other: History): History {
  const lists = own as unknown as Record<string, unknown[]>;
  const others = other as unknown as Record<string, unknown[]>;
  const all = Object.keys(lists).map((kind) => [
    kind,
    kind === 'inForce' ? lists[kind] : [...(lists[kind] ?? []), ...(others[kind] ?? [])],
  ]);
  return Object.fromEntries(all) as History;
}
