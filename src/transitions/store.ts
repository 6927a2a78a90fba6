// Owns finding, locking and claiming customers: profile and lifecycle joined in one statement. Histories
// are read in history-store.ts, and the ledger is written in ledger-store.ts; these three alone may know
// other modules' tables, because they must do in few statements what spans several of them.

import { planWith } from '../db/advice.js';
import type { Executor, Transaction } from '../db/executor.js';
import { FIRST_ID } from '../db/id-ends.js';
import { recordset } from '../db/recordset.js';
import { type JoinedRow, joinedColumns, newestCalibration, newestVersions } from './rows.js';

/** A customer named by id or by an external id. */
export type Ref = { kind: 'id'; id: string } | { kind: 'external'; namespace: string; id: string };

export interface NamedRow extends JoinedRow {
  place: number;
}

/** With the tenant's newest versions, which every decision under the lock asks for. */
export interface LockedRow extends NamedRow {
  policy: number;
  calibration: number;
  isShadowed: boolean;
}

const REFS = recordset({ place: 'int4', id: 'uuid', namespace: 'text', value: 'text' });

/**
 * Which places of a list of references name which customer. Each is looked up on its own: a join would be left
 * to the planner, which before the first ANALYZE takes a tenant for a handful of rows and reads them all.
 */
const NAMED = `named AS (
  SELECT r.place, COALESCE(r.id, i.customer_id) AS customer_id
    FROM ${REFS.sql(2, 'r')}
    LEFT JOIN LATERAL (
      SELECT customer_id FROM customer_identities
       WHERE tenant_id = $1 AND namespace = r.namespace AND value = r.value LIMIT 1) i ON true
   ORDER BY customer_id, r.place)`;

/** The rows of each named customer, in the order of their ids, with a lock on both or without. */
const joined = (lock: '' | 'FOR NO KEY UPDATE', more = '') => `WITH ${NAMED}
  SELECT n.place, ${joinedColumns}${more}
    FROM named n
    CROSS JOIN LATERAL (
      SELECT * FROM customer_lifecycles WHERE tenant_id = $1 AND customer_id = n.customer_id LIMIT 1 ${lock}) l
    CROSS JOIN LATERAL (SELECT * FROM customers WHERE tenant_id = $1 AND id = n.customer_id LIMIT 1 ${lock}) c`;

/** Of a customer who is read to be shown. */
const shown = `, l.outlook, ${newestCalibration('$1')} AS newest_calibration`;
const FIND = joined('', shown);
const LOCK = joined('FOR NO KEY UPDATE', `, ${newestVersions('$1')}`);

function named(refs: readonly Ref[]): Buffer[] {
  return REFS.values(
    refs.map((ref, place) =>
      ref.kind === 'id'
        ? { place, id: ref.id, namespace: null, value: null }
        : { place, id: null, namespace: ref.namespace, value: ref.id },
    ),
  );
}

export function findCustomers(
  executor: Executor,
  tenantId: string,
  refs: readonly Ref[],
): Promise<NamedRow[]> {
  const only = refs.length === 1 ? refs[0] : undefined;
  if (only?.kind === 'id') return findOne(executor, tenantId, only.id);
  return executor.rows({ name: 'transitions_find', text: FIND, values: [tenantId, ...named(refs)] });
}

/** The commonest read of all has the plainest statement. */
function findOne(executor: Executor, tenantId: string, id: string): Promise<NamedRow[]> {
  return executor.rows({
    name: 'transitions_find_one',
    text: `SELECT 0 AS place, ${joinedColumns}${shown}
             FROM customer_lifecycles l JOIN customers c ON c.tenant_id = $1 AND c.id = $2
            WHERE l.tenant_id = $1 AND l.customer_id = $2`,
    values: [tenantId, id],
  });
}

/**
 * Locks the named customers in the order of their ids, so that two batches cannot wait for each other. Both
 * rows are locked: after a wait Postgres reads the newest version of what it locks, and the older one of
 * what it does not, which would let a stale profile into a snapshot.
 */
export function lockCustomers(tx: Transaction, tenantId: string, refs: readonly Ref[]): Promise<LockedRow[]> {
  const [only] = refs;
  if (refs.length === 1 && only !== undefined) return lockOne(tx, tenantId, only);
  return tx.rows({
    name: 'transitions_lock',
    text: LOCK,
    values: [tenantId, ...named(refs)],
  });
}

/** One takes half the time of a list of one. */
function lockOne(tx: Transaction, tenantId: string, ref: Ref): Promise<LockedRow[]> {
  if (ref.kind === 'id') {
    return tx.rows({ name: 'transitions_lock_id', text: lockedBy('$2::uuid'), values: [tenantId, ref.id] });
  }
  const id = `(SELECT customer_id FROM customer_identities
                WHERE tenant_id = $1 AND namespace = $2 AND value = $3)`;
  return tx.rows({
    name: 'transitions_lock_external',
    text: lockedBy(id),
    values: [tenantId, ref.namespace, ref.id],
  });
}

const lockedBy = (id: string) => `
  SELECT 0 AS place, ${joinedColumns}, ${newestVersions('$1')}
    FROM customer_lifecycles l JOIN customers c ON c.tenant_id = $1 AND c.id = l.customer_id
   WHERE l.tenant_id = $1 AND l.customer_id = ${id} FOR NO KEY UPDATE OF l, c`;

/** Looked up for each locked row, so that no plan reads more; locked as well, for the reason given above. */
const ITS_PROFILE = `CROSS JOIN LATERAL (
  SELECT * FROM customers WHERE tenant_id = $1 AND id = l.customer_id OFFSET 0 FOR NO KEY UPDATE) c`;

/** Claims customers whose time has come; another replica's claims are passed over, not waited for. */
export function claimDue(
  tx: Transaction,
  { tenantId, since }: DueTenant,
  now: Date,
  limit: number,
): Promise<JoinedRow[]> {
  // With both ends of the range and the limit in the text, the planner takes the index that has this order; with
  // half-known statistics it was all the same seen to sort the whole of a tenant, so sorting is ruled out.
  planWith(tx, 'off', ['sort']);
  const claimed = tx.rows<JoinedRow>({
    name: `transitions_claim_due:${limit}`,
    text: `SELECT ${joinedColumns}
             FROM (SELECT * FROM customer_lifecycles WHERE tenant_id = $1 AND due_at >= $2 AND due_at <= $3
                    ORDER BY due_at LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED) l ${ITS_PROFILE}`,
    values: [tenantId, since, now],
  });
  planWith(tx, 'on', ['sort']);
  return claimed;
}

/** The next rows of a walk over all customers, in the order of their ids. */
const nextRows = (limit: number, lock: string) => `(
  SELECT * FROM customer_lifecycles WHERE tenant_id = $1 AND customer_id > $2
   ORDER BY customer_id LIMIT ${limit} ${lock}) l`;

/** Locks the next customers of a walk over all of them. */
export function lockNext(
  tx: Transaction,
  tenantId: string,
  after: string | null,
  limit: number,
): Promise<JoinedRow[]> {
  return tx.rows({
    name: `transitions_lock_next:${limit}`,
    text: `SELECT ${joinedColumns} FROM ${nextRows(limit, 'FOR NO KEY UPDATE')} ${ITS_PROFILE}`,
    values: [tenantId, after ?? FIRST_ID],
  });
}

/** The same without locks, for a walk that only looks. */
export function listNext(
  executor: Executor,
  tenantId: string,
  after: string | null,
  limit: number,
): Promise<JoinedRow[]> {
  return executor.rows({
    name: `transitions_list_next:${limit}`,
    text: `SELECT ${joinedColumns} FROM ${nextRows(limit, '')}
            CROSS JOIN LATERAL (SELECT * FROM customers WHERE tenant_id = $1 AND id = l.customer_id OFFSET 0) c
            ORDER BY l.customer_id`,
    values: [tenantId, after ?? FIRST_ID],
  });
}

export interface DueTenant {
  tenantId: string;
  /** The earliest due time that was seen of this tenant: where its claim begins. */
  since: Date;
}

/** Which tenants have someone due, the most overdue first. Runs as the finder. */
export function tenantsDue(executor: Executor, now: Date, limit: number): Promise<DueTenant[]> {
  // The inner limit bounds the scan where one tenant has millions due: the others are found once it has
  // been worked down, and the statement stays an index range either way.
  return executor.rows({
    name: 'transitions_tenants_due',
    text: `SELECT tenant_id AS "tenantId", min(due_at) AS since FROM (
             SELECT tenant_id, due_at FROM customer_lifecycles WHERE due_at <= $1 ORDER BY due_at LIMIT $2
           ) due GROUP BY tenant_id ORDER BY since`,
    values: [now, limit],
  });
}

/** Puts a customer whose advance failed aside until `until`, so that the rest go on. */
export async function setAside(
  tx: Transaction,
  tenantId: string,
  customerId: string,
  until: Date,
): Promise<void> {
  await tx.rows({
    text: `UPDATE customer_lifecycles SET due_at = $3, failures = failures + 1
            WHERE tenant_id = $1 AND customer_id = $2`,
    values: [tenantId, customerId, until],
  });
}
