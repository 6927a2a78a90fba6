// Owns the only statements that write a stage, the ledger and a manual move, and the events and deliveries
// that go with them in one statement.

import type { Transaction } from '../db/executor.js';
import { binaryArray, recordset } from '../db/recordset.js';
import type { ManualMoveFact } from '../lifecycle/facts.js';
import type { EventRow } from '../outbox/events.js';
import { EVENTS, INSERT_EVENTS_SQL } from '../outbox/publish.js';
import type { LifecycleRow } from './ledger.js';
import type { LedgerRow } from './work.js';

export interface AdvanceWrite {
  lifecycles: LifecycleRow[];
  added: LedgerRow[];
  superseded: { id: string; at: number }[];
  events: readonly EventRow[];
  /** Whether the tenant has a policy in shadow, which is told who has changed. */
  isShadowed: boolean;
}

/** Stage, due times, ledger, events and their deliveries: one statement. Answers how many deliveries it made. */
export async function writeAdvance(tx: Transaction, tenantId: string, write: AdvanceWrite): Promise<number> {
  const { lifecycles, added, superseded, events, isShadowed } = write;
  const written = [...LIFECYCLES.values(lifecycles), ...LEDGER.values(added), ...EVENTS.values(events)];
  const { write: plain, correct } = isShadowed ? MARKING : PLAIN;
  const rows = await tx.lastRows<{ deliveries: number }>(
    superseded.length === 0
      ? { ...plain, values: [tenantId, ...written] }
      : { ...correct, values: [tenantId, ...written, ...supersededValues(superseded)] },
  );
  return rows[0]?.deliveries ?? 0;
}

function supersededValues(superseded: AdvanceWrite['superseded']): Buffer[] {
  const ids = superseded.map(({ id }) => id);
  const times = superseded.map(({ at }) => at);
  return [binaryArray('uuid', ids), binaryArray('timestamptz', times)];
}

const LIFECYCLES = recordset({
  customerId: 'uuid',
  stage: 'text',
  stageSince: 'timestamptz',
  lastOrderAt: 'timestamptz',
  state: 'json',
  outlook: 'json',
  reviewAt: 'timestamptz',
  nextFactAt: 'timestamptz',
  dueAt: 'timestamptz',
  sequence: 'int8',
  version: 'int4',
  createdAt: 'timestamptz',
  recordedAt: 'timestamptz',
});

const LEDGER = recordset({
  id: 'uuid',
  customer: 'uuid',
  from: 'text',
  to: 'text',
  effectiveAt: 'timestamptz',
  writtenAt: 'timestamptz',
  cause: 'text',
  causeId: 'text',
  policyVersion: 'int4',
  calibrationVersion: 'int4',
  evidence: 'json',
  actor: 'text',
  reason: 'text',
  correctionId: 'uuid',
  eventId: 'uuid',
  told: 'bool',
});

const LIFECYCLES_FROM = 2;
const LEDGER_FROM = LIFECYCLES_FROM + LIFECYCLES.width;
const EVENTS_FROM = LEDGER_FROM + LEDGER.width;
const SUPERSEDED = EVENTS_FROM + EVENTS.width;

const LIFECYCLE_COLUMNS = [
  ...['stage', 'stage_since', 'last_order_at', 'state', 'outlook', 'review_at', 'next_fact_at', 'due_at'],
  ...['failures', 'sequence', 'version', 'updated_at'],
];

/** A customer's row is found by its key, whatever the planner thinks of the table; see NAMED in store.ts. */
const write = (more: string) => `
  WITH moved AS (
    INSERT INTO customer_lifecycles (tenant_id, customer_id, created_at, ${LIFECYCLE_COLUMNS.join(', ')})
    SELECT $1, r."customerId", r."createdAt", r.stage, r."stageSince", r."lastOrderAt", r.state, r.outlook,
           r."reviewAt", r."nextFactAt", r."dueAt", 0, r.sequence, r.version, r."recordedAt"
      FROM ${LIFECYCLES.sql(LIFECYCLES_FROM, 'r')}
    ON CONFLICT (tenant_id, customer_id) DO UPDATE
       SET ${LIFECYCLE_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
  ), ${more} added AS (
    INSERT INTO transitions (tenant_id, id, customer_id, from_stage, to_stage, effective_at, recorded_at, cause,
                             cause_id, policy_version, calibration_version, evidence, actor, reason,
                             correction_id, event_id, told)
    SELECT $1, r.* FROM ${LEDGER.sql(LEDGER_FROM, 'r')}
  ), ${INSERT_EVENTS_SQL('$1', EVENTS_FROM)}
  SELECT count(*)::int AS deliveries FROM queued`;

const CORRECTION = `superseded AS (
    UPDATE transitions SET superseded_at = ($${SUPERSEDED + 1}::timestamptz[])[array_position($${SUPERSEDED}::uuid[], id)]
     WHERE tenant_id = $1 AND id = ANY($${SUPERSEDED}::uuid[])
  ),`;

/**
 * One mark for each change and shadow, so that it neither waits for another nor is taken for one that a run has read:
 * a customer's version is never had twice.
 */
const MARKS = `marked AS (
    INSERT INTO shadow_marks (tenant_id, policy_id, marked_at, customer_id, version)
    SELECT $1, s.policy_id, r."recordedAt", r."customerId", r.version
      FROM shadows s, ${LIFECYCLES.sql(LIFECYCLES_FROM, 'r')}
     WHERE s.tenant_id = $1 AND s.status = 'running'
    ON CONFLICT DO NOTHING
  ),`;

/** Who has no policy in shadow pays nothing for those who have: the statements are other ones. */
const PLAIN = {
  write: { name: 'transitions_write', text: write('') },
  correct: { name: 'transitions_correct', text: write(CORRECTION) },
};
const MARKING = {
  write: { name: 'transitions_write_marking', text: write(MARKS) },
  correct: { name: 'transitions_correct_marking', text: write(`${CORRECTION} ${MARKS}`) },
};

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
