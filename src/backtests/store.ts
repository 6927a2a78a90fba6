// Owns all SQL of backtests as they are asked for and shown. Does not own that of their work (work-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import { LAST_ID } from '../db/id-ends.js';
import { rowsOfPage } from '../db/page.js';
import type { BacktestReport } from '../lifecycle/backtest/report.js';
import type { Policy } from '../lifecycle/policy.js';
import type { Timeline } from '../lifecycle/timeline.js';
import type { BACKTEST_STATUSES } from './table.js';

export type BacktestStatus = (typeof BACKTEST_STATUSES)[number];

/** As a list shows it. */
export interface BacktestRow {
  id: string;
  policyKey: string;
  policyVersion: number | null;
  horizonDays: number;
  segmentBy: string | null;
  /** Rising. */
  cuts: string[];
  status: BacktestStatus;
  customersDone: number;
  customersTotal: number | null;
  createdBy: string;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** The policy and the versions that it is compared with. */
export interface BacktestPolicies {
  policy: Policy;
  live: Timeline['policies'];
}

const COLUMNS = `id, policy_key AS "policyKey", policy_version AS "policyVersion", horizon_days AS "horizonDays",
  segment_by AS "segmentBy", cuts, status, customers_done AS "customersDone", customers_total AS "customersTotal",
  created_by AS "createdBy", created_at AS "createdAt", started_at AS "startedAt", finished_at AS "finishedAt"`;

type Stored<Row> = Omit<Row, 'cuts'> & { cuts: string };

function fromDb(row: Stored<BacktestRow>): BacktestRow {
  return { ...row, cuts: JSON.parse(row.cuts) };
}

export async function insertBacktest(
  tx: Transaction,
  tenantId: string,
  row: BacktestRow & { policies: BacktestPolicies },
): Promise<void> {
  await tx.rows({
    text: `INSERT INTO backtests (tenant_id, id, policy_key, policy_version, horizon_days, segment_by, cuts, policies,
                                  calibrations, status, customers_done, failures, due_at, created_by, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '[]', $9, 0, 0, $10, $11, $10)`,
    values: [
      tenantId,
      ...[row.id, row.policyKey, row.policyVersion, row.horizonDays, row.segmentBy, JSON.stringify(row.cuts)],
      ...[JSON.stringify(row.policies), row.status, row.createdAt, row.createdBy],
    ],
  });
}

/** How many are not over, counted up to `max`. */
export async function countOpen(tx: Transaction, tenantId: string, max: number): Promise<number> {
  const [row] = await tx.rows<{ open: number }>({
    text: `SELECT count(*)::int AS open FROM (
             SELECT FROM backtests WHERE tenant_id = $1 AND due_at IS NOT NULL ORDER BY due_at LIMIT $2) open`,
    values: [tenantId, max],
  });
  return row?.open ?? 0;
}

/** Until the transaction ends, nobody takes it further. */
export async function lockBacktest(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<BacktestRow | undefined> {
  const [row] = await tx.rows<Stored<BacktestRow>>({
    name: 'backtests_lock',
    text: `SELECT ${COLUMNS} FROM backtests WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
    values: [tenantId, id],
  });
  return row === undefined ? undefined : fromDb(row);
}

export async function findBacktest(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<BacktestRow | undefined> {
  const [row] = await executor.rows<Stored<BacktestRow>>({
    name: 'backtests_find',
    text: `SELECT ${COLUMNS} FROM backtests WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id],
  });
  return row === undefined ? undefined : fromDb(row);
}

/** The report is large, and kept as text: it is read only where it is shown. */
export async function findReport(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<BacktestReport | null> {
  const [row] = await executor.rows<{ report: string | null }>({
    name: 'backtests_report',
    text: 'SELECT report FROM backtests WHERE tenant_id = $1 AND id = $2',
    values: [tenantId, id],
  });
  return row?.report == null ? null : JSON.parse(row.report);
}

/** Newest first: their ids follow their making. */
export async function listBacktests(
  executor: Executor,
  tenantId: string,
  { policyKey, before, limit }: { policyKey: string; before: string | null; limit: number },
): Promise<BacktestRow[]> {
  const rows = await rowsOfPage<Stored<BacktestRow>>(executor, limit, (size) => ({
    name: `backtests_list:${size}`,
    text: `SELECT ${COLUMNS} FROM backtests WHERE tenant_id = $1 AND policy_key = $2 AND id < $3
            ORDER BY id DESC LIMIT ${size}`,
    values: [tenantId, policyKey, before ?? LAST_ID],
  }));
  return rows.map(fromDb);
}

/** Calls off one that is not over; false for any other. Whoever is at work on it finds the claim gone. */
export async function cancelBacktest(
  tx: Transaction,
  tenantId: string,
  { id, now }: { id: string; now: Date },
): Promise<boolean> {
  const rows = await tx.rows({
    text: `UPDATE backtests SET status = 'cancelled', due_at = NULL, claim_token = NULL, tally = NULL, finished_at = $3
            WHERE tenant_id = $1 AND id = $2 AND due_at IS NOT NULL RETURNING 1`,
    values: [tenantId, id, now],
  });
  return rows.length > 0;
}

export async function deleteBacktest(tx: Transaction, tenantId: string, id: string): Promise<boolean> {
  const rows = await tx.rows({
    text: 'DELETE FROM backtests WHERE tenant_id = $1 AND id = $2 RETURNING 1',
    values: [tenantId, id],
  });
  return rows.length > 0;
}

/** How many are removed at once: where more have gathered, the next ones follow with the next backtest. */
const PRUNED_MAX = 50;

/** Removes what is over, except for the newest `kept` of all. */
export async function pruneBacktests(tx: Transaction, tenantId: string, kept: number): Promise<void> {
  await tx.rows({
    text: `DELETE FROM backtests WHERE tenant_id = $1 AND due_at IS NULL AND id = ANY (ARRAY(
             SELECT id FROM backtests WHERE tenant_id = $1 ORDER BY id DESC OFFSET $2 LIMIT $3)) RETURNING 1`,
    values: [tenantId, kept, PRUNED_MAX],
  });
}
