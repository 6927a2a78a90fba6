// Owns the SQL of a backtest's work: claiming it, and keeping how far it is under the claim. Does not own that of
// showing it (store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { Calibration } from '../lifecycle/calibration.js';
import type { BacktestPolicies } from './store.js';

export interface Work extends BacktestPolicies {
  id: string;
  horizonDays: number;
  segmentBy: string | null;
  cuts: Date[];
  /** Of the first cuts, as far as they have been fitted. */
  calibrations: Calibration[];
  cursor: string | null;
  customersDone: number;
  customersTotal: number | null;
  tally: Buffer | null;
  failures: number;
}

interface Stored extends Omit<Work, 'cuts' | 'policy' | 'live' | 'calibrations'> {
  cuts: string;
  policies: string;
  calibrations: string;
}

export interface Claim {
  token: string;
  now: Date;
  leaseUntil: Date;
}

/** The one that has been due for longest, unless somebody has it. */
export async function claimWork(
  tx: Transaction,
  tenantId: string,
  { token, now, leaseUntil }: Claim,
): Promise<Work | undefined> {
  const [row] = await tx.rows<Stored>({
    name: 'backtests_claim',
    text: `UPDATE backtests b
              SET due_at = $3, claim_token = $4, status = 'running', started_at = COALESCE(started_at, $2)
            WHERE b.tenant_id = $1 AND b.id = (
              SELECT id FROM backtests WHERE tenant_id = $1 AND due_at <= $2
               ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, horizon_days AS "horizonDays", segment_by AS "segmentBy", cuts, policies, calibrations, cursor,
                  customers_done AS "customersDone", customers_total AS "customersTotal", tally, failures`,
    values: [tenantId, now, leaseUntil, token],
  });
  return row === undefined ? undefined : fromDb(row);
}

function fromDb({ cuts, policies, calibrations, ...row }: Stored): Work {
  const { policy, live }: BacktestPolicies = JSON.parse(policies);
  const instants: string[] = JSON.parse(cuts);
  return {
    ...row,
    ...{ policy, live, cuts: instants.map((cut) => new Date(cut)), calibrations: JSON.parse(calibrations) },
  };
}

/** How many customers the walk goes over. */
export async function countCustomers(executor: Executor, tenantId: string): Promise<number> {
  const [row] = await executor.rows<{ customers: number }>({
    name: 'backtests_count_customers',
    text: 'SELECT count(*)::int AS customers FROM customer_lifecycles WHERE tenant_id = $1',
    values: [tenantId],
  });
  return row?.customers ?? 0;
}

export interface Progress {
  id: string;
  /** The claim under which this is kept. */
  token: string;
  leaseUntil: Date;
  calibrations: Calibration[];
  cursor: string | null;
  customersDone: number;
  customersTotal: number | null;
  tally: Buffer | null;
}

/** False where the claim has been lost: to another replica, or to who has called the backtest off. */
export async function saveProgress(tx: Transaction, tenantId: string, progress: Progress): Promise<boolean> {
  const rows = await tx.lastRows({
    name: 'backtests_progress',
    text: `UPDATE backtests
              SET due_at = $4, calibrations = $5, cursor = $6, customers_done = $7, customers_total = $8, tally = $9,
                  failures = 0
            WHERE tenant_id = $1 AND id = $2 AND claim_token = $3 RETURNING 1`,
    values: [
      ...[tenantId, progress.id, progress.token, progress.leaseUntil, JSON.stringify(progress.calibrations)],
      ...[progress.cursor, progress.customersDone, progress.customersTotal, progress.tally],
    ],
  });
  return rows.length > 0;
}

export interface Ending {
  id: string;
  token: string;
  now: Date;
  customersDone: number;
  /** JSON; null for one that has failed for good. */
  report: string | null;
}

export async function saveEnd(tx: Transaction, tenantId: string, end: Ending): Promise<boolean> {
  const rows = await tx.lastRows({
    name: 'backtests_end',
    text: `UPDATE backtests
              SET status = CASE WHEN $5::text IS NULL THEN 'failed' ELSE 'done' END, report = $5, tally = NULL,
                  customers_done = $6, customers_total = CASE WHEN $5::text IS NULL THEN customers_total ELSE $6 END,
                  due_at = NULL, claim_token = NULL, finished_at = $4
            WHERE tenant_id = $1 AND id = $2 AND claim_token = $3 RETURNING 1`,
    values: [tenantId, end.id, end.token, end.now, end.report, end.customersDone],
  });
  return rows.length > 0;
}

/** Lets go of one that has more to do, for whoever comes first from `dueAt` on. */
export async function letGo(
  tx: Transaction,
  tenantId: string,
  { id, token, dueAt, failures }: { id: string; token: string; dueAt: Date; failures: number },
): Promise<void> {
  await tx.lastRows({
    name: 'backtests_let_go',
    text: `UPDATE backtests SET due_at = $4, claim_token = NULL, failures = $5
            WHERE tenant_id = $1 AND id = $2 AND claim_token = $3 RETURNING 1`,
    values: [tenantId, id, token, dueAt, failures],
  });
}
