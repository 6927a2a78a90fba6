// Owns the SQL by which deliveries and their attempts are looked at and moved by people: lists, one with its
// attempts, a single event to a single endpoint, pulling forward and dropping. Does not own the queue's work.

import type { Executor, Transaction } from '../db/executor.js';
import type { EventRow } from './events.js';
import type { DeliveryStatus } from './queue-store.js';
import type { EventName } from './topics.js';

export interface DeliveryRow {
  id: string;
  eventId: string;
  eventType: EventName;
  endpointId: string;
  status: DeliveryStatus;
  attempts: number;
  dueAt: Date | null;
  isClaimed: boolean;
  firstAttemptAt: Date | null;
  createdAt: Date;
  finishedAt: Date | null;
}

const COLUMNS = `d.id, d.event_id AS "eventId", e.type AS "eventType", d.endpoint_id AS "endpointId", d.status,
  d.attempts, d.due_at AS "dueAt", d.claim_token IS NOT NULL AS "isClaimed",
  d.first_attempt_at AS "firstAttemptAt", d.created_at AS "createdAt", d.finished_at AS "finishedAt"`;

const FROM = `FROM deliveries d JOIN events e ON e.tenant_id = $1 AND e.id = d.event_id`;

export interface DeliveryRange {
  endpointId: string;
  status: DeliveryStatus | null;
  /** Where the page before ended: created at, id. */
  before: readonly [string, string] | null;
  limit: number;
}

/** Newest first. */
export function listDeliveries(
  executor: Executor,
  tenantId: string,
  range: DeliveryRange,
): Promise<DeliveryRow[]> {
  const { endpointId, status, before, limit } = range;
  const values: unknown[] = [tenantId, endpointId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  // A text of its own for each kind of page: what a parameter might leave open cannot bound the index.
  const ofStatus = status === null ? '' : `AND d.status = ${parameter(status)}`;
  const page =
    before === null
      ? ''
      : `AND (d.created_at, d.id) < (${parameter(before[0])}::timestamptz, ${parameter(before[1])}::uuid)`;
  return executor.rows<DeliveryRow>({
    name: `outbox_deliveries:${status === null ? '' : 'status'}:${before !== null}:${limit}`,
    text: `SELECT ${COLUMNS} ${FROM} WHERE d.tenant_id = $1 AND d.endpoint_id = $2 ${ofStatus} ${page}
            ORDER BY d.created_at DESC, d.id DESC LIMIT ${limit}`,
    values,
  });
}

export async function findDelivery(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<DeliveryRow | undefined> {
  const [row] = await executor.rows<DeliveryRow>({
    name: 'outbox_delivery',
    text: `SELECT ${COLUMNS} ${FROM} WHERE d.tenant_id = $1 AND d.id = $2`,
    values: [tenantId, id],
  });
  return row;
}

export interface AttemptRow {
  number: number;
  startedAt: Date;
  durationMs: number;
  status: number | null;
  error: string | null;
  responseBody: string | null;
}

export function listAttempts(
  executor: Executor,
  tenantId: string,
  deliveryId: string,
): Promise<AttemptRow[]> {
  return executor.rows<AttemptRow>({
    name: 'outbox_attempts',
    text: `SELECT number, started_at AS "startedAt", duration_ms AS "durationMs", status, error,
                  response_body AS "responseBody"
             FROM delivery_attempts WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY number LIMIT 100`,
    values: [tenantId, deliveryId],
  });
}

export interface EventTo {
  event: EventRow;
  deliveryId: string;
  endpointId: string;
}

/** An event that goes to one endpoint, whatever it and the others listen to. */
export async function insertEventTo(tx: Transaction, tenantId: string, to: EventTo): Promise<void> {
  const { event } = to;
  await tx.rows({
    text: `WITH told AS (
             INSERT INTO events (tenant_id, id, type, occurred_at, recorded_at, deliver, body)
             VALUES ($1, $2, $3, $4, $5, true, $6)
           )
           INSERT INTO deliveries (tenant_id, id, event_id, endpoint_id, status, attempts, due_at, created_at)
           VALUES ($1, $7, $2, $8, 'pending', 0, $5, $5)`,
    values: [
      tenantId,
      event.id,
      event.type,
      event.occurred_at,
      event.recorded_at,
      event.body,
      to.deliveryId,
      to.endpointId,
    ],
  });
}

export interface PullForward {
  endpointId: string;
  now: Date;
  limit: number;
}

/**
 * Makes held deliveries due now, a batch at a time, and says how many. Taking the token away matters: a worker
 * that has read the endpoint as paused, and is about to hold a delivery again, finds its claim gone.
 */
export async function pullForward(tx: Transaction, tenantId: string, pull: PullForward): Promise<number> {
  const rows = await tx.rows({
    name: 'outbox_pull_forward',
    text: `UPDATE deliveries SET due_at = $3, claim_token = NULL
            WHERE tenant_id = $1 AND ctid = ANY(ARRAY(
              SELECT ctid FROM deliveries
               WHERE tenant_id = $1 AND endpoint_id = $2 AND due_at > $3 AND attempts = 0
               ORDER BY due_at LIMIT $4 FOR UPDATE))
        RETURNING 1`,
    values: [tenantId, pull.endpointId, pull.now, pull.limit],
  });
  return rows.length;
}

/** Drops deliveries of an endpoint with their attempts, a batch at a time, and says how many. */
export async function dropDeliveries(
  tx: Transaction,
  tenantId: string,
  { endpointId, limit }: { endpointId: string; limit: number },
): Promise<number> {
  const rows = await tx.rows({
    name: 'outbox_drop',
    text: `DELETE FROM deliveries WHERE tenant_id = $1 AND ctid = ANY(ARRAY(
             SELECT ctid FROM deliveries WHERE tenant_id = $1 AND endpoint_id = $2
              ORDER BY created_at, id LIMIT $3 FOR UPDATE))
           RETURNING 1`,
    values: [tenantId, endpointId, limit],
  });
  return rows.length;
}
