// Owns all SQL of policies, calibrations and the walks over all customers that a new version asks for.

import type { Executor, Transaction } from '../db/executor.js';
import type { CadenceFit, CustomerGaps } from '../lifecycle/models/cadenceFit.js';
import type { Policy } from '../lifecycle/policy.js';

export interface PolicyRow {
  version: number;
  effectiveFrom: Date | null;
  policy: Policy;
  backfill: boolean;
  activatedBy: string;
  createdAt: Date;
}

const POLICY = `version, effective_from AS "effectiveFrom", policy, backfill, activated_by AS "activatedBy",
  created_at AS "createdAt"`;

/** Versions newest first, below `before` where it is given. */
export function listPolicies(
  executor: Executor,
  tenantId: string,
  before: number | null,
  limit: number,
): Promise<PolicyRow[]> {
  return executor.rows({
    name: 'policies_list',
    text: `SELECT ${POLICY} FROM policies
            WHERE tenant_id = $1 AND version < COALESCE($2::int, 2147483647) ORDER BY version DESC LIMIT $3`,
    values: [tenantId, before, limit],
  });
}

export async function findPolicy(
  executor: Executor,
  tenantId: string,
  version: number,
): Promise<PolicyRow | undefined> {
  const rows = await executor.rows<PolicyRow>({
    text: `SELECT ${POLICY} FROM policies WHERE tenant_id = $1 AND version = $2`,
    values: [tenantId, version],
  });
  return rows[0];
}

/** The newest version: whatever its date, it is the one in force now. */
export async function livePolicy(executor: Executor, tenantId: string): Promise<PolicyRow | undefined> {
  const [row] = await listPolicies(executor, tenantId, null, 1);
  return row;
}

export function insertPolicy(tx: Transaction, tenantId: string, row: PolicyRow): Promise<unknown[]> {
  return tx.rows({
    text: `INSERT INTO policies (tenant_id, version, effective_from, policy, backfill, activated_by, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      tenantId,
      row.version,
      row.effectiveFrom,
      row.policy,
      row.backfill,
      row.activatedBy,
      row.createdAt,
    ],
  });
}

export interface CalibrationRow extends CadenceFitColumns {
  version: number;
  effectiveFrom: Date;
  customers: number;
  createdAt: Date;
}

type CadenceFitColumns = Pick<
  CadenceFit,
  'r' | 'alphaDays' | 'medianGapDays' | 'completedGaps' | 'method' | 'logLikelihood'
>;

const CALIBRATION = `version, effective_from AS "effectiveFrom", r, alpha_days AS "alphaDays",
  median_gap_days AS "medianGapDays", completed_gaps AS "completedGaps", customers, method,
  log_likelihood AS "logLikelihood", created_at AS "createdAt"`;

export function listCalibrations(
  executor: Executor,
  tenantId: string,
  before: number | null,
  limit: number,
): Promise<CalibrationRow[]> {
  return executor.rows({
    name: 'calibrations_list',
    text: `SELECT ${CALIBRATION} FROM calibrations
            WHERE tenant_id = $1 AND version < COALESCE($2::int, 2147483647) ORDER BY version DESC LIMIT $3`,
    values: [tenantId, before, limit],
  });
}

export async function newestCalibration(
  executor: Executor,
  tenantId: string,
): Promise<CalibrationRow | undefined> {
  const [row] = await listCalibrations(executor, tenantId, null, 1);
  return row;
}

export function insertCalibration(
  tx: Transaction,
  tenantId: string,
  row: CalibrationRow,
): Promise<unknown[]> {
  return tx.rows({
    text: `INSERT INTO calibrations (tenant_id, version, effective_from, r, alpha_days, median_gap_days,
                                     completed_gaps, customers, method, log_likelihood, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    values: [
      tenantId,
      row.version,
      row.effectiveFrom,
      row.r,
      row.alphaDays,
      row.medianGapDays,
      row.completedGaps,
      row.customers,
      row.method,
      row.logLikelihood,
      row.createdAt,
    ],
  });
}

/** The last day of a purchase for each customer and day of counting orders, up to now, in the policy's zone. */
const PURCHASE_DAYS = `
  SELECT DISTINCT customer_id, (placed_at AT TIME ZONE $2)::date AS day
    FROM orders
   WHERE tenant_id = $1 AND placed_at <= $3 AND status = 'placed'
     AND (refunded_minor < amount_minor OR amount_minor = 0)`;

export interface GapSample {
  gaps: CustomerGaps[];
  medianGapDays: number | null;
  customers: number;
}

/** Completed gaps, equal customers together: what the fit needs grows with the kinds of history, not the customers. */
export async function readGaps(
  executor: Executor,
  tenantId: string,
  timeZone: string,
  now: Date,
): Promise<GapSample> {
  const values = [tenantId, timeZone, now];
  const [gaps, medians] = await Promise.all([
    executor.rows<Required<CustomerGaps>>({
      text: `SELECT gaps, "totalDays", count(*)::int AS customers FROM (
               SELECT count(*)::int - 1 AS gaps, max(day) - min(day) AS "totalDays"
                 FROM (${PURCHASE_DAYS}) days GROUP BY customer_id
             ) customers GROUP BY 1, 2`,
      values,
    }),
    executor.rows<{ median: number | null }>({
      text: `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median FROM (
               SELECT day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM (${PURCHASE_DAYS}) days
             ) gaps WHERE gap IS NOT NULL`,
      values,
    }),
  ]);
  const customers = gaps.reduce((sum, group) => sum + group.customers, 0);
  return {
    gaps: gaps.filter((group) => group.gaps > 0),
    medianGapDays: medians[0]?.median ?? null,
    customers,
  };
}

export interface Recomputation {
  id: string;
  cause: 'policy' | 'calibration';
  version: number;
  backfill: boolean;
  cursor: string | null;
  customersDone: number;
  dueAt: Date | null;
  createdAt: Date;
  finishedAt: Date | null;
}

const RECOMPUTATION = `id, cause, version, backfill, cursor, customers_done AS "customersDone", due_at AS "dueAt",
  created_at AS "createdAt", finished_at AS "finishedAt"`;

export function insertRecomputation(
  tx: Transaction,
  tenantId: string,
  row: Pick<Recomputation, 'id' | 'cause' | 'version' | 'backfill' | 'createdAt'>,
): Promise<unknown[]> {
  return tx.rows({
    text: `INSERT INTO recomputations (tenant_id, id, cause, version, backfill, customers_done, due_at, created_at)
           VALUES ($1, $2, $3, $4, $5, 0, $6, $6)`,
    values: [tenantId, row.id, row.cause, row.version, row.backfill, row.createdAt],
  });
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Newest first: their ids follow their making. */
export function listRecomputations(
  executor: Executor,
  tenantId: string,
  before: string | null,
  limit: number,
): Promise<Recomputation[]> {
  return executor.rows({
    text: `SELECT ${RECOMPUTATION} FROM recomputations WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
    values: [tenantId, before ?? LAST_ID, limit],
  });
}

/** Takes the oldest walk that is due and leases it; a replica that dies leaves it to the next after the lease. */
export async function claimRecomputation(
  tx: Transaction,
  tenantId: string,
  now: Date,
  leaseUntil: Date,
): Promise<Recomputation | undefined> {
  const rows = await tx.rows<Recomputation>({
    text: `UPDATE recomputations SET due_at = $3
            WHERE tenant_id = $1 AND id = (
              SELECT id FROM recomputations WHERE tenant_id = $1 AND due_at <= $2
               ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING ${RECOMPUTATION}`,
    values: [tenantId, now, leaseUntil],
  });
  return rows[0];
}

/** The end of the lease that was taken is its token: false where another replica has taken the walk over since. */
export async function saveProgress(
  tx: Transaction,
  tenantId: string,
  row: Recomputation,
  leaseUntil: Date | null,
): Promise<boolean> {
  const rows = await tx.rows({
    name: 'recomputations_save',
    text: `UPDATE recomputations SET cursor = $3, customers_done = $4, due_at = $5, finished_at = $6
            WHERE tenant_id = $1 AND id = $2 AND due_at = $7 RETURNING 1`,
    values: [tenantId, row.id, row.cursor, row.customersDone, row.dueAt, row.finishedAt, leaseUntil],
  });
  return rows.length > 0;
}

export function scheduleCalibration(tx: Transaction, tenantId: string, dueAt: Date): Promise<unknown[]> {
  return tx.rows({
    text: `INSERT INTO calibration_schedules (tenant_id, due_at) VALUES ($1, $2)
           ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at`,
    values: [tenantId, dueAt],
  });
}

/** Takes a due calibration by putting it off; false where another replica has. */
export async function claimCalibration(
  tx: Transaction,
  tenantId: string,
  now: Date,
  next: Date,
): Promise<boolean> {
  const rows = await tx.rows({
    text: `UPDATE calibration_schedules SET due_at = $3 WHERE tenant_id = $1 AND due_at <= $2 RETURNING 1`,
    values: [tenantId, now, next],
  });
  return rows.length > 0;
}

/** Which tenants have a walk or a calibration due. Runs as the finder. */
export async function tenantsDue(
  executor: Executor,
  queue: 'recomputations' | 'calibration_schedules',
  now: Date,
): Promise<string[]> {
  const rows = await executor.rows<{ tenant_id: string }>({
    name: `policies_due_${queue}`,
    text: `SELECT DISTINCT tenant_id FROM (
             SELECT tenant_id FROM ${queue} WHERE due_at <= $1 ORDER BY due_at LIMIT 1000) due`,
    values: [now],
  });
  return rows.map((row) => row.tenant_id);
}
