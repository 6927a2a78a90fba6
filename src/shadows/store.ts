// Owns the SQL of shadows as such: beginning and ending one, finding those that have something to do, holding one
// for a step and keeping how far it is. Does not own that of their customers (customers-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { Policy } from '../lifecycle/policy.js';
import type { CountKind, ShadowFill, ShadowStatus } from './statuses.js';

export interface ShadowRow {
  policyId: string;
  policy: Policy;
  since: Date;
  status: ShadowStatus;
  startedBy: string;
  startedAt: Date;
  stoppedAt: Date | null;
  fill: ShadowFill;
  cursor: string | null;
  customersFilled: number;
  filledAt: Date | null;
  policySeen: number;
  calibrationSeen: number;
  dueAt: Date | null;
}

const SHADOW = `policy_id AS "policyId", policy, since, status, started_by AS "startedBy",
  started_at AS "startedAt", stopped_at AS "stoppedAt", fill, cursor, customers_filled AS "customersFilled",
  filled_at AS "filledAt", policy_seen AS "policySeen", calibration_seen AS "calibrationSeen", due_at AS "dueAt"`;

export async function findShadow(
  executor: Executor,
  tenantId: string,
  policyId: string,
): Promise<ShadowRow | undefined> {
  const [row] = await executor.rows<ShadowRow>({
    name: 'shadows_find',
    text: `SELECT ${SHADOW} FROM shadows WHERE tenant_id = $1 AND policy_id = $2`,
    values: [tenantId, policyId],
  });
  return row;
}

/** The same, kept from whoever would take a step of it. */
export async function lockShadow(
  tx: Transaction,
  tenantId: string,
  policyId: string,
): Promise<ShadowRow | undefined> {
  const [row] = await tx.rows<ShadowRow>({
    text: `SELECT ${SHADOW} FROM shadows WHERE tenant_id = $1 AND policy_id = $2 FOR NO KEY UPDATE`,
    values: [tenantId, policyId],
  });
  return row;
}

/** Counted up to `max`. */
export async function countRunning(executor: Executor, tenantId: string, max: number): Promise<number> {
  const [row] = await executor.rows<{ running: number }>({
    text: `SELECT count(*)::int AS running FROM (
             SELECT FROM shadows WHERE tenant_id = $1 AND status = 'running' LIMIT ${max}) running`,
    values: [tenantId],
  });
  return row?.running ?? 0;
}

/** A stopped one begins anew: its rows are compared with what they now come to, like those of any other. */
export async function insertShadow(
  tx: Transaction,
  tenantId: string,
  row: Pick<ShadowRow, 'policyId' | 'policy' | 'since' | 'startedBy' | 'startedAt'>,
): Promise<void> {
  await tx.rows({
    text: `INSERT INTO shadows (tenant_id, policy_id, policy, since, status, started_by, started_at, fill,
                                customers_filled, policy_seen, calibration_seen, due_at)
           VALUES ($1, $2, $3, $4, 'running', $5, $6, 'opening', 0, 0, 0, $6)
           ON CONFLICT (tenant_id, policy_id) DO UPDATE
              SET policy = excluded.policy, since = excluded.since, status = excluded.status,
                  started_by = excluded.started_by, started_at = excluded.started_at, stopped_at = NULL,
                  fill = excluded.fill, cursor = NULL, customers_filled = 0, filled_at = NULL, policy_seen = 0,
                  calibration_seen = 0, due_at = excluded.due_at, claim_token = NULL`,
    values: [tenantId, row.policyId, row.policy, row.since, row.startedBy, row.startedAt],
  });
}

export interface Ending {
  policyId: string;
  status: 'stopped' | 'removed';
  now: Date;
}

/** Whoever is taking a step of it finds it gone, and that step undone. */
export async function endShadow(
  tx: Transaction,
  tenantId: string,
  { policyId, status, now }: Ending,
): Promise<ShadowRow | undefined> {
  const [row] = await tx.rows<ShadowRow>({
    text: `UPDATE shadows SET status = $3, stopped_at = COALESCE(stopped_at, $4), fill = 'clearing', cursor = NULL,
                              due_at = $4, claim_token = NULL
            WHERE tenant_id = $1 AND policy_id = $2 RETURNING ${SHADOW}`,
    values: [tenantId, policyId, status, now],
  });
  return row;
}

export async function deleteShadow(tx: Transaction, tenantId: string, policyId: string): Promise<void> {
  await Promise.all([
    tx.rows({
      text: 'DELETE FROM shadow_counts WHERE tenant_id = $1 AND policy_id = $2',
      values: [tenantId, policyId],
    }),
    tx.rows({
      text: 'DELETE FROM shadows WHERE tenant_id = $1 AND policy_id = $2',
      values: [tenantId, policyId],
    }),
  ]);
}

export interface DueShadow {
  tenantId: string;
  policyId: string;
}

const DUE_MAX = 1_000;

/**
 * Those whose time has come, and those that nobody is at whose customers have changed. Runs as the finder. The scan is
 * as long as there are shadows under way, and the look at each one's marks stops at the first.
 */
export function shadowsDue(finder: Executor, now: Date): Promise<DueShadow[]> {
  return finder.rows({
    name: 'shadows_due',
    text: `SELECT tenant_id AS "tenantId", policy_id AS "policyId" FROM shadows s
            WHERE due_at IS NOT NULL
              AND (due_at <= $1 OR claim_token IS NULL AND (
                    SELECT true FROM shadow_marks m
                     WHERE m.tenant_id = s.tenant_id AND m.policy_id = s.policy_id AND m.marked_at <= $1 LIMIT 1))
            ORDER BY due_at LIMIT ${DUE_MAX}`,
    values: [now],
  });
}

export interface Claim {
  policyId: string;
  token: string;
  now: Date;
  leaseUntil: Date;
}

/** Leases a shadow; a replica that dies leaves it to the next after the lease. */
export async function claimShadow(
  tx: Transaction,
  tenantId: string,
  { policyId, token, now, leaseUntil }: Claim,
): Promise<ShadowRow | undefined> {
  const [row] = await tx.rows<ShadowRow>({
    name: 'shadows_claim',
    text: `UPDATE shadows SET due_at = $5, claim_token = $3
            WHERE tenant_id = $1 AND policy_id = $2 AND due_at IS NOT NULL AND (claim_token IS NULL OR due_at <= $4)
        RETURNING ${SHADOW}`,
    values: [tenantId, policyId, token, now, leaseUntil],
  });
  return row;
}

/** Holds a shadow that is leased under the token until the transaction ends; undefined where it has gone. */
export async function holdShadow(
  tx: Transaction,
  tenantId: string,
  { policyId, token }: { policyId: string; token: string },
): Promise<ShadowRow | undefined> {
  const [row] = await tx.rows<ShadowRow>({
    name: 'shadows_hold',
    text: `SELECT ${SHADOW} FROM shadows
            WHERE tenant_id = $1 AND policy_id = $2 AND claim_token = $3 FOR NO KEY UPDATE`,
    values: [tenantId, policyId, token],
  });
  return row;
}

export type ShadowProgress = Pick<
  ShadowRow,
  'policyId' | 'fill' | 'cursor' | 'customersFilled' | 'filledAt' | 'policySeen' | 'calibrationSeen' | 'dueAt'
> & {
  /** Null lets go of it. */
  token: string | null;
};

/** Of a shadow that the transaction holds. */
export async function saveProgress(tx: Transaction, tenantId: string, row: ShadowProgress): Promise<void> {
  const { policyId, fill, cursor, customersFilled, filledAt, policySeen, calibrationSeen, dueAt, token } =
    row;
  await tx.rows({
    name: 'shadows_save',
    text: `UPDATE shadows SET fill = $3, cursor = $4, customers_filled = $5, filled_at = $6, policy_seen = $7,
                              calibration_seen = $8, due_at = $9, claim_token = $10
            WHERE tenant_id = $1 AND policy_id = $2`,
    values: [
      ...[tenantId, policyId, fill, cursor, customersFilled, filledAt, policySeen, calibrationSeen, dueAt],
      token,
    ],
  });
}

export interface CountRow {
  kind: CountKind;
  fromStage: string;
  toStage: string;
  eventType: string;
  count: number;
}

export function readCounts(executor: Executor, tenantId: string, policyId: string): Promise<CountRow[]> {
  return executor.rows({
    name: 'shadows_counts',
    text: `SELECT kind, from_stage AS "fromStage", to_stage AS "toStage", event_type AS "eventType", count
             FROM shadow_counts WHERE tenant_id = $1 AND policy_id = $2 AND count <> 0
            ORDER BY kind, from_stage, to_stage, event_type`,
    values: [tenantId, policyId],
  });
}
