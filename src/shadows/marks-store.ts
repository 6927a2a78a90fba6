// Owns the SQL of marks as a shadow reads and removes them: who has changed and is to be looked at. Does not own how
// they come about, which is with the change itself (transitions/ledger-store.ts).

import type { Transaction } from '../db/executor.js';
import { recordset } from '../db/recordset.js';
import type { OfShadow } from './customers-store.js';

export interface Mark {
  customerId: string;
  markedAt: Date;
  version: number;
}

/** The oldest marks; with those alone that are read here does `deleteMarks` do away. */
export function readMarks(
  tx: Transaction,
  tenantId: string,
  { policyId, now, limit }: { policyId: string; now: Date; limit: number },
): Promise<Mark[]> {
  return tx.rows({
    name: `shadows_marks:${limit}`,
    text: `SELECT customer_id AS "customerId", marked_at AS "markedAt", version FROM shadow_marks
            WHERE tenant_id = $1 AND policy_id = $2 AND marked_at <= $3
            ORDER BY marked_at, customer_id, version LIMIT ${limit}`,
    values: [tenantId, policyId, now],
  });
}

const MARKS = recordset({ customerId: 'uuid', markedAt: 'timestamptz', version: 'int4' });

export function insertMarks(
  tx: Transaction,
  tenantId: string,
  { policyId, rows }: OfShadow<Mark>,
): Promise<unknown[]> {
  return tx.rows({
    name: 'shadows_mark',
    text: `INSERT INTO shadow_marks (tenant_id, policy_id, customer_id, marked_at, version)
           SELECT $1, $2, r.* FROM ${MARKS.sql(3, 'r')} ON CONFLICT DO NOTHING`,
    values: [tenantId, policyId, ...MARKS.values(rows)],
  });
}

/**
 * Of these very marks, in the order in which they were read: one that has come since has another version, and stays.
 * They lie side by side in the key, which is said by their two ends, so that no plan looks at the rest.
 */
export async function deleteMarks(
  tx: Transaction,
  tenantId: string,
  { policyId, rows }: OfShadow<Mark>,
): Promise<void> {
  const ends = [rows[0], rows.at(-1)].filter((mark) => mark !== undefined);
  if (ends.length === 0) return;
  await tx.rows({
    name: 'shadows_unmark',
    text: `DELETE FROM shadow_marks
            WHERE tenant_id = $1 AND policy_id = $2
              AND (marked_at, customer_id, version) >= ($3::timestamptz, $4::uuid, $5::int)
              AND (marked_at, customer_id, version) <= ($6::timestamptz, $7::uuid, $8::int)
              AND (marked_at, customer_id, version) IN (
                    SELECT r."markedAt", r."customerId", r.version FROM ${MARKS.sql(9, 'r')})`,
    values: [
      ...[tenantId, policyId],
      ...ends.flatMap(({ markedAt, customerId, version }) => [markedAt, customerId, version]),
      ...MARKS.values(rows),
    ],
  });
}
