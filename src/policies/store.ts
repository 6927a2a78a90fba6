// Owns all SQL of calibrations, and the look for tenants with something due. Does not own that of policies
// (policies-store.ts) nor of the walks over all customers that a new version asks for (recomputations-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { CadenceFit } from '../lifecycle/models/cadenceFit.js';
import type { FittedModels } from '../lifecycle/models/fitted.js';

export interface CalibrationRow extends CadenceFitColumns {
  version: number;
  effectiveFrom: Date;
  customers: number;
  /** Null in versions made before there were models beside the cadence. */
  models: FittedModels | null;
  createdAt: Date;
}

type CadenceFitColumns = Pick<
  CadenceFit,
  'r' | 'alphaDays' | 'medianGapDays' | 'completedGaps' | 'method' | 'logLikelihood'
>;

const CALIBRATION = `version, effective_from AS "effectiveFrom", r, alpha_days AS "alphaDays",
  median_gap_days AS "medianGapDays", completed_gaps AS "completedGaps", customers, method,
  log_likelihood AS "logLikelihood", models, created_at AS "createdAt"`;

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
                                     completed_gaps, customers, method, log_likelihood, models, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
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
      row.models,
      row.createdAt,
    ],
  });
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
