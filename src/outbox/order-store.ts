// Owns the order in which an endpoint is told of one customer, as pieces of SQL: what holds a delivery back, and
// what lets the next one go. Does not own the statements that they are put into.

import type { Transaction } from '../db/executor.js';

/** What is held back is looked at again after its own age, within these bounds. */
const LOOK_MIN = `interval '1 second'`;
const LOOK_MAX = `interval '60 seconds'`;
const CATCH_UP_LOOK = `interval '2 seconds'`;
/** Running replays are among an endpoint's newest. */
export const REPLAYS_LOOKED_BACK_MAX = 1_000;

/**
 * When a delivery that may not go yet is to be looked at again; null where it is its turn. For a select over
 * `picked` with the columns of a delivery, behind the query `catching_up` in its WITH list; `$1` is the tenant and
 * `now` the time.
 *
 * A snapshot that is out of date can only hold back what might go: a predecessor that was seen as finished stays
 * so. Whoever finishes it lets this one go (`freeing`); the time given here is for when nobody does, so it is
 * after the predecessor's own, and doubles with each look: a thousand behind one that waits five hours cost
 * nothing meanwhile.
 *
 * While a replay queues what an endpoint could not be told, what happens now waits: its predecessors may not be
 * in the queue yet. Both are asked of one snapshot, in which either the replay runs or all that it has queued is
 * there.
 */
export function heldBackUntil(now: string): { catchingUp: string; select: string; join: string } {
  const look = `least(greatest(${now} - p.created_at, ${LOOK_MIN}), ${LOOK_MAX})`;
  return {
    // Read only where something is told in order: to the claims of all others it costs nothing.
    catchingUp: `catching_up AS MATERIALIZED (
             SELECT live.endpoint_id
               FROM (SELECT DISTINCT endpoint_id FROM picked
                      WHERE customer_id IS NOT NULL AND replay_of IS NULL) live
              CROSS JOIN LATERAL (
                SELECT FROM (SELECT r.status, r.scope FROM webhook_replays r
                              WHERE r.tenant_id = $1 AND r.endpoint_id = live.endpoint_id
                              ORDER BY r.created_at DESC, r.id DESC LIMIT ${REPLAYS_LOOKED_BACK_MAX}) newest
                 WHERE newest.status = 'running' AND newest.scope <> 'all' LIMIT 1) running
           )`,
    // A claimed one's time is the end of its lease, long after it should be done.
    select: `CASE WHEN b.id IS NOT NULL
                  THEN greatest(${now}, CASE WHEN b.claim_token IS NULL THEN b.due_at END) + ${look}
                  WHEN p.customer_id IS NULL OR p.replay_of IS NOT NULL THEN NULL
                  WHEN p.endpoint_id IN (SELECT endpoint_id FROM catching_up) THEN ${now} + ${CATCH_UP_LOOK} END`,
    join: `LEFT JOIN LATERAL (
             SELECT e.id, e.due_at, e.claim_token FROM deliveries e
              WHERE e.tenant_id = $1 AND e.endpoint_id = p.endpoint_id AND e.customer_id = p.customer_id
                AND e.finished_at IS NULL AND (e.sequence, e.id) < (p.sequence, p.id)
              ORDER BY e.sequence, e.id LIMIT 1) b ON p.customer_id IS NOT NULL`,
  };
}

/** The next of its order after a row `e`; nothing that is being sent is touched. */
const NEXT = `
  SELECT n.ctid AS place FROM deliveries n
   WHERE n.tenant_id = $1 AND n.endpoint_id = e.endpoint_id AND n.customer_id = e.customer_id
     AND n.finished_at IS NULL AND n.claim_token IS NULL AND (n.sequence, n.id) > (e.sequence, e.id)
   ORDER BY n.sequence, n.id LIMIT 1`;

/**
 * A query for a WITH list, `freed`: makes due at `now` what comes after the deliveries of `ended`, a query of the
 * list with the columns id, endpoint_id, customer_id, sequence, status and finished_at (null where it is not
 * finished). What follows a delivery that was given up says so; what has failed before keeps to its schedule.
 */
export function freeing(ended: string, now: string): string {
  return `
  next_in_order AS MATERIALIZED (
    SELECT next.place, CASE WHEN e.status <> 'succeeded' THEN e.id END AS dead_letter
      FROM ${ended} e CROSS JOIN LATERAL (${NEXT}) next
     WHERE e.customer_id IS NOT NULL AND e.finished_at IS NOT NULL
  ), freed AS (
    UPDATE deliveries d
       SET due_at = CASE d.attempts WHEN 0 THEN ${now} ELSE d.due_at END,
           after_dead_letter = coalesce(next.dead_letter, d.after_dead_letter)
      FROM next_in_order next
     WHERE d.tenant_id = $1 AND d.ctid = next.place AND d.claim_token IS NULL AND d.finished_at IS NULL
    RETURNING d.id
  )`;
}

/**
 * Before the statement that finishes these deliveries: holds what comes after them. A claim that is putting one of
 * them off at this moment would otherwise move the row from under the statement, and the word that it may go, and
 * what it follows, would be lost. A claim waits for nobody, so it cannot be waiting for this transaction.
 */
export async function holdSuccessors(
  tx: Transaction,
  tenantId: string,
  ids: readonly string[],
): Promise<void> {
  await tx.rows({
    name: 'outbox_hold_successors',
    text: `SELECT FROM deliveries WHERE tenant_id = $1 AND claim_token IS NULL AND ctid = ANY(ARRAY(
             SELECT next.place FROM unnest($2::uuid[]) AS r(id)
              CROSS JOIN LATERAL (
                SELECT d.endpoint_id, d.customer_id, d.sequence, d.id FROM deliveries d
                 WHERE d.tenant_id = $1 AND d.id = r.id LIMIT 1) e
              CROSS JOIN LATERAL (${NEXT}) next)) FOR NO KEY UPDATE`,
    values: [tenantId, ids],
  });
}
