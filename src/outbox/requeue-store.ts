// Owns the SQL by which an event that was told before goes to an endpoint again, and by which a person gives a
// delivery up. Does not own which events those are (replays), nor the queue's work (queue-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { DeliveryRow } from './deliveries-store.js';
import { FACTS_SQL } from './facts.js';
import { freeing } from './order-store.js';
import type { DeliveryStatus } from './queue-store.js';

/** What there is to know of an endpoint before anything is queued for it. */
export interface EndpointState {
  status: 'active' | 'paused' | 'disabled';
  eventTypes: string[];
}

const STATE = `SELECT status, event_types AS "eventTypes" FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2`;

export async function findEndpointState(
  executor: Executor,
  tenantId: string,
  endpointId: string,
): Promise<EndpointState | undefined> {
  const values = [tenantId, endpointId];
  const [row] = await executor.rows<EndpointState>({ name: 'outbox_endpoint', text: STATE, values });
  return row;
}

/** The same, with the endpoint held as it is until the transaction ends. */
export async function lockEndpointState(
  tx: Transaction,
  tenantId: string,
  endpointId: string,
): Promise<EndpointState | undefined> {
  const text = `${STATE} FOR NO KEY UPDATE`;
  const [row] = await tx.rows<EndpointState>({ text, values: [tenantId, endpointId] });
  return row;
}

export interface Requeue {
  endpointId: string;
  /** The replay that asks for it, or the delivery that it repeats. */
  replayOf: string;
  now: Date;
  /** Ids of new deliveries and of events, in the order in which they are to go. */
  rows: readonly { id: string; eventId: string }[];
  /** Whether the endpoint's filter is asked: not for what it was queued before. */
  isFiltered: boolean;
  /** Whether what was ever queued for the endpoint is left out. */
  isMissedOnly?: boolean;
}

/** As the insert of live deliveries asks it, and of the event's own text: a replay judges as it was judged then. */
const PASSES = `CASE WHEN w.filter_path IS NULL THEN true
  ELSE coalesce(jsonb_path_match(${FACTS_SQL('e.body')}, w.filter_path::jsonpath, silent => true), true) END`;

/**
 * An endpoint is not told that it was disabled itself, then or later. The fence keeps the look-up by event: with the endpoint in it, the planner may go through all that the endpoint
 * ever had instead, once for each event.
 */
const UNQUEUED = ` AND CASE type WHEN 'webhook.endpoint_disabled'
                       THEN body::jsonb #>> '{data,endpoint,id}' IS DISTINCT FROM $2::uuid::text ELSE true END
               AND NOT EXISTS (
                 SELECT FROM (SELECT o.endpoint_id FROM deliveries o
                               WHERE o.tenant_id = $1 AND o.event_id = r."eventId" OFFSET 0) theirs
                  WHERE theirs.endpoint_id = $2)`;

/** Queues events for an endpoint, in their customers' order where it has one; says how many. */
export async function insertAgain(tx: Transaction, tenantId: string, again: Requeue): Promise<number> {
  const { endpointId, replayOf, now, rows: wanted, isFiltered, isMissedOnly = false } = again;
  const missed = isMissedOnly ? UNQUEUED : '';
  const rows = await tx.rows({
    name: `outbox_requeue${isFiltered ? '_filtered' : ''}${isMissedOnly ? '_missed' : ''}`,
    text: `INSERT INTO deliveries (tenant_id, id, event_id, endpoint_id, status, attempts, due_at, created_at,
                                   customer_id, sequence, replay_of)
           SELECT $1, r.id, e.id, w.id, 'pending', 0, $4, $4,
                  CASE w.ordering WHEN 'per_customer' THEN e.customer_id END,
                  CASE w.ordering WHEN 'per_customer' THEN e.sequence END, $5
             FROM json_to_recordset($3::json) AS r(id uuid, "eventId" uuid)
            CROSS JOIN LATERAL (
              SELECT id, customer_id, sequence, body FROM events
               WHERE tenant_id = $1 AND id = r."eventId"${missed} LIMIT 1) e
             JOIN webhook_endpoints w ON w.tenant_id = $1 AND w.id = $2${isFiltered ? ` AND ${PASSES}` : ''}
           RETURNING 1`,
    values: [tenantId, endpointId, JSON.stringify(wanted), now, replayOf],
  });
  return rows.length;
}

export interface Resendable extends Pick<DeliveryRow, 'eventId' | 'eventType' | 'endpointId' | 'status'> {
  endpointStatus: EndpointState['status'];
}

/** A delivery that may be repeated. Its event is held, so that it is not pruned before it is queued again. */
export async function lockResendable(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<Resendable | undefined> {
  const [row] = await tx.rows<Resendable>({
    text: `SELECT d.event_id AS "eventId", e.type AS "eventType", d.endpoint_id AS "endpointId", d.status,
                  w.status AS "endpointStatus"
             FROM deliveries d
             JOIN events e ON e.tenant_id = $1 AND e.id = d.event_id
             JOIN webhook_endpoints w ON w.tenant_id = $1 AND w.id = d.endpoint_id
            WHERE d.tenant_id = $1 AND d.id = $2 FOR KEY SHARE OF e, w`,
    values: [tenantId, id],
  });
  return row;
}

/** What a person may give up, and what they have given up already. */
export async function lockStatus(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<DeliveryStatus | undefined> {
  const [row] = await tx.rows<{ status: DeliveryStatus }>({
    text: 'SELECT status FROM deliveries WHERE tenant_id = $1 AND id = $2 FOR UPDATE',
    values: [tenantId, id],
  });
  return row?.status;
}

/**
 * Gives up a delivery that is held, as is what comes after it, and has not succeeded. A worker that is sending it finds its claim gone and
 * records nothing. Where it was pending in its customer's order, the next one need not wait any longer.
 */
export async function discardDelivery(
  tx: Transaction,
  tenantId: string,
  { id, now, wasPending }: { id: string; now: Date; wasPending: boolean },
): Promise<void> {
  await tx.rows({
    text: `WITH given_up AS (
             UPDATE deliveries
                SET status = 'discarded', due_at = NULL, claim_token = NULL, finished_at = coalesce(finished_at, $3)
              WHERE tenant_id = $1 AND id = $2
             RETURNING id, endpoint_id, customer_id, sequence, status, finished_at
           )${wasPending ? `, ${freeing('given_up', '$3::timestamptz')}` : ''}
           SELECT id FROM given_up`,
    values: [tenantId, id, now],
  });
}
