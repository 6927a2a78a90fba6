// Owns the look across tenants for those that have something due in a queue of their own: a table with `tenant_id`
// and `due_at`, of which the finder may see those two. Does not own the claiming, which is each store's.

import type { Executor } from './executor.js';

/** Bounds the look, however many are due; the next run sees the rest. */
const SCAN_MAX = 1_000;

/** The tables' names: one stands in the text of the statement. */
type Queue =
  | ('recomputations' | 'policy_previews' | 'calibration_schedules')
  | ('model_fits' | 'prediction_walks')
  | ('backtests' | 'duplicate_walks');

/** The most overdue first. Runs as the finder. */
export async function tenantsDue(finder: Executor, queue: Queue, now: Date): Promise<string[]> {
  const rows = await finder.rows<{ tenantId: string }>({
    name: `tenants_due_${queue}`,
    text: `SELECT tenant_id AS "tenantId" FROM (
             SELECT tenant_id, due_at FROM ${queue} WHERE due_at <= $1 ORDER BY due_at LIMIT ${SCAN_MAX}
           ) due GROUP BY tenant_id ORDER BY min(due_at)`,
    values: [now],
  });
  return rows.map(({ tenantId }) => tenantId);
}
