// Owns finding the tenants that have answers to forget. Does not own the forgetting (idempotency.ts).

import type { Executor } from './executor.js';

const SCAN_MAX = 10_000;

/** Runs as the finder. The inner limit bounds the look, however much is old; the next run sees the rest. */
export async function tenantsWithOldAnswers(finder: Executor, before: Date): Promise<string[]> {
  const rows = await finder.rows<{ tenant_id: string }>({
    name: 'idempotency_tenants',
    text: `SELECT DISTINCT tenant_id FROM (
             SELECT tenant_id FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2
           ) old`,
    values: [before, SCAN_MAX],
  });
  return rows.map((row) => row.tenant_id);
}
