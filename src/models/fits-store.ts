// Owns the SQL of fits as jobs: asking for one, taking it up, keeping how far it is.

import type { Executor, Transaction } from '../db/executor.js';
import { LAST_ID } from '../db/id-ends.js';
import { rowsOfPage } from '../db/page.js';
import type { FIT_STAGES, FIT_STATUSES } from './table.js';

export interface FitRow {
  id: string;
  status: (typeof FIT_STATUSES)[number];
  stage: (typeof FIT_STAGES)[number] | null;
  calibrationVersion: number | null;
  attempts: number;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  dueAt: Date | null;
}

const FIT = `id, status, stage, calibration_version AS "calibrationVersion", attempts, created_at AS "createdAt",
  started_at AS "startedAt", finished_at AS "finishedAt", due_at AS "dueAt"`;

export function insertFit(
  tx: Transaction,
  tenantId: string,
  row: Pick<FitRow, 'id' | 'createdAt'> & { requestedBy: string },
): Promise<FitRow[]> {
  return tx.rows({
    text: `INSERT INTO model_fits (tenant_id, id, status, attempts, requested_by, created_at, due_at)
           VALUES ($1, $2, 'queued', 0, $3, $4, $4) RETURNING ${FIT}`,
    values: [tenantId, row.id, row.requestedBy, row.createdAt],
  });
}

/** Newest first: their ids follow their making. */
export function listFits(
  executor: Executor,
  tenantId: string,
  before: string | null,
  limit: number,
): Promise<FitRow[]> {
  return rowsOfPage(executor, limit, (rows) => ({
    name: `models_fits:${rows}`,
    text: `SELECT ${FIT} FROM model_fits WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT ${rows}`,
    values: [tenantId, before ?? LAST_ID],
  }));
}

export async function findFit(executor: Executor, tenantId: string, id: string): Promise<FitRow | undefined> {
  const [row] = await executor.rows<FitRow>({
    name: 'models_fit',
    text: `SELECT ${FIT} FROM model_fits WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id],
  });
  return row;
}

/** One that waits and has not begun: it will read all that there is by then. */
export async function findQueuedFit(tx: Transaction, tenantId: string): Promise<FitRow | undefined> {
  const [newest] = await listFits(tx, tenantId, null, 1);
  return newest?.status === 'queued' && newest.attempts === 0 ? newest : undefined;
}

/** Takes the oldest that is due and leases it; the end of the lease is its token. */
export async function claimFit(
  tx: Transaction,
  tenantId: string,
  { now, leaseUntil }: { now: Date; leaseUntil: Date },
): Promise<FitRow | undefined> {
  const [row] = await tx.rows<FitRow>({
    text: `UPDATE model_fits
              SET status = 'running', stage = 'reading', attempts = attempts + 1, due_at = $3,
                  started_at = coalesce(started_at, $2)
            WHERE tenant_id = $1 AND id = (
              SELECT id FROM model_fits WHERE tenant_id = $1 AND due_at <= $2
               ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING ${FIT}`,
    values: [tenantId, now, leaseUntil],
  });
  return row;
}

/** Writes the row as it now is; false where another replica has taken the fit over since `held`. */
export async function saveFit(
  tx: Transaction,
  tenantId: string,
  row: FitRow,
  held: Date | null,
): Promise<boolean> {
  const rows = await tx.rows({
    text: `UPDATE model_fits SET status = $3, stage = $4, calibration_version = $5, attempts = $6, finished_at = $7,
                                  due_at = $8
            WHERE tenant_id = $1 AND id = $2 AND due_at = $9 RETURNING 1`,
    values: [
      tenantId,
      ...[row.id, row.status, row.stage, row.calibrationVersion, row.attempts, row.finishedAt, row.dueAt],
      held,
    ],
  });
  return rows.length > 0;
}
