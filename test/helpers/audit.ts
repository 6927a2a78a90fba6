// Owns the questions that a tenant's tables must answer with nothing after whatever was done to the service:
// each query lists what is lost, doubled or out of order. Reads as the database's owner; writes nothing. Does
// not own what was told to the service (book.ts) nor the replay (audit-replay.ts).

import type pg from 'pg';
import type { Book, BookedOrder } from './book.js';
import type { ReceivedRequest } from './receiver.js';

export type Sql = <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;

/** Faults of every kind, as sentences; a database that is in order has none. */
export async function auditTables(sql: Sql): Promise<string[]> {
  const faults: string[] = [];
  for (const question of [
    SEQUENCES,
    FEED,
    FEED_ORDER,
    CHAIN,
    STANDING,
    TELLING,
    RETRACTIONS,
    STRAY_RETRACTIONS,
    STRAY_EVENTS,
    DELIVERIES,
  ]) {
    const rows = await sql<{ fault: string }>(question);
    faults.push(...rows.map(({ fault }) => fault));
  }
  return faults;
}

/** A customer's events are numbered from 1 on, without a gap and without a repeat. */
const SEQUENCES = `
  SELECT format('customer %s: %s events, sequences %s to %s, %s different, counter at %s', l.customer_id,
                count(e.id), min(e.sequence), max(e.sequence), count(DISTINCT e.sequence), l.sequence) AS fault
    FROM customer_lifecycles l LEFT JOIN events e ON e.tenant_id = l.tenant_id AND e.customer_id = l.customer_id
   GROUP BY l.tenant_id, l.customer_id, l.sequence
  HAVING count(e.id) <> l.sequence OR min(e.sequence) <> 1 OR max(e.sequence) <> l.sequence
      OR count(DISTINCT e.sequence) <> l.sequence`;

const FEED = `
  SELECT format('feed at %s: %s events, positions %s to %s, %s different', f.position, count(e.id),
                min(e.position), max(e.position), count(DISTINCT e.position)) AS fault
    FROM feeds f JOIN events e USING (tenant_id)
   GROUP BY f.tenant_id, f.position
  HAVING count(e.id) <> f.position OR min(e.position) <> 1 OR max(e.position) <> f.position
      OR count(DISTINCT e.position) <> f.position`;

const FEED_ORDER = `
  SELECT format('customer %s: sequence %s at %s, the one before it at %s', customer_id, sequence, position, before) AS fault
    FROM (SELECT customer_id, sequence, position, lag(position) OVER (PARTITION BY tenant_id, customer_id ORDER BY sequence) AS before
            FROM events WHERE customer_id IS NOT NULL) placed
   WHERE before > position`;

/** One chain for each customer: it begins with no stage, and each row goes on where the one before it ended. */
const CHAIN = `
  SELECT format('customer %s: %s to %s at %s follows %s at %s', customer_id, from_stage, to_stage, effective_at,
                stage_before, at_before) AS fault
    FROM (SELECT customer_id, from_stage, to_stage, effective_at, lag(to_stage) OVER chain AS stage_before,
                 lag(effective_at) OVER chain AS at_before
            FROM transitions WHERE superseded_at IS NULL
          WINDOW chain AS (PARTITION BY tenant_id, customer_id ORDER BY effective_at, id)) linked
   WHERE from_stage IS DISTINCT FROM stage_before OR effective_at <= at_before`;

const STANDING = `
  SELECT format('customer %s stands in %s since %s, the ledger ends with %s at %s', l.customer_id, l.stage,
                l.stage_since, last.to_stage, last.effective_at) AS fault
    FROM customer_lifecycles l LEFT JOIN LATERAL (
           SELECT to_stage, effective_at FROM transitions
            WHERE tenant_id = l.tenant_id AND customer_id = l.customer_id AND superseded_at IS NULL
            ORDER BY effective_at DESC, id DESC LIMIT 1) last ON true
   WHERE l.stage IS DISTINCT FROM last.to_stage OR l.stage_since IS DISTINCT FROM last.effective_at`;

/** Every row was told by one event, and no event tells of two rows in force. */
const TELLING = `
  SELECT format('transition %s has no event', t.id) AS fault
    FROM transitions t LEFT JOIN events e ON e.tenant_id = t.tenant_id AND e.id = t.event_id WHERE e.id IS NULL
  UNION ALL
  SELECT format('event %s tells of %s rows in force', event_id, count(*)) FROM transitions
   WHERE superseded_at IS NULL GROUP BY tenant_id, event_id HAVING count(*) > 1`;

const RETRACTED = `(e.body::json #>> '{data,retracted,transitionId}')::uuid`;

/**
 * Rows of one event are one transition, re-recorded in silence; outside it has the first one's id. Taken back for
 * good, it is retracted by one event; in force, by none.
 */
const RETRACTIONS = `
  WITH retractions AS (
    SELECT e.tenant_id, ${RETRACTED} AS id, count(*) AS times FROM events e
     WHERE e.type = 'customer.transition_retracted' GROUP BY 1, 2
  ), told AS (
    SELECT tenant_id, (array_agg(id ORDER BY recorded_at, id))[1] AS id, bool_or(superseded_at IS NULL) AS holds
      FROM transitions GROUP BY tenant_id, event_id)
  SELECT format('transition %s: retracted %s times, in force %s', t.id, coalesce(r.times, 0), t.holds) AS fault
    FROM told t FULL JOIN retractions r USING (tenant_id, id)
   WHERE coalesce(r.times, 0) <> (NOT t.holds)::int OR t.id IS NULL`;

const STRAY_RETRACTIONS = `
  SELECT format('event %s retracts %s, which is not superseded', e.id, ${RETRACTED}) AS fault
    FROM events e LEFT JOIN transitions t ON t.tenant_id = e.tenant_id AND t.id = ${RETRACTED}
   WHERE e.type = 'customer.transition_retracted' AND t.superseded_at IS NULL`;

const STRAY_EVENTS = `
  SELECT format('event %s (%s) tells of no row', e.id, e.type) AS fault
    FROM events e LEFT JOIN transitions t ON t.tenant_id = e.tenant_id AND t.event_id = e.id
   WHERE t.id IS NULL AND e.type IN ('customer.stage_changed', 'customer.declining', 'customer.churned',
                                     'customer.recovered', 'customer.reactivated')`;

/** For endpoints that listen to everything: one delivery for each event that is to be delivered, all of them done. */
const DELIVERIES = `
  SELECT format('event %s (%s), deliver %s: %s deliveries, %s of them done', e.id, e.type, e.deliver, count(d.id),
                count(*) FILTER (WHERE d.status = 'succeeded')) AS fault
    FROM events e CROSS JOIN webhook_endpoints w
    LEFT JOIN deliveries d ON d.tenant_id = e.tenant_id AND d.event_id = e.id AND d.endpoint_id = w.id
   WHERE w.tenant_id = e.tenant_id AND w.event_types = '{*}'
   GROUP BY e.id, e.type, e.deliver, w.id
  HAVING count(d.id) <> e.deliver::int OR count(*) FILTER (WHERE d.status = 'succeeded') <> e.deliver::int`;

/** What was answered is there, once; and nothing is there that was not told. */
export async function auditBook(sql: Sql, book: Book): Promise<string[]> {
  const [orders, customers, touchpoints, moves, versions] = await Promise.all([
    sql<{ id: string } & BookedOrder>(ORDERS),
    sql<{ id: string; name: string | null; changes: number; created: number }>(CUSTOMERS),
    sql<{ note: string; told: number }>(TOUCHPOINTS),
    sql<{ reason: string }>('SELECT reason FROM manual_moves'),
    sql<{ policies: number; activated: number; calibrations: number }>(VERSIONS),
  ]);
  const named = [...book.customers].map(([id, { name, changes }]) => ({ id, name, changes, created: 1 }));
  const { policies, calibrations } = book;
  return [
    ...differences(
      'order',
      [...book.orders].map(([id, order]) => ({ id, ...order })),
      orders,
    ),
    ...differences('customer', named, customers),
    ...differences(
      'touchpoint',
      [...book.touchpoints].map((note) => ({ note, told: 1 })),
      touchpoints,
    ),
    ...differences(
      'move',
      [...book.moves].map((reason) => ({ reason })),
      moves,
    ),
    // The first policy is the tenant's own, which nobody activated.
    ...differences('versions', [{ policies, activated: policies - 1, calibrations }], versions),
  ];
}

const ORDERS = `
  WITH telling AS (
    SELECT body::json #>> '{data,order,id}' AS id, array_agg(type ORDER BY position) AS told
      FROM events WHERE type LIKE 'order.%' GROUP BY 1)
  SELECT o.external_id AS id, i.value AS customer, o.status, o.amount_minor::int AS "amountMinor",
         o.refunded_minor::int AS "refundedMinor", o.version, telling.told
    FROM orders o JOIN customer_identities i ON i.tenant_id = o.tenant_id AND i.customer_id = o.customer_id
    LEFT JOIN telling ON telling.id = o.id::text`;

const CUSTOMERS = `
  SELECT i.value AS id, c.name, count(*) FILTER (WHERE e.type = 'customer.updated')::int AS changes,
         count(*) FILTER (WHERE e.type = 'customer.created')::int AS created
    FROM customers c LEFT JOIN customer_identities i ON i.tenant_id = c.tenant_id AND i.customer_id = c.id
    LEFT JOIN events e ON e.tenant_id = c.tenant_id AND e.customer_id = c.id
   GROUP BY c.tenant_id, c.id, i.value`;

const TOUCHPOINTS = `
  SELECT t.note, count(e.id)::int AS told
    FROM touchpoints t LEFT JOIN events e
      ON e.tenant_id = t.tenant_id AND e.customer_id = t.customer_id AND e.type = 'touchpoint.recorded'
     AND e.body::json #>> '{data,touchpoint,id}' = t.id::text
   GROUP BY t.id, t.note`;

const VERSIONS = `
  SELECT (SELECT count(*)::int FROM policies) AS policies, (SELECT count(*)::int FROM calibrations) AS calibrations,
         (SELECT count(*)::int FROM events WHERE type = 'policy.activated') AS activated`;

function differences(kind: string, booked: readonly object[], found: readonly object[]): string[] {
  const spell = (row: object) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
  const left = new Map<string, number>();
  for (const row of found) left.set(spell(row), (left.get(spell(row)) ?? 0) + 1);
  const missing: string[] = [];
  for (const row of booked) {
    const times = left.get(spell(row)) ?? 0;
    if (times === 0) missing.push(`${kind} was answered and is not there: ${spell(row)}`);
    else if (times === 1) left.delete(spell(row));
    else left.set(spell(row), times - 1);
  }
  return [...missing, ...[...left.keys()].map((row) => `${kind} is there and was not answered: ${row}`)];
}

/** What reached the receiver: everything that was to be delivered, word for word, and nothing else. */
export async function auditReceived(sql: Sql, requests: readonly ReceivedRequest[]): Promise<string[]> {
  const events = await sql<{ id: string; body: string }>('SELECT id, body FROM events WHERE deliver');
  const bodies = new Map(events.map(({ id, body }) => [id, body]));
  const faults: string[] = [];
  const received = new Set<string>();
  for (const { headers, body, verified } of requests) {
    const id = headers['webhook-id'] ?? '';
    received.add(id);
    if (!verified) faults.push(`${id} was not signed as it should be`);
    if (!bodies.has(id)) faults.push(`${id} was received and never committed, or not to be delivered`);
    else if (bodies.get(id) !== body) faults.push(`${id} was received with another text`);
  }
  const lost = [...bodies.keys()].filter((id) => !received.has(id));
  return [...faults, ...lost.map((id) => `${id} was to be delivered and never received`)];
}
