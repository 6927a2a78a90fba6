// Owns the SQL of the predictions that lists are filtered by: the walk's schedule and progress, whom it comes
// to next, and what it writes. Reads where customers stand; writes nothing of it.

import type { Executor, Transaction } from '../db/executor.js';
import { FIRST_ID } from '../db/id-ends.js';
import { recordset } from '../db/recordset.js';
import type { DropoutModel } from '../lifecycle/models/dropout.js';
import type { PredictionFacts } from '../lifecycle/models/prediction.js';

export interface PredictionWalk {
  dueAt: Date | null;
  cursor: string | null;
  startedAt: Date | null;
  customersDone: number;
  finishedAt: Date | null;
}

const WALK = `due_at AS "dueAt", cursor, started_at AS "startedAt", customers_done AS "customersDone",
  finished_at AS "finishedAt"`;

/** From the first customer on, at once: whoever walks finds its lease gone, and begins anew with what is new. */
export function restartWalk(tx: Transaction, tenantId: string, now: Date): Promise<unknown[]> {
  return tx.rows({
    text: `INSERT INTO prediction_walks (tenant_id, due_at, customers_done) VALUES ($1, $2, 0)
           ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at, cursor = NULL, started_at = NULL`,
    values: [tenantId, now],
  });
}

export async function findWalk(executor: Executor, tenantId: string): Promise<PredictionWalk | undefined> {
  const [row] = await executor.rows<PredictionWalk>({
    name: 'models_walk',
    text: `SELECT ${WALK} FROM prediction_walks WHERE tenant_id = $1`,
    values: [tenantId],
  });
  return row;
}

/** Takes the walk if it is due and leases it; one that is to begin predicts as of `now`. */
export async function claimWalk(
  tx: Transaction,
  tenantId: string,
  { now, leaseUntil }: { now: Date; leaseUntil: Date },
): Promise<PredictionWalk | undefined> {
  const [row] = await tx.rows<PredictionWalk>({
    text: `UPDATE prediction_walks
              SET due_at = $3, customers_done = CASE WHEN started_at IS NULL THEN 0 ELSE customers_done END,
                  started_at = coalesce(started_at, $2)
            WHERE tenant_id = $1 AND due_at <= $2 RETURNING ${WALK}`,
    values: [tenantId, now, leaseUntil],
  });
  return row;
}

/** The end of the lease is its token: false where the walk has been restarted or taken over since. */
export async function saveWalk(
  tx: Transaction,
  tenantId: string,
  walk: PredictionWalk,
  held: Date | null,
): Promise<boolean> {
  const { dueAt, cursor, startedAt, customersDone, finishedAt } = walk;
  const rows = await tx.rows({
    name: 'models_walk_save',
    text: `UPDATE prediction_walks
              SET due_at = $2, cursor = $3, started_at = $4, customers_done = $5, finished_at = $6
            WHERE tenant_id = $1 AND due_at = $7 RETURNING 1`,
    values: [tenantId, dueAt, cursor, startedAt, customersDone, finishedAt, held],
  });
  return rows.length > 0;
}

export interface Subject {
  id: string;
  facts: PredictionFacts;
}

/** The next customers in the order of their ids, with what is known of them. */
export function listSubjects(
  executor: Executor,
  tenantId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<Subject[]> {
  return executor.rows({
    name: `models_subjects:${limit}`,
    text: `SELECT customer_id AS id, state->'facts' AS facts FROM customer_lifecycles
            WHERE tenant_id = $1 AND customer_id > $2 ORDER BY customer_id LIMIT ${limit}`,
    values: [tenantId, after ?? FIRST_ID],
  });
}

export interface PredictionRow {
  customer: string;
  model: DropoutModel;
  pAlive: number;
  expectedOrders30: number;
  expectedOrders90: number;
  expectedOrders365: number;
}

export interface ValueRow {
  customer: string;
  currency: string;
  historicMinor: number;
  futureMinor: number;
}

export interface Stretch {
  /** Above this customer's id, up to the other's. */
  after: string | null;
  last: string;
  computedAt: Date;
  calibrationVersion: number;
  predictions: readonly PredictionRow[];
  values: readonly ValueRow[];
}

const PREDICTIONS = recordset({
  customer: 'uuid',
  model: 'text',
  pAlive: 'float8',
  expectedOrders30: 'float8',
  expectedOrders90: 'float8',
  expectedOrders365: 'float8',
});
const VALUES = recordset({ customer: 'uuid', currency: 'text', historicMinor: 'int8', futureMinor: 'int8' });

/** What is predicted of a stretch of customers takes the place of all that was. */
export async function writePredictions(tx: Transaction, tenantId: string, stretch: Stretch): Promise<void> {
  const { after, last, computedAt, calibrationVersion, predictions, values } = stretch;
  const range = [tenantId, after ?? FIRST_ID, last];
  await Promise.all([
    tx.rows({
      name: 'models_clear_values',
      text: 'DELETE FROM customer_values WHERE tenant_id = $1 AND customer_id > $2 AND customer_id <= $3',
      values: range,
    }),
    tx.rows({
      name: 'models_write_predictions',
      text: `INSERT INTO customer_predictions (tenant_id, customer_id, computed_at, calibration_version, model,
                         p_alive, expected_orders_30, expected_orders_90, expected_orders_365)
             SELECT $1, r.customer, $2, $3, r.model, r."pAlive", r."expectedOrders30", r."expectedOrders90",
                    r."expectedOrders365" FROM ${PREDICTIONS.sql(4, 'r')}
             ON CONFLICT (tenant_id, customer_id) DO UPDATE
                SET computed_at = excluded.computed_at, calibration_version = excluded.calibration_version,
                    model = excluded.model, p_alive = excluded.p_alive,
                    expected_orders_30 = excluded.expected_orders_30,
                    expected_orders_90 = excluded.expected_orders_90,
                    expected_orders_365 = excluded.expected_orders_365`,
      values: [tenantId, computedAt, calibrationVersion, ...PREDICTIONS.values(predictions)],
    }),
    tx.rows({
      name: 'models_clear_predictions',
      text: `DELETE FROM customer_predictions
              WHERE tenant_id = $1 AND customer_id > $2 AND customer_id <= $3 AND computed_at <> $4`,
      values: [...range, computedAt],
    }),
    tx.rows({
      name: 'models_write_values',
      text: `INSERT INTO customer_values (tenant_id, customer_id, currency, historic_minor, future_minor)
             SELECT $1, r.customer, r.currency, r."historicMinor", r."futureMinor" FROM ${VALUES.sql(2, 'r')}`,
      values: [tenantId, ...VALUES.values(values)],
    }),
  ]);
}
