// Owns the one way in which events and their deliveries are written, as a piece of SQL, so that a statement
// of another module can carry it along and say everything in one message. Does not own their content.

import { recordset } from '../db/recordset.js';
import { FACTS_SQL } from './facts.js';

/** Events as they are handed in: `EventRow` in events.ts. */
export const EVENTS = recordset({
  id: 'uuid',
  type: 'text',
  customer_id: 'uuid',
  sequence: 'int8',
  occurred_at: 'timestamptz',
  recorded_at: 'timestamptz',
  correction_id: 'uuid',
  deliver: 'bool',
  body: 'text',
  topics: 'text',
  position: 'int8',
});

export interface Telling {
  /** Where the events come from, named `e`, with the columns above: where that is not the parameter as it is. */
  from?: string;
  /** Of the endpoints `w`, those that are told: for an event that one of them must not hear. */
  hearers?: string;
}

/**
 * `tenant` is a parameter of the statement that the piece is put into, for example `$1`: the tenant's id. From
 * `$events` on are `EVENTS.values(rows)`, with the rows as `prepareEvents` gives them.
 *
 * Four queries for a WITH list: `hearing` (the endpoints), `event_rows` (the input), `told` (the events) and
 * `queued` (one delivery for each endpoint that hears of it, returning its id). They run to their end even
 * where nothing reads them.
 *
 * A delivery's id follows from its event and its endpoint: the event's time and counter, so that it is as
 * good a UUIDv7 as the event's and lies beside it in the index, then a hash of both.
 * A paused endpoint's deliveries are queued and wait; a disabled one gets none.
 *
 * Filters are asked here, of the event's own text. That is read only where some endpoint has a filter: tenants
 * without one pay nothing for those that have. If a filter could not be answered, the event would go out.
 */
export function INSERT_EVENTS_SQL(
  tenant: `$${number}`,
  events: number,
  { from = EVENTS.sql(events, 'e'), hearers = 'true' }: Telling = {},
): string {
  return `
  hearing AS MATERIALIZED (
    SELECT w.id, w.event_types, w.ordering, w.filter_path::jsonpath AS path FROM webhook_endpoints w
     WHERE w.tenant_id = ${tenant}::uuid AND w.status <> 'disabled' AND ${hearers}
  ),
  event_rows AS MATERIALIZED (
    SELECT e.*, CASE WHEN e.deliver AND EXISTS (SELECT FROM hearing WHERE path IS NOT NULL)
                     THEN ${FACTS_SQL('e.body')} END AS facts
      FROM ${from}
  ),
  told AS (
    INSERT INTO events (tenant_id, id, type, customer_id, sequence, occurred_at, recorded_at, correction_id,
                        deliver, body, position)
    SELECT ${tenant}::uuid, id, type, customer_id, sequence, occurred_at, recorded_at, correction_id, deliver, body,
           position
      FROM event_rows
  ),
  queued AS (
    INSERT INTO deliveries (tenant_id, id, event_id, endpoint_id, status, attempts, due_at, created_at,
                            customer_id, sequence)
    SELECT ${tenant}::uuid, (left(e.id::text, 26) || left(md5(w.id::text || e.id::text), 10))::uuid,
           e.id, w.id, 'pending', 0, e.recorded_at, e.recorded_at,
           CASE w.ordering WHEN 'per_customer' THEN e.customer_id END,
           CASE w.ordering WHEN 'per_customer' THEN e.sequence END
      FROM event_rows e
      JOIN hearing w ON w.event_types && e.topics::text[]
                    AND (w.path IS NULL OR coalesce(jsonb_path_match(e.facts, w.path, silent => true), true))
     WHERE e.deliver
    RETURNING id
  )`;
}

/** The statement of those who have nothing else to write. */
export const PUBLISH = {
  name: 'outbox_publish',
  text: `WITH ${INSERT_EVENTS_SQL('$1', 2)} SELECT count(*)::int AS queued FROM queued`,
} as const;
