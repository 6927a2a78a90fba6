// Owns all SQL of policies: drafts, shadows and versions. Does not own that of calibrations (store.ts), walks
// (recomputations-store.ts) and previews (previews-store.ts), nor how the ledger reads versions (transitions/).

import type { Executor, Transaction } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import type { Policy } from '../lifecycle/policy.js';
import type { PolicyRef } from './policy-ref.js';
import type { PolicyStatus, StatusChange } from './steps.js';

export interface PolicyRow {
  id: string;
  name: string | null;
  status: PolicyStatus;
  /** Given on activation: null for what has never been in force. */
  version: number | null;
  /** Null: from the beginning of time. Says nothing of what has no version. */
  effectiveFrom: Date | null;
  policy: Policy;
  backfill: boolean;
  activatedBy: string | null;
  /** Oldest first. */
  statusChanges: StatusChange[];
  /** Grows with every change. */
  revision: number;
  createdAt: Date;
}

/** One that is or was in force. */
export interface PolicyVersionRow extends PolicyRow {
  version: number;
}

const POLICY = `id, name, status, version, effective_from AS "effectiveFrom", policy, backfill,
  activated_by AS "activatedBy", status_changes AS "statusChanges", revision, created_at AS "createdAt"`;

export interface PolicyPage {
  status: PolicyStatus | undefined;
  /** Where the page before ended: created at, id. */
  before: readonly [string, string] | null;
  limit: number;
}

/** Newest first. */
export function listPolicies(
  executor: Executor,
  tenantId: string,
  { status, before, limit }: PolicyPage,
): Promise<PolicyRow[]> {
  const values: unknown[] = [tenantId];
  const bound = (value: unknown) => `$${values.push(value)}`;
  const ofStatus = status === undefined ? '' : `AND status = ${bound(status)}`;
  const page =
    before === null
      ? ''
      : `AND (created_at, id) < (${bound(before[0])}::timestamptz, ${bound(before[1])}::uuid)`;
  return rowsOfPage<PolicyRow>(executor, limit, (rows) => ({
    name: `policies_list:${status !== undefined}:${before !== null}:${rows}`,
    text: `SELECT ${POLICY} FROM policies WHERE tenant_id = $1 ${ofStatus} ${page}
            ORDER BY created_at DESC, id DESC LIMIT ${rows}`,
    values,
  }));
}

/** The newest version: whatever its date, it is the one in force now. Drafts have none. */
export async function livePolicy(
  executor: Executor,
  tenantId: string,
): Promise<PolicyVersionRow | undefined> {
  const [row] = await executor.rows<PolicyVersionRow>({
    name: 'policies_live',
    text: `SELECT ${POLICY} FROM policies WHERE tenant_id = $1 AND version IS NOT NULL
            ORDER BY version DESC LIMIT 1`,
    values: [tenantId],
  });
  return row;
}

export async function findPolicy(
  executor: Executor,
  tenantId: string,
  ref: PolicyRef,
): Promise<PolicyRow | undefined> {
  if (ref.kind === 'live') return livePolicy(executor, tenantId);
  const column = ref.kind === 'id' ? 'id' : 'version';
  const [row] = await executor.rows<PolicyRow>({
    name: `policies_find:${column}`,
    text: `SELECT ${POLICY} FROM policies WHERE tenant_id = $1 AND ${column} = $2`,
    values: [tenantId, ref.kind === 'id' ? ref.id : ref.version],
  });
  return row;
}

/** The same, holding the row until the transaction ends. */
export async function lockPolicy(
  tx: Transaction,
  tenantId: string,
  ref: PolicyRef,
): Promise<PolicyRow | undefined> {
  const found = await findPolicy(tx, tenantId, ref);
  if (found === undefined) return undefined;
  const [row] = await tx.rows<PolicyRow>({
    text: `SELECT ${POLICY} FROM policies WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
    values: [tenantId, found.id],
  });
  return row;
}

/** Counted up to `max`. */
export async function countPolicies(
  executor: Executor,
  tenantId: string,
  { status, max }: { status: PolicyStatus; max: number },
): Promise<number> {
  const [row] = await executor.rows<{ count: number }>({
    text: `SELECT count(*)::int AS count FROM (
             SELECT FROM policies WHERE tenant_id = $1 AND status = $2 ORDER BY created_at, id LIMIT $3) counted`,
    values: [tenantId, status, max],
  });
  return row?.count ?? 0;
}

export function insertPolicy(tx: Transaction, tenantId: string, row: PolicyRow): Promise<unknown[]> {
  return tx.rows({
    text: `INSERT INTO policies (tenant_id, id, name, status, version, effective_from, policy, backfill,
                                 activated_by, status_changes, revision, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)`,
    values: [tenantId, ...valuesOf(row), row.createdAt],
  });
}

/** The row as a whole; whoever calls has locked it. */
export function updatePolicy(tx: Transaction, tenantId: string, row: PolicyRow): Promise<unknown[]> {
  return tx.rows({
    text: `UPDATE policies SET name = $3, status = $4, version = $5, effective_from = $6, policy = $7, backfill = $8,
                  activated_by = $9, status_changes = $10::jsonb, revision = $11
            WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, ...valuesOf(row)],
  });
}

function valuesOf(row: PolicyRow): unknown[] {
  return [
    ...[row.id, row.name, row.status, row.version, row.effectiveFrom, row.policy, row.backfill],
    // A list would travel as an array of Postgres.
    ...[row.activatedBy, JSON.stringify(row.statusChanges), row.revision],
  ];
}

/** Its previews go with it. */
export function deletePolicy(tx: Transaction, tenantId: string, id: string): Promise<unknown[]> {
  return tx.rows({
    text: 'DELETE FROM policies WHERE tenant_id = $1 AND id = $2',
    values: [tenantId, id],
  });
}
