// Owns the SQL of the feed: giving positions, and reading by them. Does not own the SQL that writes events
// (publish.ts).

import { planWith } from '../db/advice.js';
import type { Executor, Transaction } from '../db/executor.js';

export async function insertFeed(tx: Executor, tenantId: string): Promise<void> {
  await tx.rows({ text: 'INSERT INTO feeds (tenant_id, position) VALUES ($1, 0)', values: [tenantId] });
}

/**
 * Takes the feed for this transaction, so that one at a time gives positions, and answers the last one given.
 * Undefined where somebody else has it and `wait` is not asked for.
 */
export async function lockFeed(
  tx: Transaction,
  tenantId: string,
  wait: boolean,
): Promise<number | undefined> {
  const [feed] = await tx.rows<{ position: number }>({
    name: wait ? 'outbox_lock_feed' : 'outbox_try_feed',
    text: `SELECT position FROM feeds WHERE tenant_id = $1 FOR UPDATE ${wait ? '' : 'SKIP LOCKED'}`,
    values: [tenantId],
  });
  return feed?.position;
}

export interface Numbering {
  /** The last position given so far. */
  position: number;
  /** No unnumbered event of the tenant was recorded before, as far as the caller has seen; null for unknown. */
  since: Date | null;
  limit: number;
  /** Whether the transaction has nothing to do afterwards, so that its commit may travel along. */
  isLast: boolean;
}

/**
 * Gives the next positions to events that have none, in a statement of its own after the lock: its snapshot
 * must see everything that was committed before the lock was had.
 *
 * A customer's events take their positions in the order of their sequence. Clocks of several replicas differ,
 * so a cut by `recorded_at` alone could take an event and leave the one before it: `batch` adds those. Each
 * has the sequence one below, so that it is one look-up by index; the position is tested outside of it, or
 * the planner might think the index of unnumbered events the shorter way. The running maximum makes
 * the time of a customer's events grow with their sequence, and so one order fits both. Rows are updated by
 * their places, which nobody else can change: only the holder of the feed updates events, an erasure too.
 */
export async function numberBatch(
  tx: Transaction,
  tenantId: string,
  { position, since, limit, isLast }: Numbering,
): Promise<number> {
  // With fresh statistics the planner takes the update for worth a scan of the whole table, which it is not.
  planWith(tx, 'off', ['hashjoin', 'mergejoin']);
  const numbering = {
    name: 'outbox_number',
    text: `
      WITH RECURSIVE head AS MATERIALIZED (
        SELECT ctid AS place, id, customer_id, sequence, recorded_at FROM events
         WHERE tenant_id = $1 AND position IS NULL AND recorded_at >= $3
         ORDER BY recorded_at LIMIT $4
      ), batch AS (
        SELECT place, id, customer_id, sequence, recorded_at FROM head
        UNION
        SELECT before.place, before.id, before.customer_id, before.sequence, before.recorded_at
          FROM batch CROSS JOIN LATERAL (
            SELECT e.ctid AS place, e.id, e.customer_id, e.sequence, e.recorded_at, e.position FROM events e
             WHERE e.tenant_id = $1 AND e.customer_id = batch.customer_id AND e.sequence = batch.sequence - 1
             LIMIT 1) before
         WHERE before.position IS NULL
      ), timed AS (
        SELECT place, coalesce(customer_id, id) AS whose, sequence,
               max(recorded_at) OVER (PARTITION BY coalesce(customer_id, id) ORDER BY sequence) AS at
          FROM batch
      ), numbered AS MATERIALIZED (
        SELECT place, row_number() OVER (ORDER BY at, whose, sequence) AS rank FROM timed
      ), placed AS (
        UPDATE events e SET position = $2 + n.rank FROM numbered n
         WHERE e.tenant_id = $1 AND e.ctid = n.place
        RETURNING 1
      ), moved AS (
        UPDATE feeds SET position = $2 + (SELECT count(*) FROM numbered)
         WHERE tenant_id = $1 AND EXISTS (SELECT FROM numbered)
      )
      SELECT count(*)::int AS count FROM placed`,
    // Said in full: COALESCE is not trusted ahead of the wall between tenants, and would not find its way into
    // the index, whose entries of events that have a place since would all be gone through.
    values: [tenantId, position, since ?? '-infinity', limit],
  };
  if (isLast) return countOf(await tx.lastRows<Count>(numbering));
  const counted = tx.rows<Count>(numbering);
  planWith(tx, 'on', ['hashjoin', 'mergejoin']);
  return countOf(await counted);
}

interface Count {
  count: number;
}

function countOf([row]: Count[]): number {
  return row?.count ?? 0;
}

/** Places that the holder of the feed gives to what it writes itself. Travels with the statement after it. */
export function reservePlaces(tx: Transaction, tenantId: string, position: number): void {
  const text = 'UPDATE feeds SET position = $2 WHERE tenant_id = $1';
  tx.rows({ name: 'outbox_reserve', text, values: [tenantId, position] }).catch(() => undefined);
}

export interface UnnumberedTenant {
  tenantId: string;
  since: Date;
}

const SCAN_MAX = 1_000;

/** Runs as the finder; looks at both ends, as `tenantsDue` does and for the same reason. */
export async function tenantsUnnumbered(finder: Executor): Promise<UnnumberedTenant[]> {
  return finder.rows<UnnumberedTenant>({
    name: 'outbox_tenants_unnumbered',
    text: `SELECT tenant_id AS "tenantId", min(recorded_at) AS since FROM (
             (SELECT tenant_id, recorded_at FROM events WHERE position IS NULL
               ORDER BY recorded_at LIMIT ${SCAN_MAX})
             UNION ALL
             (SELECT tenant_id, recorded_at FROM events WHERE position IS NULL
               ORDER BY recorded_at DESC LIMIT ${SCAN_MAX})
           ) unnumbered GROUP BY tenant_id ORDER BY since`,
  });
}

// The order leads the planner to the index of unnumbered events, which is the short way at any size.
const IS_BEHIND = `(
  SELECT 1 FROM events WHERE tenant_id = $1 AND position IS NULL ORDER BY recorded_at LIMIT 1) IS NOT NULL`;

/** Whether there are events that have no place in the feed yet. */
export async function hasUnnumbered(executor: Executor, tenantId: string): Promise<boolean> {
  const [row] = await executor.rows<{ isBehind: boolean }>({
    name: 'outbox_is_behind',
    text: `SELECT ${IS_BEHIND} AS "isBehind"`,
    values: [tenantId],
  });
  return row?.isBehind ?? false;
}

export interface FeedEdges {
  /** What had a place at or below this one may be pruned; a reader who stands below it has missed something. */
  prunedTo: number;
  /** Whether there are events that have no place yet. */
  isBehind: boolean;
}

export async function feedEdges(executor: Executor, tenantId: string): Promise<FeedEdges> {
  const [edges] = await executor.rows<FeedEdges>({
    name: 'outbox_feed_edges',
    text: `SELECT pruned_to AS "prunedTo", ${IS_BEHIND} AS "isBehind" FROM feeds WHERE tenant_id = $1`,
    values: [tenantId],
  });
  return edges ?? { prunedTo: 0, isBehind: false };
}

export async function lastPosition(executor: Executor, tenantId: string): Promise<number> {
  const [feed] = await executor.rows<{ position: number }>({
    name: 'outbox_last_position',
    text: 'SELECT position FROM feeds WHERE tenant_id = $1',
    values: [tenantId],
  });
  return feed?.position ?? 0;
}

export interface PositionedBody {
  position: number;
  body: string;
}

export interface FeedRange {
  after: number;
  /** Null for all. */
  types: readonly string[] | null;
  limit: number;
}

/** How many positions one page looks through at most, however few of them are asked for. */
export const WINDOW = 10_000;

export async function readWindow(
  executor: Executor,
  tenantId: string,
  { after, types, limit }: FeedRange,
): Promise<PositionedBody[]> {
  return executor.rows<PositionedBody>({
    name: 'outbox_read',
    text: `SELECT position, body FROM events
            WHERE tenant_id = $1 AND position > $2 AND position <= $2 + ${WINDOW}
              AND ($3::text[] IS NULL OR type = ANY($3))
            ORDER BY position LIMIT $4`,
    values: [tenantId, after, types, limit],
  });
}

/** One customer's events are few: they are found by the customer, whatever their positions. */
export async function readOfCustomer(
  executor: Executor,
  tenantId: string,
  { customerId, after, types, limit }: FeedRange & { customerId: string },
): Promise<PositionedBody[]> {
  return executor.rows<PositionedBody>({
    name: 'outbox_read_customer',
    text: `WITH theirs AS MATERIALIZED (
             SELECT id, position, type FROM events WHERE tenant_id = $1 AND customer_id = $2
           ), wanted AS MATERIALIZED (
             SELECT id, position FROM theirs
              WHERE position > $3 AND ($4::text[] IS NULL OR type = ANY($4))
              ORDER BY position LIMIT $5
           )
           SELECT e.position, e.body FROM events e
            WHERE e.tenant_id = $1 AND e.id = ANY(ARRAY(SELECT id FROM wanted)) ORDER BY e.position`,
    values: [tenantId, customerId, after, types, limit],
  });
}

export async function findBody(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<string | undefined> {
  const [event] = await executor.rows<{ body: string }>({
    name: 'outbox_find',
    text: 'SELECT body FROM events WHERE tenant_id = $1 AND id = $2',
    values: [tenantId, id],
  });
  return event?.body;
}
