// Owns all SQL of the walks over all customers that a new version asks for. Does not own the walk itself
// (recompute.ts).

import type { Executor, Transaction } from '../db/executor.js';
import { LAST_ID } from '../db/id-ends.js';

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
