// Owns what a merge leaves behind that its undo has to know: the dated values that it wrote, and what partners had
// heard of the one who was merged. Does not own the rows that change hands (merging-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { Heard } from './work.js';

/** The survivor takes on dated values by the merge itself: which ones, so that they go with it. */
export async function keepWritten(
  tx: Transaction,
  tenantId: string,
  { mergeId, factIds }: { mergeId: string; factIds: string[] },
): Promise<void> {
  if (factIds.length === 0) return;
  await tx.rows({
    name: 'transitions_keep_written',
    text: `INSERT INTO customer_merge_rows (tenant_id, merge_id, kind, row_id)
           SELECT $1, $2, 'written', w.id FROM unnest($3::uuid[]) AS w(id)`,
    values: [tenantId, mergeId, factIds],
  });
}

/**
 * They say what somebody else was, who is not the survivor any more. It goes by what wrote them and not by what they
 * say: a value that a person or a partner gave the survivor while the two were one, a tag that was taken off them
 * included, was said of the survivor and stays, be it in a field that came from the other.
 */
export async function takeWritten(
  tx: Transaction,
  tenantId: string,
  { from, mergeId }: { from: string; mergeId: string },
): Promise<void> {
  await tx.rows({
    name: 'transitions_take_written',
    text: `DELETE FROM customer_attribute_facts WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
             SELECT f.place FROM customer_merge_rows r
              CROSS JOIN LATERAL (
                SELECT ctid AS place FROM customer_attribute_facts
                 WHERE tenant_id = $1 AND customer_id = $2 AND id = r.row_id LIMIT 1) f
              WHERE r.tenant_id = $1 AND r.merge_id = $3 AND r.kind = 'written'))`,
    values: [tenantId, from, mergeId],
  });
}

/** Of the ledger that a merge at this instant closed, the rows that partners had been told of. */
export function heardBefore(
  executor: Executor,
  tenantId: string,
  { customerId, closedAt }: { customerId: string; closedAt: Date },
): Promise<Heard[]> {
  return executor.rows({
    name: 'transitions_heard_before',
    text: `SELECT (extract(epoch from effective_at) * 1000)::bigint AS "effectiveAt", from_stage AS "from",
                  to_stage AS "to", cause
             FROM transitions
            WHERE tenant_id = $1 AND customer_id = $2 AND superseded_at = $3 AND told
            ORDER BY effective_at, id`,
    values: [tenantId, customerId, closedAt],
  });
}
