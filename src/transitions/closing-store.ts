// Owns the statements that take the lifecycle of a customer away who was merged into another, and open it again. Does
// not own what passes to the other (merging-store.ts).

import type { Transaction } from '../db/executor.js';
import { inForceOfCustomer } from './rows.js';

export interface Closing {
  customerId: string;
  mergedInto: string;
  now: Date;
}

/** What lists look through: nobody who was merged away is in one. An undo and the next walk write it again. */
const LISTED = ['customer_tags', 'customer_predictions', 'customer_values'];

/** Takes the lifecycle of one who was merged away; what their ledger said is superseded and stays. */
export async function closeLifecycle(
  tx: Transaction,
  tenantId: string,
  { customerId, mergedInto, now }: Closing,
): Promise<void> {
  const values = [tenantId, customerId, now];
  await Promise.all([
    ...LISTED.map((table) =>
      tx.rows({
        name: `transitions_close_${table}`,
        text: `DELETE FROM ${table} WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
                 SELECT ctid FROM ${table} WHERE tenant_id = $1 AND customer_id = $2))`,
        values: [tenantId, customerId],
      }),
    ),
    tx.rows({
      name: 'transitions_close_ledger',
      text: `UPDATE transitions SET superseded_at = $3
              WHERE tenant_id = $1 AND customer_id = $2 AND ${inForceOfCustomer}`,
      values,
    }),
    tx.rows({
      name: 'transitions_close_lifecycle',
      text: 'DELETE FROM customer_lifecycles WHERE tenant_id = $1 AND customer_id = $2',
      values: [tenantId, customerId],
    }),
    tx.rows({
      name: 'transitions_close_customer',
      text: `UPDATE customers SET merged_into = $4, updated_at = $3, version = version + 1
              WHERE tenant_id = $1 AND id = $2`,
      values: [...values, mergedInto],
    }),
  ]);
}

/** A customer exists since the earlier of two: in both rows, since a list by stage goes by the one of them. */
export async function setCreatedAt(
  tx: Transaction,
  tenantId: string,
  customerId: string,
  createdAt: Date,
): Promise<void> {
  const values = [tenantId, customerId, createdAt];
  await Promise.all([
    tx.rows({
      name: 'transitions_set_created_lifecycle',
      text: 'UPDATE customer_lifecycles SET created_at = $3 WHERE tenant_id = $1 AND customer_id = $2',
      values,
    }),
    tx.rows({
      name: 'transitions_set_created',
      text: 'UPDATE customers SET created_at = $3 WHERE tenant_id = $1 AND id = $2',
      values,
    }),
  ]);
}

/** What was left of one who had been merged, locked: they stand for themselves again. */
export async function reopenCustomer(
  tx: Transaction,
  tenantId: string,
  { customerId, mergedInto }: Omit<Closing, 'now'>,
): Promise<number | undefined> {
  const [row] = await tx.rows<{ version: number }>({
    name: 'transitions_reopen_customer',
    text: `UPDATE customers SET merged_into = NULL WHERE tenant_id = $1 AND id = $2 AND merged_into = $3
           RETURNING version`,
    values: [tenantId, customerId, mergedInto],
  });
  return row?.version;
}
