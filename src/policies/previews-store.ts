// Owns all SQL of previews. Does not own what they count (preview-tally.ts) nor the walk (preview-walk.ts).

import type { Executor, Transaction } from '../db/executor.js';
import { FIRST_ID, LAST_ID } from '../db/id-ends.js';
import { rowsOfPage } from '../db/page.js';
import type { Policy } from '../lifecycle/policy.js';
import type { PreviewFigures, PreviewTally } from './preview-tally.js';
import { PREVIEW_STATUSES } from './table.js';

export type PreviewStatus = (typeof PREVIEW_STATUSES)[number];

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
  status: PreviewStatus;
  failure: string | null;
  cursor: string | null;
  tally: PreviewTally;
  dueAt: Date | null;
  createdBy: string;
  createdAt: Date;
  finishedAt: Date | null;
}

/** As a list shows it. */
export interface PreviewSummaryRow
  extends Pick<
      PreviewRow,
      | ('id' | 'policyId' | 'policyRevision' | 'effectiveFrom' | 'backfill')
      | ('status' | 'failure' | 'createdAt' | 'finishedAt')
    >,
    PreviewFigures {}

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

export interface PreviewPage {
  policyId: string | undefined;
  status: PreviewStatus | undefined;
  /** The id that the page before ended with. */
  before: string | null;
  limit: number;
}

/** Newest first: their ids follow their making. Of the tally, which may be large, the figures alone are answered. */
export function listPreviews(
  executor: Executor,
  tenantId: string,
  { policyId, status, before, limit }: PreviewPage,
): Promise<PreviewSummaryRow[]> {
  const list = policyId !== undefined ? 'policy' : status !== undefined ? 'status' : 'all';
  const asked = {
    all: [],
    status: [status],
    policy: [policyId, status === undefined ? [...PREVIEW_STATUSES] : [status]],
  };
  return rowsOfPage(executor, limit, (rows) => ({
    name: `policy_previews_list:${list}:${rows}`,
    text: `SELECT id, policy_id AS "policyId", policy_revision AS "policyRevision", effective_from AS "effectiveFrom",
                  backfill, status, failure, created_at AS "createdAt", finished_at AS "finishedAt", figures.*
             FROM (${PAGES[list](rows)}) page CROSS JOIN LATERAL json_to_record(tally)
                  AS figures(customers int, moving int, held int, "straightToChurned" int)
            ORDER BY id DESC`,
    values: [tenantId, FIRST_ID, before ?? LAST_ID, ...asked[list]],
  }));
}

/**
 * A policy's are the newest of each status that is asked for. With an index of them whatever their status there
 * would be two for a policy and a status, and by the statistics of the day the planner was seen to take the other.
 */
const PAGES = {
  all: (rows: number) => newest({}, rows),
  status: (rows: number) => newest({ status: '$4' }, rows),
  policy: (rows: number) => `
    SELECT newest.* FROM unnest($5::text[]) AS asked(status)
     CROSS JOIN LATERAL (${newest({ policy_id: '$4', status: 'asked.status' }, rows)}) newest
     ORDER BY id DESC LIMIT ${rows}`,
};

/**
 * What is filtered by stands in the range and in the order, and not as an equality: so one index alone has that order.
 * By equalities all previews of a tenant were gone through by their ids, where few of them had what was asked for.
 */
function newest(filter: Record<string, string>, rows: number): string {
  const columns = [...Object.keys(filter), 'id'];
  const end = (id: string) => [...Object.values(filter), id].join(', ');
  return `SELECT * FROM policy_previews
           WHERE tenant_id = $1 AND (${columns.join(', ')}) >= (${end('$2')}) AND (${columns.join(', ')}) < (${end('$3')})
           ORDER BY ${columns.map((column) => `${column} DESC`).join(', ')} LIMIT ${rows}`;
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
