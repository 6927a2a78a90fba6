// Owns all SQL of previews. Does not own what they count (preview-tally.ts) nor the walk (preview-walk.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { Policy } from '../lifecycle/policy.js';
import type { PreviewTally } from './preview-tally.js';

export interface PreviewRow {
  id: string;
  policyId: string;
  policyRevision: number;
  policy: Policy;
  effectiveFrom: Date | null;
  backfill: boolean;
  /** The versions in force when it was asked for. */
  policyVersion: number;
  calibrationVersion: number;
  status: 'running' | 'done' | 'failed';
  failure: string | null;
  cursor: string | null;
  tally: PreviewTally;
  dueAt: Date | null;
  createdBy: string;
  createdAt: Date;
  finishedAt: Date | null;
}

const PREVIEW = `id, policy_id AS "policyId", policy_revision AS "policyRevision", policy,
  effective_from AS "effectiveFrom", backfill, policy_version AS "policyVersion",
  calibration_version AS "calibrationVersion", status, failure, cursor, tally, due_at AS "dueAt",
  created_by AS "createdBy", created_at AS "createdAt", finished_at AS "finishedAt"`;

export function insertPreview(tx: Transaction, tenantId: string, row: PreviewRow): Promise<unknown[]> {
  return tx.rows({
    text: `INSERT INTO policy_previews (tenant_id, id, policy_id, policy_revision, policy, effective_from, backfill,
                                        policy_version, calibration_version, status, tally, due_at, created_by,
                                        created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    values: [
      ...[tenantId, row.id, row.policyId, row.policyRevision, row.policy, row.effectiveFrom, row.backfill],
      ...[row.policyVersion, row.calibrationVersion, row.status, row.tally, row.dueAt, row.createdBy],
      row.createdAt,
    ],
  });
}

export async function findPreview(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<PreviewRow | undefined> {
  const [row] = await executor.rows<PreviewRow>({
    name: 'policy_previews_find',
    text: `SELECT ${PREVIEW} FROM policy_previews WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id],
  });
  return row;
}

/** Those under way, counted up to `max` among the newest. */
export async function countRunning(executor: Executor, tenantId: string, max: number): Promise<number> {
  const [row] = await executor.rows<{ running: number }>({
    text: `SELECT count(*)::int AS running FROM (
             SELECT FROM policy_previews WHERE tenant_id = $1 AND due_at IS NOT NULL LIMIT $2) running`,
    values: [tenantId, max],
  });
  return row?.running ?? 0;
}

/** Old ones that have ended; at most `limit` of them. */
export function prunePreviews(
  tx: Transaction,
  tenantId: string,
  { before, limit }: { before: Date; limit: number },
): Promise<unknown[]> {
  return tx.rows({
    text: `DELETE FROM policy_previews WHERE tenant_id = $1 AND id = ANY(ARRAY(
             SELECT id FROM policy_previews WHERE tenant_id = $1 AND created_at < $2
              ORDER BY created_at, id LIMIT $3))`,
    values: [tenantId, before, limit],
  });
}

/** Takes the one that has been due for longest and leases it; a replica that dies leaves it to the next. */
export async function claimPreview(
  tx: Transaction,
  tenantId: string,
  { now, leaseUntil }: { now: Date; leaseUntil: Date },
): Promise<PreviewRow | undefined> {
  const [row] = await tx.rows<PreviewRow>({
    name: 'policy_previews_claim',
    text: `UPDATE policy_previews SET due_at = $3
            WHERE tenant_id = $1 AND id = (
              SELECT id FROM policy_previews WHERE tenant_id = $1 AND due_at <= $2
               ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING ${PREVIEW}`,
    values: [tenantId, now, leaseUntil],
  });
  return row;
}

/** The end of the lease that was taken is its token: false where another replica has it, or the preview is gone. */
export async function savePreview(
  tx: Transaction,
  tenantId: string,
  row: PreviewRow,
  leaseUntil: Date | null,
): Promise<boolean> {
  const rows = await tx.rows({
    name: 'policy_previews_save',
    text: `UPDATE policy_previews SET cursor = $3, tally = $4, due_at = $5, status = $6, failure = $7, finished_at = $8
            WHERE tenant_id = $1 AND id = $2 AND due_at = $9 RETURNING 1`,
    values: [
      ...[tenantId, row.id, row.cursor, row.tally, row.dueAt, row.status, row.failure, row.finishedAt],
      leaseUntil,
    ],
  });
  return rows.length > 0;
}
