// Owns the SQL of the queue's work: which tenants have something due, claiming, and settling what came of it.
// Does not own the SQL by which deliveries are looked at (deliveries-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import type { DELIVERY_STATUSES } from './table.js';

export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export interface DueTenant {
  tenantId: string;
  /** The earliest due time that was seen of this tenant: where its claim begins. */
  since: Date;
}

/** How much of either end of the due range is looked at. */
const DUE_SCAN_MAX = 1_000;

/**
 * Runs as the finder. Looks at both ends of what is due: the oldest, so that everything is reached, and the
 * newest, so that a tenant with a few fresh deliveries is not hidden behind another one's million old ones.
 * Either end is an index range of bounded length, however much is due.
 */
export async function tenantsDue(finder: Executor, now: Date): Promise<DueTenant[]> {
  return finder.rows<DueTenant>({
    name: 'outbox_tenants_due',
    text: `SELECT tenant_id AS "tenantId", min(due_at) AS since FROM (
             (SELECT tenant_id, due_at FROM deliveries WHERE due_at <= $1 ORDER BY due_at LIMIT ${DUE_SCAN_MAX})
             UNION ALL
             (SELECT tenant_id, due_at FROM deliveries WHERE due_at <= $1 ORDER BY due_at DESC LIMIT ${DUE_SCAN_MAX})
           ) due GROUP BY tenant_id ORDER BY since`,
    values: [now],
  });
}

/** How many deliveries are due, counted up to `max`: a gauge must not cost more the worse things are. */
export async function countDue(finder: Executor, now: Date, max: number): Promise<number> {
  const [row] = await finder.rows<{ due: number }>({
    name: 'outbox_count_due',
    text: `SELECT count(*)::int AS due FROM (
             SELECT FROM deliveries WHERE due_at <= $1 ORDER BY due_at LIMIT $2
           ) due`,
    values: [now, max],
  });
  return row?.due ?? 0;
}

export interface ClaimedRow {
  id: string;
  eventId: string;
  endpointId: string;
  attempts: number;
  firstAttemptAt: Date | null;
  createdAt: Date;
}

export interface Claim {
  since: Date;
  now: Date;
  /** When the claim ends by itself and another worker may take the delivery up. */
  leaseUntil: Date;
  /** Under which the outcome is recorded: whoever has lost it records nothing. */
  token: string;
  limit: number;
}

/**
 * Takes deliveries that nobody else is taking. The inner query is a range of the due index with its lower
 * end given, so that it does not wade through other tenants' older rows. The outer one goes by the rows'
 * places: by their ids, Postgres 18 was seen to read a whole index of 150,000 rows where statistics were
 * missing, which made a claim take 80 ms instead of 8.
 */
export async function claimDue(tx: Transaction, tenantId: string, claim: Claim): Promise<ClaimedRow[]> {
  return tx.lastRows<ClaimedRow>({
    name: 'outbox_claim',
    text: `UPDATE deliveries SET due_at = $4, claim_token = $5
            WHERE tenant_id = $1 AND ctid = ANY(ARRAY(
              SELECT ctid FROM deliveries
               WHERE tenant_id = $1 AND due_at >= $2 AND due_at <= $3
               ORDER BY due_at LIMIT $6 FOR UPDATE SKIP LOCKED))
        RETURNING id, event_id AS "eventId", endpoint_id AS "endpointId", attempts,
                  first_attempt_at AS "firstAttemptAt", created_at AS "createdAt"`,
    values: [tenantId, claim.since, claim.now, claim.leaseUntil, claim.token, claim.limit],
  });
}

/** The texts to send, by event. */
export async function loadBodies(
  executor: Executor,
  tenantId: string,
  eventIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await executor.rows<{ id: string; body: string }>({
    name: 'outbox_bodies',
    text: 'SELECT id, body FROM events WHERE tenant_id = $1 AND id = ANY($2::uuid[])',
    values: [tenantId, eventIds],
  });
  return new Map(rows.map(({ id, body }) => [id, body]));
}

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

/**
 * Records a set of outcomes, each guarded by its token, and answers the ids of those that still held it. The
 * others' leases had run out and somebody else has taken them up: nothing of theirs is touched. It is the
 * last statement of its transaction.
 */
export async function settle(
  tx: Transaction,
  tenantId: string,
  settled: readonly Settlement[],
): Promise<string[]> {
  const rows = await tx.lastRows<{ id: string }>({
    name: 'outbox_settle',
    text: SETTLE,
    values: [
      tenantId,
      JSON.stringify(settled.map(({ attempt, ...rest }) => ({ ...rest, ...prefixed(attempt) }))),
    ],
  });
  return rows.map(({ id }) => id);
}

function prefixed(attempt: SettledAttempt | undefined) {
  if (attempt === undefined) return {};
  const { status: answer, ...rest } = attempt;
  return { answer, ...rest };
}

/**
 * `located` looks each delivery up by its key (the limit leaves the planner no other way), and the update goes
 * by the place found. A plain join was seen to read all of a tenant's deliveries where statistics were missing.
 * A row that is claimed anew between the two has another place, and so is left alone.
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
    RETURNING d.id, d.endpoint_id, d.attempts AS number, l."startedAt", l."durationMs", l.answer, l.error,
              l."responseBody"
  ), attempted AS (
    INSERT INTO delivery_attempts (tenant_id, delivery_id, endpoint_id, number, started_at, duration_ms, status, error,
                                   response_body)
    SELECT $1, id, endpoint_id, number, "startedAt", "durationMs", answer, error, "responseBody"
      FROM changed WHERE "startedAt" IS NOT NULL
  )
  SELECT id FROM changed`;
