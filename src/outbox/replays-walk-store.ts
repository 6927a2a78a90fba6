// Owns the SQL of what replays walk over: the feed, and what could not be delivered. Does not own that of the
// replays themselves (replays-store.ts) nor the queueing (requeue-store.ts).

import type { Executor, Transaction } from '../db/executor.js';

/** How many of an endpoint's deliveries are pending, counted up to `max`. */
export async function countPending(
  executor: Executor,
  tenantId: string,
  { endpointId, max }: { endpointId: string; max: number },
): Promise<number> {
  const [row] = await executor.rows<{ pending: number }>({
    name: 'outbox_count_pending',
    text: `SELECT count(*)::int AS pending FROM (
             SELECT FROM deliveries WHERE tenant_id = $1 AND endpoint_id = $2 AND finished_at IS NULL
              ORDER BY created_at LIMIT $3) pending`,
    values: [tenantId, endpointId, max],
  });
  return row?.pending ?? 0;
}

/** How far the bisection goes: what is left of it is walked over. */
const NEAR_ENOUGH = 200;

/**
 * A position at and below which every event was recorded before `before`, give or take what the caller allows
 * for: positions follow the order of commits, and so the time only nearly. Found by halving the feed, some
 * twenty look-ups however long it is; an index by time would have to be kept up with every event.
 */
export async function positionBefore(
  executor: Executor,
  tenantId: string,
  { before, end }: { before: Date; end: number },
): Promise<number> {
  const [row] = await executor.rows<{ position: number }>({
    name: 'outbox_position_before',
    text: `
      WITH RECURSIVE halving(low, high) AS (
        SELECT 0::bigint, $3::bigint
        UNION ALL
        SELECT CASE WHEN found.is_before THEN found.position ELSE low END,
               CASE WHEN found.is_before THEN high ELSE (low + high) / 2 END
          FROM halving LEFT JOIN LATERAL (
            SELECT e.position, e.recorded_at < $2 AND e.position <= high AS is_before FROM events e
             WHERE e.tenant_id = $1 AND e.position > (low + high) / 2
             ORDER BY e.position LIMIT 1) found ON true
         WHERE high - low > ${NEAR_ENOUGH}
      )
      SELECT max(low) AS position FROM halving`,
    values: [tenantId, before, end],
  });
  return row?.position ?? 0;
}

export interface FeedStretch {
  after: number;
  upTo: number;
  types: readonly string[];
  from: Date;
  to: Date;
  limit: number;
}

export interface FeedEvent {
  position: number;
  id: string;
  recordedAt: Date;
  isWanted: boolean;
}

/** What goes to one endpoint only, or came with a backfill, is in the feed and is no news to anybody. */
export function readFeedStretch(
  tx: Transaction,
  tenantId: string,
  { after, upTo, types, from, to, limit }: FeedStretch,
): Promise<FeedEvent[]> {
  return tx.rows<FeedEvent>({
    name: 'outbox_replay_feed',
    text: `SELECT position, id, recorded_at AS "recordedAt",
                  deliver AND type = ANY($4::text[]) AND recorded_at BETWEEN $5 AND $6 AS "isWanted"
             FROM events WHERE tenant_id = $1 AND position > $2 AND position <= $3
            ORDER BY position LIMIT $7`,
    values: [tenantId, after, upTo, types, from, to, limit],
  });
}

export interface DeadStretch {
  endpointId: string;
  /** Created at, id; null for the beginning. */
  after: readonly [string, string] | null;
  types: readonly string[];
  from: Date;
  to: Date;
  limit: number;
}

export interface DeadDelivery {
  id: string;
  createdAt: Date;
  eventId: string;
  /** Whether it is one of the endpoint's that were given up in that time. */
  isOfRange: boolean;
  isWanted: boolean;
}

/**
 * What could not be delivered, in the order in which it was queued, whatever the endpoint: of those there are
 * few, and they have an index. Left out is what is under way again or has arrived since, and what was sent to
 * try the endpoint out. The fence keeps the look-up of an event's other deliveries by the event.
 */
export function readDeadStretch(
  tx: Transaction,
  tenantId: string,
  { endpointId, after, types, from, to, limit }: DeadStretch,
): Promise<DeadDelivery[]> {
  const page = after === null ? '' : 'AND (created_at, id) > ($7::timestamptz, $8::uuid)';
  return tx.rows<DeadDelivery>({
    name: `outbox_replay_dead:${after !== null}`,
    text: `
      WITH stretch AS MATERIALIZED (
        SELECT id, created_at, event_id,
               endpoint_id = $2 AND finished_at BETWEEN $4 AND $5 AS is_of_range
          FROM deliveries WHERE tenant_id = $1 AND status = 'exhausted' AND created_at <= $5 ${page}
         ORDER BY created_at, id LIMIT $6
      )
      SELECT s.id, s.created_at AS "createdAt", s.event_id AS "eventId", s.is_of_range AS "isOfRange",
             wanted.id IS NOT NULL AS "isWanted"
        FROM stretch s LEFT JOIN LATERAL (
          SELECT e.id FROM events e
           WHERE s.is_of_range AND e.tenant_id = $1 AND e.id = s.event_id AND e.deliver AND e.type = ANY($3::text[])
             AND NOT EXISTS (
               SELECT FROM (SELECT o.id, o.endpoint_id, o.status, o.created_at FROM deliveries o
                             WHERE o.tenant_id = $1 AND o.event_id = s.event_id OFFSET 0) o
                WHERE o.endpoint_id = $2 AND o.id <> s.id
                  AND (o.status IN ('pending', 'succeeded') OR (o.created_at, o.id) > (s.created_at, s.id)))
           LIMIT 1) wanted ON true
       ORDER BY s.created_at, s.id`,
    values: [tenantId, endpointId, types, from, to, limit, ...(after ?? [])],
  });
}
