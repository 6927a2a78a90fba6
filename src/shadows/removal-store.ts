// Owns the SQL by which customers are taken out of shadows. Does not own what becomes of the counts
// (customers-store.ts).

import type { Transaction } from '../db/executor.js';
import { FIRST_ID } from '../db/id-ends.js';
import { binaryArray } from '../db/recordset.js';
import type { Counted } from './reckon.js';
import type { ShadowStatus } from './statuses.js';

/** Takes customers out of the shadow: those who are no more. Answers what they had added to the counts. */
export async function deleteCustomers(
  tx: Transaction,
  tenantId: string,
  { policyId, ids }: { policyId: string; ids: readonly string[] },
): Promise<Counted[]> {
  const values = [tenantId, binaryArray('uuid', ids), policyId];
  const [counted] = await Promise.all([
    tx.rows<Counted>({
      name: 'shadows_delete_customers',
      text: `DELETE FROM shadow_customers
              WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND policy_id = $3
          RETURNING stage, live_stage AS "liveStage", flows`,
      values,
    }),
    tx.rows({
      name: 'shadows_delete_ledger',
      text: `DELETE FROM shadow_transitions
              WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND policy_id = $3`,
      values,
    }),
  ]);
  return counted;
}

export interface HeldShadow {
  policyId: string;
  status: ShadowStatus;
}

/**
 * The shadows that these customers are in or may be about to come into, each kept from whoever would take a step of
 * it: one under way may have read them and not yet written. Everybody locks them in the same order.
 */
export function lockShadowsOf(
  tx: Transaction,
  tenantId: string,
  ids: readonly string[],
): Promise<HeldShadow[]> {
  return tx.rows({
    name: 'shadows_lock_of',
    text: `SELECT s.policy_id AS "policyId", s.status FROM (
             SELECT policy_id FROM (
               SELECT policy_id FROM shadows WHERE tenant_id = $1 AND status = 'running'
               UNION
               SELECT policy_id FROM shadow_customers WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[])) known
              ORDER BY policy_id) of
             CROSS JOIN LATERAL (
               SELECT policy_id, status FROM shadows WHERE tenant_id = $1 AND policy_id = of.policy_id
                LIMIT 1 FOR NO KEY UPDATE) s`,
    values: [tenantId, binaryArray('uuid', ids)],
  });
}

export interface DecidedSince {
  customerId: string;
  since: Date;
}

/** `as_of` is not before the customer's last change was recorded, so it tells the one time from the other whatever the clocks. */
export async function shadowsDecidedSince(
  tx: Transaction,
  tenantId: string,
  { customerId, since }: DecidedSince,
): Promise<string[]> {
  const rows = await tx.rows<{ policyId: string }>({
    name: 'shadows_decided_since',
    text: `SELECT policy_id AS "policyId" FROM shadow_customers
            WHERE tenant_id = $1 AND customer_id = $2 AND as_of >= $3`,
    values: [tenantId, customerId, since],
  });
  return rows.map(({ policyId }) => policyId);
}

/** The next customers of any shadow in the order of their ids, for a walk that takes one shadow's away. */
export async function nextCustomers(
  tx: Transaction,
  tenantId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<string[]> {
  const rows = await tx.rows<{ customerId: string }>({
    name: `shadows_next_customers:${limit}`,
    text: `SELECT customer_id AS "customerId" FROM shadow_customers WHERE tenant_id = $1 AND customer_id > $2
            ORDER BY customer_id LIMIT ${limit}`,
    values: [tenantId, after ?? FIRST_ID],
  });
  return rows.map(({ customerId }) => customerId);
}

export interface Stretch {
  policyId: string;
  after: string | null;
  last: string;
  /** Who is known to be in it. */
  ids: readonly string[];
}

/**
 * Whom the shadow still has in a stretch of the walk over all and who is not among those: they were merged away while
 * it had ended, which leaves it as it was.
 */
export async function strayCustomers(
  tx: Transaction,
  tenantId: string,
  { policyId, after, last, ids, limit }: Stretch & { limit: number },
): Promise<string[]> {
  const rows = await tx.rows<{ customerId: string }>({
    name: `shadows_stray_customers:${limit}`,
    text: `SELECT customer_id AS "customerId" FROM shadow_customers
            WHERE tenant_id = $1 AND policy_id = $2 AND customer_id > $3 AND customer_id <= $4
              AND customer_id <> ALL ($5::uuid[])
            ORDER BY customer_id LIMIT ${limit}`,
    values: [tenantId, policyId, after ?? FIRST_ID, last, binaryArray('uuid', ids)],
  });
  return rows.map(({ customerId }) => customerId);
}
