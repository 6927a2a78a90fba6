// Owns the statements of the walk over changed customers: whose is due, who has it, and how far it is. Does not own what
// is found on it (store.ts).

import type { Transaction } from '../db/executor.js';
import type { Described } from './keys.js';

export async function openWalk(tx: Transaction, tenantId: string, now: Date): Promise<void> {
  await tx.rows({
    text: `INSERT INTO duplicate_walks (tenant_id, changed_at, customer_id, due_at)
           VALUES ($1, '-infinity', '00000000-0000-0000-0000-000000000000', $2)`,
    values: [tenantId, now],
  });
}

/** Holds the walk for this transaction; false where it is not due or somebody else has it. */
export async function claimWalk(tx: Transaction, tenantId: string, now: Date): Promise<boolean> {
  const rows = await tx.rows({
    name: 'duplicates_claim_walk',
    text: 'SELECT 1 FROM duplicate_walks WHERE tenant_id = $1 AND due_at <= $2 FOR UPDATE SKIP LOCKED',
    values: [tenantId, now],
  });
  return rows.length > 0;
}

/** The same for who looks at some customers or takes them out at once: waits until a walk under way is through. */
export async function holdWalk(tx: Transaction, tenantId: string): Promise<void> {
  await tx.rows({
    name: 'duplicates_hold_walk',
    text: 'SELECT 1 FROM duplicate_walks WHERE tenant_id = $1 FOR UPDATE',
    values: [tenantId],
  });
}

export interface Changed extends Described {
  id: string;
  /** Merged into another, or erased. */
  isGone: boolean;
}

/** The next customers whose profile has changed, up to a time; the walk moves on behind them. */
export async function nextChanged(
  tx: Transaction,
  tenantId: string,
  { until, limit }: { until: Date; limit: number },
): Promise<Changed[]> {
  return tx.rows<Changed>({
    name: `duplicates_next:${limit}`,
    text: `WITH page AS MATERIALIZED (
             SELECT c.* FROM duplicate_walks w CROSS JOIN LATERAL (
               SELECT id, name, email, phone, country, external_ids, attributes, updated_at,
                      merged_into IS NOT NULL OR erased_at IS NOT NULL AS gone
                 FROM customers
                WHERE tenant_id = $1 AND (updated_at, id) > (w.changed_at, w.customer_id) AND updated_at <= $2
                ORDER BY updated_at, id LIMIT ${limit}) c
              WHERE w.tenant_id = $1
           ), last AS (SELECT updated_at, id FROM page ORDER BY updated_at DESC, id DESC LIMIT 1
           ), moved AS (
             UPDATE duplicate_walks SET changed_at = last.updated_at, customer_id = last.id FROM last
              WHERE tenant_id = $1)
           SELECT id, name, email, phone, country, external_ids AS "externalIds", attributes, gone AS "isGone"
             FROM page`,
    values: [tenantId, until],
  });
}

export async function scheduleWalk(tx: Transaction, tenantId: string, dueAt: Date): Promise<void> {
  await tx.rows({
    name: 'duplicates_schedule',
    text: 'UPDATE duplicate_walks SET due_at = $2 WHERE tenant_id = $1',
    values: [tenantId, dueAt],
  });
}
