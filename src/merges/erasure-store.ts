// Owns the statements by which the copies that merges keep are found and taken away. Does not own whose data a copy
// holds (erasing.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { ProfileCopy } from './copies.js';

/** A time during which a customer had somebody's data; null ends are open. */
export interface Stretch {
  customerId: string;
  recorded: { from: Date; to: Date } | null;
}

export interface Passage {
  id: string;
  survivorId: string;
  mergedId: string;
  merged: ProfileCopy | null;
  from: Date;
  /** When it was undone; null where it holds. */
  to: Date | null;
  /** Whether the customer of the stretch was the one who was merged: then the survivor had the data too. */
  isGuest: boolean;
}

const COLUMNS = 'id, survivor_id, merged_id, merged, created_at, undone_at';

/** The merges that were made, and where the stretch ends were undone, within one of these stretches. */
export function mergesWithin(
  executor: Executor,
  tenantId: string,
  stretches: readonly Stretch[],
): Promise<Passage[]> {
  return executor.rows({
    name: 'merges_within',
    text: `SELECT m.id, survivor_id AS "survivorId", merged_id AS "mergedId", merged, created_at AS "from",
                  undone_at AS "to", merged_id = s.id AS "isGuest"
             FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS s(id, since, until)
            CROSS JOIN LATERAL (
              (SELECT ${COLUMNS} FROM customer_merges
                WHERE tenant_id = $1 AND survivor_id = s.id AND created_at BETWEEN s.since AND s.until
                ORDER BY created_at, id)
              UNION ALL
              (SELECT ${COLUMNS} FROM customer_merges
                WHERE tenant_id = $1 AND merged_id = s.id AND created_at BETWEEN s.since AND s.until
                ORDER BY created_at, id)) m
            WHERE coalesce(undone_at, 'infinity') <= s.until`,
    values: [
      tenantId,
      stretches.map(({ customerId }) => customerId),
      stretches.map(({ recorded }) => recorded?.from.toISOString() ?? '-infinity'),
      stretches.map(({ recorded }) => recorded?.to.toISOString() ?? 'infinity'),
    ],
  });
}

/** Forgets who was who in these merges. */
export async function eraseCopies(tx: Transaction, tenantId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.rows({
    name: 'merges_erase',
    text: `UPDATE customer_merges SET before = NULL, after = NULL, merged = NULL, identities = NULL,
                   reason = NULL, undo_reason = NULL
            WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
    values: [tenantId, ids],
  });
}
