// Owns reading what the ledger is a function of: a customer's facts, the tenant's dated versions, and the
// ledger in force to compare with. Reads other modules' tables; writes none.

import type { Executor } from '../db/executor.js';
import type { ManualMoveFact, OrderFact, ProfileChangeFact, TouchpointFact } from '../lifecycle/facts.js';
import { type FittedModels, fittedOf } from '../lifecycle/models/fitted.js';
import type { Policy } from '../lifecycle/policy.js';
import type { Timeline } from '../lifecycle/timeline.js';
import { inForceOfCustomer as inForce, newestVersions as versionColumns } from './rows.js';
import type { LedgerRow } from './work.js';

export interface HistoryRows {
  orders: Map<string, OrderFact[]>;
  touchpoints: Map<string, TouchpointFact[]>;
  moves: Map<string, ManualMoveFact[]>;
  changes: Map<string, ProfileChangeFact[]>;
  inForce: Map<string, LedgerRow[]>;
}

/** Everything that the ledger is a function of, and the ledger in force, for some customers. */
export async function loadHistories(tx: Executor, tenantId: string, ids: string[]): Promise<HistoryRows> {
  const values = [tenantId, ids];
  const [orders, touchpoints, moves, changes, inForce] = await Promise.all([
    tx.rows<OrderFact & { customer: string }>({ name: 'transitions_orders', text: ORDERS, values }),
    tx.rows<TouchpointFact & { customer: string }>({
      name: 'transitions_touchpoints',
      text: TOUCHPOINTS,
      values,
    }),
    tx.rows<ManualMoveFact & { customer: string }>({ name: 'transitions_moves', text: MOVES, values }),
    tx.rows<ProfileChangeFact & { customer: string }>({ name: 'transitions_changes', text: CHANGES, values }),
    tx.rows<LedgerRow & { customer: string }>({ name: 'transitions_in_force', text: IN_FORCE, values }),
  ]);
  return {
    orders: byCustomer(orders),
    touchpoints: byCustomer(touchpoints),
    moves: byCustomer(moves),
    changes: byCustomer(changes),
    inForce: byCustomer(inForce),
  };
}

const MS = (column: string) => `(extract(epoch from ${column}) * 1000)::bigint`;

/** Cancelled, pending and wholly refunded orders never counted; a zero-value order does. */
const ORDERS = `
  SELECT customer_id AS customer, id, ${MS('placed_at')} AS at, categories, currency,
         amount_minor - refunded_minor AS "amountMinor"
    FROM orders
   WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND status = 'placed'
     AND (refunded_minor < amount_minor OR amount_minor = 0)
   ORDER BY customer_id, placed_at, id`;

const TOUCHPOINTS = `
  SELECT customer_id AS customer, id, ${MS('occurred_at')} AS at,
         CASE WHEN satisfaction_scale IS NOT NULL
              THEN json_build_object('scale', satisfaction_scale, 'score', satisfaction_score) END AS satisfaction
    FROM touchpoints WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[])
   ORDER BY customer_id, occurred_at, id`;

const MOVES = `
  SELECT customer_id AS customer, id, ${MS('effective_at')} AS at, to_stage AS "to",
         ${MS('hold_until')} AS "holdUntil", reason, actor
    FROM manual_moves WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[])
   ORDER BY customer_id, effective_at, id`;

const CHANGES = `
  SELECT customer_id AS customer, id, ${MS('effective_at')} AS at, field, value
    FROM customer_attribute_facts WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[])
   ORDER BY customer_id, effective_at, id`;

/** A row that was re-recorded in silence is known outside by the id of the first, which its event told of. */
const ANNOUNCED = `(
  SELECT o.id FROM transitions o
   WHERE o.tenant_id = $1 AND o.customer_id = t.customer_id AND o.effective_at = t.effective_at
     AND o.event_id = t.event_id
   ORDER BY o.recorded_at, o.id LIMIT 1)`;

const IN_FORCE = `
  SELECT customer_id AS customer, id, ${MS('effective_at')} AS "effectiveAt", from_stage AS "from",
         to_stage AS "to", cause, cause_id AS "causeId", policy_version AS "policyVersion",
         calibration_version AS "calibrationVersion", evidence, actor, reason, event_id AS "eventId", told,
         COALESCE(${ANNOUNCED}, id) AS "announcedId"
    FROM transitions t
   WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND ${inForce}
   ORDER BY customer_id, effective_at, id`;

function byCustomer<Row extends { customer: string }>(rows: Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.customer);
    if (group === undefined) groups.set(row.customer, [row]);
    else group.push(row);
  }
  return groups;
}

/** The newest version numbers: by them a cached timeline is known to be current. */
export interface Versions {
  policy: number;
  calibration: number;
  /** Whether a policy decides in the shadow, which has to be told of every customer who changes. */
  isShadowed: boolean;
}

export async function newestVersions(executor: Executor, tenantId: string): Promise<Versions> {
  const [row] = await executor.rows<Versions>({
    name: 'transitions_versions',
    text: `SELECT ${versionColumns('$1')}`,
    values: [tenantId],
  });
  return row ?? { policy: 0, calibration: 0, isShadowed: false };
}

export async function loadTimeline(executor: Executor, tenantId: string): Promise<Timeline> {
  const [policies, calibrations] = await Promise.all([
    executor.rows<{ version: number; effectiveFrom: number | null; policy: Policy }>({
      // A draft has no version.
      text: `SELECT version, ${MS('effective_from')} AS "effectiveFrom", policy
               FROM policies WHERE tenant_id = $1 AND version IS NOT NULL`,
      values: [tenantId],
    }),
    executor.rows<CalibrationRow>({
      text: `SELECT version, ${MS('effective_from')} AS "effectiveFrom", r, alpha_days AS "alphaDays",
                    median_gap_days AS "medianGapDays", models
               FROM calibrations WHERE tenant_id = $1`,
      values: [tenantId],
    }),
  ]);
  return {
    policies,
    calibrations: calibrations.map(({ version, effectiveFrom, r, alphaDays, medianGapDays, models }) => ({
      version,
      effectiveFrom,
      cadence: { r, alphaDays, medianGapDays },
      ...fittedOf(models),
    })),
  };
}

interface CalibrationRow {
  version: number;
  effectiveFrom: number;
  r: number;
  alphaDays: number;
  medianGapDays: number;
  models: FittedModels | null;
}
