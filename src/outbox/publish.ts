// Owns the one way in which events and their deliveries are written, as a piece of SQL, so that a statement
// of another module can carry it along and say everything in one message. Does not own their content.

/**
 * `tenant` and `events` are parameters of the statement that the piece is put into, for example `$1` and `$6`:
 * the tenant's id, and `JSON.stringify(rows)` with the rows as `prepareEvents` gives them.
 *
 * Three queries for a WITH list: `event_rows` (the input), `told` (the events) and `queued` (one delivery for
 * each endpoint that hears of it, returning its id). They run to their end even where nothing reads them.
 *
 * A delivery's id follows from its event and its endpoint: the event's time and counter, so that it is as
 * good a UUIDv7 as the event's and lies beside it in the index, then a hash of both.
 * A paused endpoint's deliveries are queued and wait; a disabled one gets none.
 */
export function INSERT_EVENTS_SQL(tenant: `$${number}`, events: `$${number}`): string {
  return `
  event_rows AS (
    SELECT * FROM json_to_recordset(${events}::json) AS e(
      id uuid, type text, customer_id uuid, sequence bigint, occurred_at timestamptz, recorded_at timestamptz,
      correction_id uuid, deliver boolean, body text, topics text[])
  ),
  told AS (
    INSERT INTO events (tenant_id, id, type, customer_id, sequence, occurred_at, recorded_at, correction_id,
                        deliver, body)
    SELECT ${tenant}::uuid, id, type, customer_id, sequence, occurred_at, recorded_at, correction_id, deliver, body
      FROM event_rows
  ),
  queued AS (
    INSERT INTO deliveries (tenant_id, id, event_id, endpoint_id, status, attempts, due_at, created_at,
                            customer_id, sequence)
    SELECT ${tenant}::uuid, (left(e.id::text, 24) || left(md5(w.id::text || e.id::text), 12))::uuid,
           e.id, w.id, 'pending', 0, e.recorded_at, e.recorded_at,
           CASE w.ordering WHEN 'per_customer' THEN e.customer_id END,
           CASE w.ordering WHEN 'per_customer' THEN e.sequence END
      FROM event_rows e
      JOIN webhook_endpoints w ON w.event_types && e.topics
     WHERE w.tenant_id = ${tenant}::uuid AND w.status <> 'disabled' AND e.deliver
    RETURNING id
  )`;
}

/** The statement of those who have nothing else to write. */
export const PUBLISH = {
  name: 'outbox_publish',
  text: `WITH ${INSERT_EVENTS_SQL('$1', '$2')} SELECT count(*)::int AS queued FROM queued`,
} as const;
