// Owns the walk over all customers of a tenant after a new version: in batches, from where it was left, so
// that it can be interrupted at any point and goes on. Does not own the deciding (transitions/).

import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { tenantsDue } from '../db/due-tenants.js';
import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import { leaseUntil } from '../lease.js';
import type { TransitionsService } from '../transitions/service.js';
import { claimRecomputation, type Recomputation, saveProgress } from './recomputations-store.js';

/**
 * Few, so that neither this process nor Postgres is at it for longer than a read may wait where both share its
 * processor: with 500 the slowest reads took a quarter longer, and the walk was no more than a twentieth faster.
 */
const BATCH_SIZE = 100;
/** Batches in one run, so that it ends; the walk is due again at once. */
const BATCHES_MAX = 1_000;
/** Of the time that a batch has taken: it is left to requests before the next one begins. */
const REST_SHARE = 0.1;
const REST_MAX_MS = 100;
/** A replica that dies in the middle is waited for this long; one that lives renews it with every batch. */
const LEASE_MS = 15_000;

export interface RecomputeDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'recompute'>;
  clock: () => Date;
}

/** Takes each tenant's walks further, the oldest first, until they are done or the run has reached its bound. */
export async function recomputeDue(
  deps: RecomputeDeps,
  now: Date,
): Promise<{ customers: number; finished: number }> {
  const result = { customers: 0, finished: 0 };
  const tenants = await deps.database.find((executor) => tenantsDue(executor, 'recomputations', now));
  for (const tenantId of tenants) {
    const context: Context = {
      tenantId,
      actor: { kind: 'system', id: 'recompute' },
      now,
      requestId: newId(),
    };
    for (;;) {
      const lease = leaseUntil(deps, LEASE_MS);
      const walk = await deps.database.write(context, (tx) => claimRecomputation(tx, tenantId, now, lease));
      if (walk === undefined) break;
      const { customers, finished } = await goOn(deps, context, walk);
      result.customers += customers;
      result.finished += finished ? 1 : 0;
      // What is left of it is due again at once, for the next run.
      if (!finished) break;
    }
  }
  return result;
}

async function goOn(deps: RecomputeDeps, context: Context, walk: Recomputation) {
  const { now, tenantId } = context;
  let customers = 0;
  let current = walk;
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const before = current;
    const step = {
      after: before.cursor,
      limit: BATCH_SIZE,
      deliver: !walk.backfill,
      until: walk.createdAt,
      // With the batch itself: one commit for both, and none for a batch that another replica has taken over.
      keep: (tx: Transaction, { last, count }: { last: string | null; count: number }) => {
        const finished = count < BATCH_SIZE;
        current = {
          ...before,
          cursor: last ?? before.cursor,
          customersDone: before.customersDone + count,
          dueAt: finished ? null : leaseUntil(deps, LEASE_MS),
          finishedAt: finished ? now : null,
        };
        return saveProgress(tx, tenantId, current, before.dueAt);
      },
    };
    const begunAtMs = performance.now();
    const { count, isKept } = await deps.transitions.recompute(context, step);
    if (!isKept) return { customers, finished: false };
    customers += count;
    if (current.finishedAt !== null) return { customers, finished: true };
    await sleep(Math.min((performance.now() - begunAtMs) * REST_SHARE, REST_MAX_MS));
  }
  // The stretch is over, not the walk: it is due again at once, for whichever replica comes first.
  const { dueAt: held } = current;
  await deps.database.write(context, (tx) => saveProgress(tx, tenantId, { ...current, dueAt: now }, held));
  return { customers, finished: false };
}
