// Owns the only statements that write a stage, the ledger and a manual move, and the events and deliveries
// that go with them in one statement.

import type { Transaction } from '../db/executor.js';
import type { ManualMoveFact } from '../lifecycle/facts.js';
import type { EventRow } from '../outbox/events.js';
import { INSERT_EVENTS_SQL } from '../outbox/publish.js';
import type { LifecycleRow } from './ledger.js';
import type { LedgerRow } from './work.js';

export interface AdvanceWrite {
  lifecycles: LifecycleRow[];
  /** Instants of recording in epoch milliseconds. */
  added: (LedgerRow & { recordedAt: number })[];
  supersededAt: Record<string, number>;
  events: EventRow[];
}

/** Stage, due times, ledger, events and their deliveries: one statement. Answers how many deliveries it made. */
export async function writeAdvance(tx: Transaction, tenantId: string, write: AdvanceWrite): Promise<number> {
  const rows = await tx.lastRows<{ deliveries: number }>({
    name: 'transitions_write',
    text: WRITE,
    values: [
      tenantId,
      JSON.stringify(write.lifecycles),
      JSON.stringify(write.added),
      Object.keys(write.supersededAt),
      JSON.stringify(write.supersededAt),
      JSON.stringify(write.events),
    ],
  });
  return rows[0]?.deliveries ?? 0;
}

const AT = (column: string) => `to_timestamp(${column} / 1000.0)`;

const LIFECYCLE_INPUT = `json_to_recordset($2::json) AS r(
    "customerId" uuid, stage text, "stageSince" float8, "lastOrderAt" float8, state jsonb,
    outlook jsonb, "reviewAt" float8, "nextFactAt" float8, "dueAt" float8, sequence bigint, version int,
    "createdAt" float8, "recordedAt" float8)`;

const LIFECYCLE_COLUMNS = [
  ...['stage', 'stage_since', 'last_order_at', 'state', 'outlook', 'review_at', 'next_fact_at', 'due_at'],
  ...['failures', 'sequence', 'version', 'updated_at'],
];

/** A customer's row is found by its key, whatever the planner thinks of the table; see NAMED in store.ts. */
const WRITE = `
  WITH moved AS (
    INSERT INTO customer_lifecycles (tenant_id, customer_id, created_at, ${LIFECYCLE_COLUMNS.join(', ')})
    SELECT $1, r."customerId", ${AT('r."createdAt"')}, r.stage, ${AT('r."stageSince"')}, ${AT('r."lastOrderAt"')},
           r.state, r.outlook, ${AT('r."reviewAt"')}, ${AT('r."nextFactAt"')}, ${AT('r."dueAt"')},
           0, r.sequence, r.version, ${AT('r."recordedAt"')}
      FROM ${LIFECYCLE_INPUT}
    ON CONFLICT (tenant_id, customer_id) DO UPDATE
       SET ${LIFECYCLE_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
  ), superseded AS (
    UPDATE transitions SET superseded_at = to_timestamp(($5::jsonb ->> id::text)::float8 / 1000.0)
     WHERE tenant_id = $1 AND id = ANY($4::uuid[])
  ), added AS (
    INSERT INTO transitions (tenant_id, id, customer_id, from_stage, to_stage, effective_at, recorded_at, cause,
                             cause_id, policy_version, calibration_version, evidence, actor, reason,
                             correction_id, event_id, told)
    SELECT $1, r.id, r.customer, r."from", r."to", ${AT('r."effectiveAt"')}, ${AT('r."recordedAt"')}, r.cause, r."causeId",
           r."policyVersion", r."calibrationVersion", r.evidence, r.actor, r.reason, r."correctionId",
           r."eventId", r.told
      FROM json_to_recordset($3::json) AS r(
        id uuid, customer uuid, "from" text, "to" text, "effectiveAt" float8, cause text, "causeId" text,
        "policyVersion" int, "calibrationVersion" int, evidence jsonb, actor text, reason text,
        "correctionId" uuid, "eventId" uuid, told boolean, "recordedAt" float8)
  ), ${INSERT_EVENTS_SQL('$1', '$6')}
  SELECT count(*)::int AS deliveries FROM queued`;

export function insertMove(
  tx: Transaction,
  tenantId: string,
  customerId: string,
  move: ManualMoveFact,
): Promise<unknown[]> {
  return tx.rows({
    name: 'transitions_insert_move',
    text: `INSERT INTO manual_moves (tenant_id, id, customer_id, to_stage, reason, actor, hold_until, effective_at)
           VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7::bigint / 1000.0), to_timestamp($8::bigint / 1000.0))`,
    values: [tenantId, move.id, customerId, move.to, move.reason, move.actor, move.holdUntil, move.at],
  });
}
