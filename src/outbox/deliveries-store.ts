// Owns the SQL by which deliveries and their attempts are looked at and moved by people: lists, one with its
// attempts, a single event to a single endpoint, pulling forward and dropping. Does not own the queue's work.

import type { Executor, Transaction } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
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
  replayOf: string | null;
  afterDeadLetter: string | null;
}

const COLUMNS = `d.id, d.event_id AS "eventId", e.type AS "eventType", d.endpoint_id AS "endpointId", d.status,
  d.attempts, d.due_at AS "dueAt", d.claim_token IS NOT NULL AS "isClaimed",
  d.first_attempt_at AS "firstAttemptAt", d.created_at AS "createdAt", d.finished_at AS "finishedAt",
  d.replay_of AS "replayOf", d.after_dead_letter AS "afterDeadLetter"`;

const EVENT = `CROSS JOIN LATERAL (
  SELECT type FROM events WHERE tenant_id = $1 AND id = d.event_id LIMIT 1) e`;
const NEWEST_FIRST = 'ORDER BY d.created_at DESC, d.id DESC';

export interface DeliveryFilter {
  endpointId?: string;
  status?: DeliveryStatus;
  eventType?: string;
  createdFrom?: Date;
  createdTo?: Date;
}

export interface DeliveryRange {
  filter: DeliveryFilter;
  /** Where the page before ended: created at, id. */
  before: readonly [string, string] | null;
  limit: number;
}

/** There is an index of these by time, whatever the endpoint. */
const DEAD: readonly (DeliveryStatus | undefined)[] = ['exhausted', 'discarded'];

/**
 * Newest first. Each combination is a text of its own, with a range of an index in it: an endpoint's, that of
 * what could not be delivered, or, for everything, a page of each endpoint's, of which there are few.
 */
export function listDeliveries(
  executor: Executor,
  tenantId: string,
  range: DeliveryRange,
): Promise<DeliveryRow[]> {
  const { filter, limit } = range;
  const { endpointId, status } = filter;
  const values: unknown[] = [tenantId];
  const where = conditions(range, (value) => `$${values.push(value)}`);
  const kind = endpointId !== undefined ? 'endpoint' : DEAD.includes(status) ? 'dead' : 'all';
  // Short, since Postgres cuts names at 63 bytes, and two texts under one name are refused.
  const { eventType, createdFrom, createdTo } = filter;
  const asked = [eventType && 't', createdFrom && 'f', createdTo && 'u'].join('');
  return rowsOfPage<DeliveryRow>(executor, limit, (rows) => ({
    name: `outbox_deliveries:${[kind, status, asked].join(',')}:${range.before !== null}:${rows}`,
    text: kind === 'all' ? ofEach(where, rows) : ofRange(where, rows),
    values,
  }));
}

function conditions({ filter, before }: DeliveryRange, parameter: (value: unknown) => string): string {
  const { endpointId, status, eventType, createdFrom, createdTo } = filter;
  const parts: string[] = [];
  if (endpointId !== undefined) parts.push(`d.endpoint_id = ${parameter(endpointId)}`);
  // As itself: a parameter might be any status, and would not be seen to be one that has an index.
  if (status === 'pending') parts.push('d.finished_at IS NULL');
  else if (status !== undefined) parts.push(`d.status = '${status}'`);
  if (createdFrom !== undefined) parts.push(`d.created_at >= ${parameter(createdFrom)}`);
  if (createdTo !== undefined) parts.push(`d.created_at < ${parameter(createdTo)}`);
  if (eventType !== undefined) parts.push(`e.type = ${parameter(eventType)}`);
  if (before !== null) {
    parts.push(
      `(d.created_at, d.id) < (${parameter(before[0])}::timestamptz, ${parameter(before[1])}::uuid)`,
    );
  }
  return parts.map((part) => ` AND ${part}`).join('');
}

function ofRange(where: string, limit: number): string {
  return `SELECT ${COLUMNS} FROM deliveries d ${EVENT}
           WHERE d.tenant_id = $1${where} ${NEWEST_FIRST} LIMIT ${limit}`;
}

function ofEach(where: string, limit: number): string {
  return `WITH page AS MATERIALIZED (
            SELECT d.id FROM webhook_endpoints w CROSS JOIN LATERAL (
              SELECT d.id, d.created_at FROM deliveries d ${EVENT}
               WHERE d.tenant_id = $1 AND d.endpoint_id = w.id${where} ${NEWEST_FIRST} LIMIT ${limit}) d
             WHERE w.tenant_id = $1 ${NEWEST_FIRST} LIMIT ${limit}
          )
          SELECT ${COLUMNS} FROM page
           CROSS JOIN LATERAL (
             SELECT * FROM deliveries WHERE tenant_id = $1 AND id = page.id LIMIT 1) d ${EVENT}
           ${NEWEST_FIRST}`;
}

export async function findDelivery(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<DeliveryRow | undefined> {
  const [row] = await executor.rows<DeliveryRow>({
    name: 'outbox_delivery',
    text: `SELECT ${COLUMNS} FROM deliveries d ${EVENT} WHERE d.tenant_id = $1 AND d.id = $2`,
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

/** Runs as the finder: the due time of what has been due for longest and is not taken up. */
export async function oldestDue(finder: Executor, now: Date): Promise<Date | undefined> {
  const [row] = await finder.rows<{ dueAt: Date }>({
    name: 'outbox_oldest_due',
    text: 'SELECT due_at AS "dueAt" FROM deliveries WHERE due_at <= $1 ORDER BY due_at LIMIT 1',
    values: [now],
  });
  return row?.dueAt;
}

export interface EventTo {
  event: EventRow;
  deliveryId: string;
  endpointId: string;
}

/**
 * An event that goes to one endpoint, whatever it and the others listen to. It is none that is delivered in
 * general: a replay for another endpoint leaves it out.
 */
export async function insertEventTo(tx: Transaction, tenantId: string, to: EventTo): Promise<void> {
  const { event } = to;
  await tx.rows({
    text: `WITH told AS (
             INSERT INTO events (tenant_id, id, type, occurred_at, recorded_at, deliver, body)
             VALUES ($1, $2, $3, $4, $5, false, $6)
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
