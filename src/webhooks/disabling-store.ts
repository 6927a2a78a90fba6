// Owns the one statement by which the service disables endpoints and tells the others. Does not own when
// (outbox/) or how events are written (outbox/publish.ts).

import type { Transaction } from '../db/executor.js';
import type { EventRow } from '../outbox/events.js';
import { EVENTS, INSERT_EVENTS_SQL } from '../outbox/publish.js';

/** One endpoint that is to be disabled, with the event of it: its url is known to the statement only. */
export interface DisablingRow {
  id: string;
  reason: string;
  event: EventRow;
}

export interface Disabling {
  rows: readonly DisablingRow[];
  now: Date;
}

/** The events' texts have an empty url, which is filled in without its query: that may hold a password. */
export const URL_TO_COME = '"url":""';

/**
 * Endpoints that are disabled already stay as they are, and nothing is told of them. One statement, since the
 * one after it may carry the commit and cannot wait for what this one finds.
 */
export async function disableEndpoints(
  tx: Transaction,
  tenantId: string,
  { rows, now }: Disabling,
): Promise<void> {
  const asked = rows.map(({ id, reason, event }) => ({ id, reason, eventId: event.id }));
  const events = rows.map(({ event }) => event);
  await tx.rows({
    name: 'webhooks_disable',
    text: DISABLE,
    values: [tenantId, JSON.stringify(asked), now, ...EVENTS.values(events)],
  });
}

const TOLD = `(
    SELECT r.id, r.type, r.customer_id, r.sequence, r.occurred_at, r.recorded_at, r.correction_id, r.deliver,
           replace(r.body, '${URL_TO_COME}', '"url":' || to_json(split_part(d.url, '?', 1))::text) AS body, r.topics,
           r.position
      FROM ${EVENTS.sql(4, 'r')}
      JOIN disabled d ON d."eventId" = r.id) AS e`;

const DISABLE = `
  WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset($2::json) AS a(id uuid, reason text, "eventId" uuid)
  ), disabled AS (
    UPDATE webhook_endpoints w
       SET status = 'disabled', disabled_reason = asked.reason, disabled_at = $3, updated_at = $3,
           version = w.version + 1
      FROM asked
     WHERE w.tenant_id = $1 AND w.id = asked.id AND w.status <> 'disabled'
    RETURNING w.url, asked."eventId"
  ), ${INSERT_EVENTS_SQL('$1', 4, { from: TOLD, hearers: 'w.id NOT IN (SELECT id FROM asked)' })}
  SELECT count(*)::int AS queued FROM queued`;
