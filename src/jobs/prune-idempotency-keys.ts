// Owns forgetting answers that nobody may ask for again. Does not own the memory of them (db/idempotency.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { IDEMPOTENCY_TTL_MS, pruneAnswers } from '../db/idempotency.js';
import type { Job, JobResult } from './job.js';

export interface PruneDeps {
  database: Database;
}

/** Small enough to hold no lock for long. */
const BATCH_SIZE = 2_000;
const TENANTS_SCAN_MAX = 10_000;

/** One batch for each tenant that has something to forget. */
export async function runOnce({ database }: PruneDeps, now: Date): Promise<JobResult> {
  const before = new Date(now.getTime() - IDEMPOTENCY_TTL_MS);
  let pruned = 0;
  for (const tenantId of await tenantsWithOld(database, before)) {
    const id = 'prune-idempotency-keys';
    const context: Context = { tenantId, actor: { kind: 'system', id }, now, requestId: id };
    pruned += await database.write(context, (tx) => pruneAnswers(tx, tenantId, before, BATCH_SIZE));
  }
  return { more: pruned > 0, counts: { pruned } };
}

export function pruneIdempotencyKeys(deps: PruneDeps): Job {
  return { name: 'prune-idempotency-keys', schedule: '40 7 * * * *', runOnce: (now) => runOnce(deps, now) };
}

/** The inner limit bounds the look, however much is old; the next run sees the rest. */
async function tenantsWithOld(database: Database, before: Date): Promise<string[]> {
  const rows = await database.find((finder) =>
    finder.rows<{ tenant_id: string }>({
      name: 'idempotency_tenants',
      text: `SELECT DISTINCT tenant_id FROM (
               SELECT tenant_id FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2
             ) old`,
      values: [before, TENANTS_SCAN_MAX],
    }),
  );
  return rows.map((row) => row.tenant_id);
}
