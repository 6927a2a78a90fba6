// Owns the statements on what customers are known by where it changes hands: with a merge, and back. Does not own
// claiming and giving up identities (customers/).

import type { Executor, Transaction } from '../db/executor.js';
import { recordset } from '../db/recordset.js';

interface Between {
  from: string;
  to: string;
}

export interface HeldIdentity {
  namespace: string;
  id: string;
}

/** Everything that one is known by, what others left to them included: 22 at most of each of those. */
export function identitiesHeld(
  executor: Executor,
  tenantId: string,
  customerId: string,
): Promise<HeldIdentity[]> {
  return executor.rows({
    name: 'transitions_identities_held',
    text: `SELECT namespace, value AS id FROM (
             SELECT namespace, value FROM customer_identities WHERE tenant_id = $1 AND customer_id = $2 OFFSET 0) i
            ORDER BY namespace, value`,
    values: [tenantId, customerId],
  });
}

/** Everything that one is known by becomes the other's. */
export function moveIdentities(
  tx: Transaction,
  tenantId: string,
  { from, to }: Between,
): Promise<HeldIdentity[]> {
  return tx.rows({
    name: 'transitions_merge_identities',
    text: `UPDATE customer_identities SET customer_id = $3
            WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
              SELECT ctid FROM customer_identities WHERE tenant_id = $1 AND customer_id = $2))
           RETURNING namespace, value AS id`,
    values: [tenantId, from, to],
  });
}

const HELD = recordset({ namespace: 'text', value: 'text' });

/** Of these identities, those that `from` still has become the other's again. */
export function returnIdentities(
  tx: Transaction,
  tenantId: string,
  { from, to, identities }: Between & { identities: readonly HeldIdentity[] },
): Promise<HeldIdentity[]> {
  return tx.rows({
    name: 'transitions_unmerge_identities',
    text: `UPDATE customer_identities SET customer_id = $3
            WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
              SELECT i.place FROM ${HELD.sql(4, 'r')}
               CROSS JOIN LATERAL (
                 SELECT ctid AS place, customer_id FROM customer_identities
                  WHERE tenant_id = $1 AND namespace = r.namespace AND value = r.value LIMIT 1) i
               WHERE i.customer_id = $2))
           RETURNING namespace, value AS id`,
    values: [tenantId, from, to, ...held(identities)],
  });
}

/** Who has each of these identities; those that nobody has are left out. */
export function holdersOf(
  executor: Executor,
  tenantId: string,
  identities: readonly HeldIdentity[],
): Promise<(HeldIdentity & { customer: string })[]> {
  return executor.rows({
    name: 'transitions_identity_holders',
    text: `SELECT r.namespace, r.value AS id, i.customer_id AS customer FROM ${HELD.sql(2, 'r')}
            CROSS JOIN LATERAL (
              SELECT customer_id FROM customer_identities
               WHERE tenant_id = $1 AND namespace = r.namespace AND value = r.value LIMIT 1) i`,
    values: [tenantId, ...held(identities)],
  });
}

function held(identities: readonly HeldIdentity[]): Buffer[] {
  return HELD.values(identities.map(({ namespace, id }) => ({ namespace, value: id })));
}
