// Owns the statements on merges themselves. What a merge moves is moved by transitions/merging-store.ts.

import type { Executor, Transaction } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import type { MovedCounts, MovedIdentity, ProfileCopy } from './copies.js';

export interface MergeRow {
  id: string;
  survivorId: string;
  mergedId: string;
  before: ProfileCopy | null;
  after: ProfileCopy | null;
  merged: ProfileCopy | null;
  identities: MovedIdentity[] | null;
  moved: MovedCounts;
  sequence: number;
  lifecycleVersion: number;
  mergedBy: string;
  reason: string | null;
  createdAt: Date;
  undoneBy: string | null;
  undoReason: string | null;
  undoneAt: Date | null;
}

const COLUMNS = `
  id, survivor_id AS "survivorId", merged_id AS "mergedId", before, after, merged, identities, moved, sequence,
  lifecycle_version AS "lifecycleVersion", merged_by AS "mergedBy", reason, created_at AS "createdAt",
  undone_by AS "undoneBy", undo_reason AS "undoReason", undone_at AS "undoneAt"`;

/** Written before anything is moved: the rows that are, name it. */
export async function insertMerge(tx: Transaction, tenantId: string, merge: MergeRow): Promise<void> {
  await tx.rows({
    name: 'merges_insert',
    text: `INSERT INTO customer_merges (tenant_id, id, survivor_id, merged_id, before, after, merged, identities,
                                        moved, sequence, lifecycle_version, merged_by, created_at, reason)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    values: [
      ...[tenantId, merge.id, merge.survivorId, merge.mergedId],
      ...[merge.before, merge.after, merge.merged, merge.identities, merge.moved].map(textOf),
      ...[merge.sequence, merge.lifecycleVersion, merge.mergedBy, merge.createdAt, merge.reason],
    ],
  });
}

export async function saveMoved(
  tx: Transaction,
  tenantId: string,
  { id, moved, identities }: Pick<MergeRow, 'id' | 'moved' | 'identities'>,
): Promise<void> {
  await tx.rows({
    name: 'merges_save_moved',
    text: 'UPDATE customer_merges SET moved = $3, identities = $4 WHERE tenant_id = $1 AND id = $2',
    values: [tenantId, id, textOf(moved), textOf(identities)],
  });
}

export async function saveUndone(
  tx: Transaction,
  tenantId: string,
  { id, undoneBy, undoneAt, undoReason }: Pick<MergeRow, 'id' | 'undoneBy' | 'undoneAt' | 'undoReason'>,
): Promise<void> {
  await tx.rows({
    name: 'merges_save_undone',
    text: `UPDATE customer_merges SET undone_by = $3, undone_at = $4, undo_reason = $5
            WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id, undoneBy, undoneAt, undoReason],
  });
}

function textOf(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

export async function findMerge(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<MergeRow | undefined> {
  const [row] = await executor.rows<MergeRow>({
    name: 'merges_find',
    text: `SELECT ${COLUMNS} FROM customer_merges WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id],
  });
  return row;
}

/** The id of the customer's last merge that was not undone. */
export async function findLastMerge(
  executor: Executor,
  tenantId: string,
  survivorId: string,
): Promise<string | undefined> {
  const [row] = await executor.rows<{ id: string }>({
    name: 'merges_find_last',
    text: `SELECT id FROM customer_merges
            WHERE tenant_id = $1 AND survivor_id = $2 AND undone_at IS NULL
            ORDER BY created_at DESC, id DESC LIMIT 1`,
    values: [tenantId, survivorId],
  });
  return row?.id;
}

export interface MergeSlice {
  survivorId: string;
  after: readonly [createdAt: string, id: string] | null;
  limit: number;
}

/** Newest first. */
export function listMerges(
  executor: Executor,
  tenantId: string,
  { survivorId, after, limit }: MergeSlice,
): Promise<MergeRow[]> {
  return rowsOfPage(executor, limit, (rows) => ({
    name: `merges_list:${after !== null}:${rows}`,
    text: `SELECT ${COLUMNS} FROM customer_merges
            WHERE tenant_id = $1 AND survivor_id = $2
              ${after === null ? '' : 'AND (created_at, id) < ($3::timestamptz, $4::uuid)'}
            ORDER BY created_at DESC, id DESC LIMIT ${rows}`,
    values: [tenantId, survivorId, ...(after ?? [])],
  }));
}

/** Merges in which `mergedId` became somebody else than one of `ids`, newest first. */
export function listMergedAway(
  executor: Executor,
  tenantId: string,
  { mergedId, ids, after, limit }: Omit<MergeSlice, 'survivorId'> & { mergedId: string; ids: string[] },
): Promise<MergeRow[]> {
  return rowsOfPage(executor, limit, (rows) => ({
    name: `merges_list_away:${after !== null}:${rows}`,
    text: `SELECT ${COLUMNS} FROM customer_merges
            WHERE tenant_id = $1 AND merged_id = $2 AND survivor_id <> ALL ($3::uuid[])
              ${after === null ? '' : 'AND (created_at, id) < ($4::timestamptz, $5::uuid)'}
            ORDER BY created_at DESC, id DESC LIMIT ${rows}`,
    values: [tenantId, mergedId, ids, ...(after ?? [])],
  }));
}

/** Those that one of these customers had a part in, as the one or as the other. */
export async function countMerges(executor: Executor, tenantId: string, ids: string[]): Promise<number> {
  const [row] = await executor.rows<{ count: number }>({
    name: 'merges_count',
    text: `SELECT count(*)::int AS count FROM unnest($2::uuid[]) AS c(id)
            CROSS JOIN LATERAL (
              (SELECT 1 FROM customer_merges WHERE tenant_id = $1 AND survivor_id = c.id
                ORDER BY created_at, id OFFSET 0)
              UNION ALL
              (SELECT 1 FROM customer_merges
                WHERE tenant_id = $1 AND merged_id = c.id AND survivor_id <> ALL ($2::uuid[])
                ORDER BY created_at, id OFFSET 0)) m`,
    values: [tenantId, ids],
  });
  return row?.count ?? 0;
}
