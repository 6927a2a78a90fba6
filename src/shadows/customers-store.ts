// Owns the SQL by which a step of a shadow reads and writes its customers: whose time has come, what is
// recorded of them, and the standings, ledger and counts that come of it. Does not own who is marked (marks-store.ts), the
// taking away (removal-store.ts), nor what is shown (report-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import { binaryArray, recordset } from '../db/recordset.js';
import type { Transition } from '../lifecycle/transition.js';
import {
  type CountChange,
  type Counted,
  SHADOW_VERSION,
  type ShadowLedgerRow,
  type ShadowStanding,
} from './reckon.js';

/** Whose stage changes under the shadow by now, the most overdue first. */
export async function readDue(
  tx: Transaction,
  tenantId: string,
  { policyId, now, limit }: { policyId: string; now: Date; limit: number },
): Promise<string[]> {
  const rows = await tx.rows<{ customerId: string }>({
    name: `shadows_due_customers:${limit}`,
    text: `SELECT customer_id AS "customerId" FROM shadow_customers
            WHERE tenant_id = $1 AND policy_id = $2 AND due_at <= $3 ORDER BY due_at LIMIT ${limit}`,
    values: [tenantId, policyId, now],
  });
  return rows.map(({ customerId }) => customerId);
}

export async function nextDueAt(
  executor: Executor,
  tenantId: string,
  policyId: string,
): Promise<Date | undefined> {
  const [row] = await executor.rows<{ dueAt: Date }>({
    name: 'shadows_next_due',
    text: `SELECT due_at AS "dueAt" FROM shadow_customers
            WHERE tenant_id = $1 AND policy_id = $2 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1`,
    values: [tenantId, policyId],
  });
  return row?.dueAt;
}

export interface StoredCustomer {
  counted: Counted;
  asOf: number;
  inForce: ShadowLedgerRow[];
}

const MS = (column: string) => `(extract(epoch from ${column}) * 1000)::bigint`;

/** What is recorded of these customers under the shadow; those who are not in it yet are left out. */
export async function loadStored(
  tx: Transaction,
  tenantId: string,
  { policyId, ids }: { policyId: string; ids: readonly string[] },
): Promise<Map<string, StoredCustomer>> {
  const values = [tenantId, binaryArray('uuid', ids), policyId];
  const [standings, ledger] = await Promise.all([
    tx.rows<Counted & { customer: string; asOf: number }>({
      name: 'shadows_stored',
      text: `SELECT customer_id AS customer, stage, live_stage AS "liveStage", flows, ${MS('as_of')} AS "asOf"
               FROM shadow_customers
              WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND policy_id = $3`,
      values,
    }),
    tx.rows<ShadowLedgerRow & { customer: string }>({
      name: 'shadows_in_force',
      text: `SELECT customer_id AS customer, id, ${MS('effective_at')} AS "effectiveAt", from_stage AS "from",
                    to_stage AS "to", cause, cause_id AS "causeId",
                    COALESCE(policy_version, ${SHADOW_VERSION}) AS "policyVersion",
                    calibration_version AS "calibrationVersion", evidence, actor, reason
               FROM shadow_transitions
              WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND policy_id = $3 AND superseded_at IS NULL
              ORDER BY customer_id, effective_at, id`,
      values,
    }),
  ]);
  const stored = new Map<string, StoredCustomer>();
  for (const { customer, asOf, ...counted } of standings)
    stored.set(customer, { counted, asOf, inForce: [] });
  for (const { customer, ...row } of ledger) stored.get(customer)?.inForce.push(row);
  return stored;
}

const STANDINGS = recordset({
  customerId: 'uuid',
  stage: 'text',
  stageSince: 'timestamptz',
  liveStage: 'text',
  liveSince: 'timestamptz',
  differs: 'bool',
  differsSince: 'timestamptz',
  basis: 'json',
  flows: 'json',
  dueAt: 'timestamptz',
  asOf: 'timestamptz',
});

const STANDING_COLUMNS = [
  ...['stage', 'stage_since', 'live_stage', 'live_since', 'differs', 'differs_since', 'basis', 'flows'],
  ...['due_at', 'as_of'],
];

export interface OfShadow<Row> {
  policyId: string;
  rows: readonly Row[];
}

export type StandingRow = ShadowStanding & { customerId: string };

export function writeStandings(
  tx: Transaction,
  tenantId: string,
  { policyId, rows }: OfShadow<StandingRow>,
): Promise<unknown[]> {
  return tx.rows({
    name: 'shadows_write_standings',
    text: `INSERT INTO shadow_customers (tenant_id, policy_id, customer_id, ${STANDING_COLUMNS.join(', ')})
           SELECT $1, $2, r.* FROM ${STANDINGS.sql(3, 'r')}
           ON CONFLICT (tenant_id, customer_id, policy_id) DO UPDATE
              SET ${STANDING_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    values: [tenantId, policyId, ...STANDINGS.values(rows)],
  });
}

const LEDGER = recordset({
  id: 'uuid',
  customerId: 'uuid',
  from: 'text',
  to: 'text',
  effectiveAt: 'timestamptz',
  cause: 'text',
  causeId: 'text',
  policyVersion: 'int4',
  calibrationVersion: 'int4',
  evidence: 'json',
  actor: 'text',
  reason: 'text',
});

export type AddedRow = Transition & { id: string; customerId: string };

export function insertLedger(
  tx: Transaction,
  tenantId: string,
  { policyId, rows, now }: OfShadow<AddedRow> & { now: Date },
): Promise<unknown[]> {
  const ownVersion = ({ policyVersion }: AddedRow) =>
    policyVersion === SHADOW_VERSION ? null : policyVersion;
  return tx.rows({
    name: 'shadows_insert_ledger',
    text: `INSERT INTO shadow_transitions (tenant_id, policy_id, recorded_at, id, customer_id, from_stage, to_stage,
                                           effective_at, cause, cause_id, policy_version, calibration_version,
                                           evidence, actor, reason)
           SELECT $1, $2, $3, r.* FROM ${LEDGER.sql(4, 'r')}`,
    values: [
      ...[tenantId, policyId, now],
      ...LEDGER.values(rows.map((row) => ({ ...row, policyVersion: ownVersion(row) }))),
    ],
  });
}

export function supersede(
  tx: Transaction,
  tenantId: string,
  { ids, now }: { ids: readonly string[]; now: Date },
): Promise<unknown[]> {
  return tx.rows({
    name: 'shadows_supersede',
    text: 'UPDATE shadow_transitions SET superseded_at = $3 WHERE tenant_id = $1 AND id = ANY($2::uuid[])',
    values: [tenantId, binaryArray('uuid', ids), now],
  });
}

const COUNTS = recordset({
  kind: 'text',
  fromStage: 'text',
  toStage: 'text',
  eventType: 'text',
  count: 'int4',
});

export function changeCounts(
  tx: Transaction,
  tenantId: string,
  { policyId, rows }: OfShadow<CountChange>,
): Promise<unknown[]> {
  return tx.rows({
    name: 'shadows_count',
    text: `INSERT INTO shadow_counts AS c (tenant_id, policy_id, kind, from_stage, to_stage, event_type, count)
           SELECT $1, $2, r.* FROM ${COUNTS.sql(3, 'r')}
           ON CONFLICT (tenant_id, policy_id, kind, from_stage, to_stage, event_type)
              DO UPDATE SET count = c.count + excluded.count`,
    values: [tenantId, policyId, ...COUNTS.values(rows)],
  });
}
