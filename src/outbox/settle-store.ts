// Owns the SQL that records what came of deliveries: outcome, attempt, whose turn is next in a customer's order,
// and the end of an endpoint's failures, in one statement. Does not own what an outcome is (attempt.ts).

import type { Transaction } from '../db/executor.js';
import { freeing } from './order-store.js';
import type { DeliveryStatus } from './queue-store.js';

/** What becomes of a claimed delivery. Times are ISO texts: the whole set travels as one JSON parameter. */
export interface Settlement {
  id: string;
  token: string;
  status: DeliveryStatus;
  /** Null once it is done. */
  dueAt: string | null;
  finishedAt: string | null;
  /** Absent where nothing was sent: the delivery was held, put off or given back. */
  attempt?: SettledAttempt;
}

export interface SettledAttempt {
  startedAt: string;
  durationMs: number;
  status: number | null;
  error: string | null;
  responseBody: string | null;
}

export interface SettledSet {
  settlements: readonly Settlement[];
  /** Endpoints whose last answer was a success: that ends whatever failures there were before. */
  healed: readonly string[];
  now: Date;
}

export interface Settled {
  /** Ids of the deliveries that still held their tokens. */
  held: ReadonlySet<string>;
  /** How many may go now because what held them back is over. */
  freed: number;
}

/**
 * Records a set of outcomes, each guarded by its token, and answers which of them still held it. The others'
 * leases had run out and somebody else has taken them up: nothing of theirs is touched. It is the last statement
 * of its transaction.
 */
export async function settle(
  tx: Transaction,
  tenantId: string,
  { settlements, healed, now }: SettledSet,
): Promise<Settled> {
  const rows = await tx.lastRows<{ id: string; freed: number }>({
    name: 'outbox_settle',
    text: SETTLE,
    values: [
      tenantId,
      JSON.stringify(settlements.map(({ attempt, ...rest }) => ({ ...rest, ...prefixed(attempt) }))),
      healed,
      now,
    ],
  });
  return { held: new Set(rows.map(({ id }) => id)), freed: rows[0]?.freed ?? 0 };
}

function prefixed(attempt: SettledAttempt | undefined) {
  if (attempt === undefined) return {};
  const { status: answer, ...rest } = attempt;
  return { answer, ...rest };
}

/** Whether the personal data of whom the event tells was erased while it was sent: the answer may repeat it. */
const IS_OF_ERASED = `EXISTS (
             SELECT FROM events e CROSS JOIN LATERAL (
               SELECT erased_at FROM customers WHERE tenant_id = $1 AND id = e.customer_id OFFSET 0) c
              WHERE e.tenant_id = $1 AND e.id = changed.event_id AND c.erased_at IS NOT NULL)`;

/**
 * `located` looks each delivery up by its key (the limit leaves the planner no other way), and the update goes
 * by the place found. A plain join was seen to read all of a tenant's deliveries where statistics were missing.
 * A row that is claimed anew between the two has another place, and so is left alone. A healthy endpoint has no
 * failures to reset: its successes write nothing but themselves.
 */
const SETTLE = `
  WITH done AS MATERIALIZED (
    SELECT * FROM json_to_recordset($2::json) AS r(
      id uuid, token uuid, status text, "dueAt" timestamptz, "finishedAt" timestamptz,
      "startedAt" timestamptz, "durationMs" int, answer int, error text, "responseBody" text)
  ), located AS MATERIALIZED (
    SELECT done.*, found.place
      FROM done CROSS JOIN LATERAL (
        SELECT d.ctid AS place, d.claim_token FROM deliveries d
         WHERE d.tenant_id = $1 AND d.id = done.id LIMIT 1) found
     WHERE found.claim_token = done.token
  ), changed AS (
    UPDATE deliveries d
       SET status = l.status, due_at = l."dueAt", claim_token = NULL, finished_at = l."finishedAt",
           attempts = d.attempts + (l."startedAt" IS NOT NULL)::int,
           first_attempt_at = coalesce(d.first_attempt_at, l."startedAt")
      FROM located l
     WHERE d.tenant_id = $1 AND d.ctid = l.place AND d.claim_token = l.token
    RETURNING d.id, d.event_id, d.endpoint_id, d.customer_id, d.sequence, d.status, d.finished_at, d.attempts AS number,
              l."startedAt", l."durationMs", l.answer, l.error, l."responseBody"
  ), attempted AS (
    INSERT INTO delivery_attempts (tenant_id, delivery_id, endpoint_id, number, started_at, duration_ms, status, error,
                                   response_body)
    SELECT $1, id, endpoint_id, number, "startedAt", "durationMs", answer, error,
           CASE WHEN "responseBody" IS NOT NULL AND NOT ${IS_OF_ERASED} THEN "responseBody" END
      FROM changed WHERE "startedAt" IS NOT NULL
  ), healed AS (
    UPDATE webhook_endpoint_health SET failures = 0, failing_since = NULL, openings = 0, open_until = NULL
     WHERE tenant_id = $1 AND endpoint_id = ANY($3::uuid[]) AND failures > 0
  ), ${freeing('changed', '$4')}
  SELECT id, (SELECT count(*)::int FROM freed) AS freed FROM changed`;
