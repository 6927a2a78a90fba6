// Owns the SQL of the queue's work: which tenants have something due, and claiming it. Does not own recording
// what came of it (settle-store.ts), the order of what is told of one customer (order-store.ts), or the SQL by
// which deliveries are looked at (deliveries-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import { heldBackUntil } from './order-store.js';
import type { DELIVERY_STATUSES } from './table.js';

export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export interface DueTenant {
  tenantId: string;
  /** The earliest due time that was seen of this tenant: where its claim begins. */
  since: Date;
}

/** How much of each part of the due range is looked at. */
const DUE_SCAN_MAX = 1_000;

/** A place in the due range, from which the next look goes on. */
export interface Place {
  dueAt: Date;
  tenantId: string;
}

export const FIRST_PLACE: Place = { dueAt: new Date(0), tenantId: '00000000-0000-0000-0000-000000000000' };

/**
 * Runs as the finder. Looks at both ends of what is due: the oldest, so that everything is reached, and the
 * newest, so that a tenant with a few fresh deliveries is not hidden behind another one's million old ones. A
 * third stretch goes on where the look before it ended: who is between two others' millions is come by as well.
 * Each is an index range of bounded length, however much is due.
 */
export async function tenantsDue(
  finder: Executor,
  now: Date,
  from: Place,
): Promise<{ tenants: DueTenant[]; next: Place }> {
  const rows = await finder.rows<DueTenant & { sweptTo: Date | null }>({
    name: 'outbox_tenants_due',
    text: `SELECT tenant_id AS "tenantId", min(due_at) AS since, max(due_at) FILTER (WHERE swept) AS "sweptTo" FROM (
             (SELECT tenant_id, due_at, false AS swept FROM deliveries WHERE due_at <= $1
               ORDER BY due_at LIMIT ${DUE_SCAN_MAX})
             UNION ALL
             (SELECT tenant_id, due_at, false FROM deliveries WHERE due_at <= $1
               ORDER BY due_at DESC LIMIT ${DUE_SCAN_MAX})
             UNION ALL
             (SELECT tenant_id, due_at, true FROM deliveries WHERE due_at <= $1 AND (due_at, tenant_id) > ($2, $3)
               ORDER BY due_at, tenant_id LIMIT ${DUE_SCAN_MAX})
           ) due GROUP BY tenant_id ORDER BY since`,
    values: [now, from.dueAt, from.tenantId],
  });
  let next: Place | undefined;
  for (const { tenantId, sweptTo } of rows) {
    if (sweptTo === null) continue;
    const isLater = next === undefined || sweptTo > next.dueAt;
    const isBeside = sweptTo.getTime() === next?.dueAt.getTime() && tenantId > next.tenantId;
    if (isLater || isBeside) next = { dueAt: sweptTo, tenantId };
  }
  return { tenants: rows.map(({ tenantId, since }) => ({ tenantId, since })), next: next ?? FIRST_PLACE };
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

/** Deliveries that one claim takes up; part of its text, so that the planner knows how few they are. */
const CLAIM_SIZE = 250;

export interface ClaimedRow {
  id: string;
  eventId: string;
  endpointId: string;
  /** Set where the endpoint is told in order. */
  customerId: string | null;
  /** Attempts that were made before. */
  attempts: number;
  firstAttemptAt: Date | null;
  createdAt: Date;
  /** The replay that it belongs to, or the delivery that it repeats. */
  replayOf: string | null;
  /** The delivery before it in its order, where that was given up. */
  afterDeadLetter: string | null;
}

export interface Claim {
  since: Date;
  now: Date;
  /** When the claim ends by itself and another worker may take the delivery up. */
  leaseUntil: Date;
  /** Under which the outcome is recorded: whoever has lost it records nothing. */
  token: string;
}

export interface ClaimResult {
  claimed: ClaimedRow[];
  /** How many were due but must wait for another of their customer; they were put off. */
  heldBack: number;
}

const HELD_BACK = heldBackUntil('$3');

/**
 * Takes deliveries that nobody else is taking. `picked` is a range of the due index with its lower end given, so
 * that it does not wade through other tenants' older rows. The update goes by the rows' places: by their ids,
 * Postgres 18 was seen to read a whole index of 150,000 rows where statistics were missing, which made a claim
 * take 80 ms instead of 8. What must wait for its turn is put off in the same statement, and locks no more than
 * itself, so that a claim waits for nobody. What this process holds under its token has had its turn.
 */
export async function claimDue(tx: Transaction, tenantId: string, claim: Claim): Promise<ClaimResult> {
  const rows = await tx.lastRows<ClaimedRow & { isClaimed: boolean }>({
    name: 'outbox_claim',
    text: `WITH picked AS MATERIALIZED (
             SELECT ctid AS place, id, endpoint_id, customer_id, sequence, created_at, claim_token, replay_of
               FROM deliveries
              WHERE tenant_id = $1 AND due_at >= $2 AND due_at <= $3
              ORDER BY due_at LIMIT ${CLAIM_SIZE} FOR UPDATE SKIP LOCKED
           ), ${HELD_BACK.catchingUp}, judged AS MATERIALIZED (
             SELECT p.place,
                    CASE WHEN p.claim_token IS DISTINCT FROM $5::uuid THEN ${HELD_BACK.select} END AS later
               FROM picked p ${HELD_BACK.join}
           )
           UPDATE deliveries d
              SET due_at = coalesce(j.later, $4), claim_token = CASE WHEN j.later IS NULL THEN $5::uuid END
             FROM judged j WHERE d.tenant_id = $1 AND d.ctid = j.place
        RETURNING d.id, d.event_id AS "eventId", d.endpoint_id AS "endpointId", d.customer_id AS "customerId",
                  d.attempts, d.first_attempt_at AS "firstAttemptAt", d.created_at AS "createdAt",
                  d.replay_of AS "replayOf", d.after_dead_letter AS "afterDeadLetter",
                  j.later IS NULL AS "isClaimed"`,
    values: [tenantId, claim.since, claim.now, claim.leaseUntil, claim.token],
  });
  const claimed = rows.flatMap(({ isClaimed, ...row }) => (isClaimed ? [row] : []));
  return { claimed, heldBack: rows.length - claimed.length };
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
