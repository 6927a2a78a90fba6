// Owns one step of a walk over all customers of a tenant: the next of them are locked, decided anew and written.
// Does not own how far the walk is (policies/recompute.ts) nor the deciding (advance.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { newestVersions } from './history-store.js';
import { fromDbCustomer } from './rows.js';
import { lockNext } from './store.js';
import type { TickDeps } from './tick.js';
import type { Timelines } from './timeline.js';

export interface WalkStep {
  after: string | null;
  limit: number;
  deliver: boolean;
  /** When the version came into being: what has fallen due since is left to the ticks. */
  until: Date;
  /** Keeps how far the walk is, in the transaction of the batch; where it answers false, nothing is decided. */
  keep(tx: Transaction, step: { last: string | null; count: number }): Promise<boolean>;
}

export interface WalkResult {
  last: string | null;
  count: number;
  isKept: boolean;
}

export interface RecomputingDeps {
  database: Database;
  timelines: Timelines;
  advanceCustomers: TickDeps['advanceCustomers'];
}

export function recomputeNext(
  { database, timelines, advanceCustomers }: RecomputingDeps,
  context: Context,
  { after, limit, deliver, until, keep }: WalkStep,
): Promise<WalkResult> {
  const { tenantId } = context;
  return database.write(context, async (tx) => {
    const locking = lockNext(tx, tenantId, after, limit);
    // In the same message: a walk over very many takes as long as its round trips.
    timelines.prime(tx, tenantId, newestVersions(tx, tenantId));
    const rows = await locking;
    const result = { last: rows.at(-1)?.id ?? null, count: rows.length };
    if (!(await keep(tx, result))) return { ...result, isKept: false };
    const advancements = rows.map((row) => ({ customer: fromDbCustomer(row) }));
    await advanceCustomers(tx, context, advancements, { mode: 'write', deliver, until });
    return { ...result, isKept: true };
  });
}
