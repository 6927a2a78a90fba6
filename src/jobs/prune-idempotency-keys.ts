// Owns forgetting answers that nobody may ask for again. Does not own the memory of them (db/idempotency.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { IDEMPOTENCY_TTL_MS, pruneAnswers } from '../db/idempotency.js';
import { tenantsWithOldAnswers } from '../db/idempotency-backlog.js';
import type { Job, JobResult } from './job.js';

export interface PruneDeps {
  database: Database;
}

/** Small enough to hold no lock for long. */
const BATCH_SIZE = 2_000;

/** One batch for each tenant that has something to forget. */
export async function runOnce({ database }: PruneDeps, now: Date): Promise<JobResult> {
  const before = new Date(now.getTime() - IDEMPOTENCY_TTL_MS);
  let pruned = 0;
  for (const tenantId of await database.find((finder) => tenantsWithOldAnswers(finder, before))) {
    const id = 'prune-idempotency-keys';
    const context: Context = { tenantId, actor: { kind: 'system', id }, now, requestId: id };
    pruned += await database.write(context, (tx) => pruneAnswers(tx, tenantId, before, BATCH_SIZE));
  }
  return { more: pruned > 0, counts: { pruned } };
}

export function pruneIdempotencyKeys(deps: PruneDeps): Job {
  return { name: 'prune-idempotency-keys', schedule: '40 7 * * * *', runOnce: (now) => runOnce(deps, now) };
}
