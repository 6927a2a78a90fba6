// Owns the SQL by which what is old enough is taken away: events with their deliveries and attempts. Does not
// own what is old enough, nor how much is taken at a time (retention.ts).

import type { Executor, Transaction } from '../db/executor.js';

/**
 * Runs as the finder: tenants after `afterId` whose feed begins with an event recorded before `before`, or that
 * have had to leave some behind. A look at two ends of an index for each tenant, a bounded number of tenants at
 * a time: an index by time would have to be kept up with each event there ever is, for the sake of one look an
 * hour.
 */
export async function tenantsWithOldEvents(
  finder: Executor,
  { afterId, before, limit }: { afterId: string; before: Date; limit: number },
): Promise<{ tenantId: string; isDue: boolean }[]> {
  return finder.rows({
    name: 'outbox_tenants_to_prune',
    text: `SELECT f.tenant_id AS "tenantId",
                  coalesce(kept.recorded_at < $2, false) OR coalesce(lowest.position <= f.pruned_to, false) AS "isDue"
             FROM (SELECT tenant_id, pruned_to FROM feeds WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $3) f
             LEFT JOIN LATERAL (
               SELECT e.recorded_at FROM events e WHERE e.tenant_id = f.tenant_id AND e.position > f.pruned_to
                ORDER BY e.position LIMIT 1) kept ON true
             LEFT JOIN LATERAL (
               SELECT e.position FROM events e WHERE e.tenant_id = f.tenant_id AND e.position IS NOT NULL
                ORDER BY e.position LIMIT 1) lowest ON true
            ORDER BY f.tenant_id`,
    values: [afterId, before, limit],
  });
}

export interface FeedPlaces {
  prunedTo: number;
  sweptTo: number;
}

export async function readPlaces(tx: Transaction, tenantId: string): Promise<FeedPlaces | undefined> {
  const [places] = await tx.rows<FeedPlaces>({
    name: 'outbox_prune_places',
    text: 'SELECT pruned_to AS "prunedTo", swept_to AS "sweptTo" FROM feeds WHERE tenant_id = $1',
    values: [tenantId],
  });
  return places;
}

export interface OldEvent {
  id: string;
  position: number;
  isOld: boolean;
}

export interface Stretch {
  after: number;
  upTo: number;
  before: Date;
  limit: number;
}

/** The next events of the feed. */
export function readStretch(tx: Transaction, tenantId: string, stretch: Stretch): Promise<OldEvent[]> {
  return tx.rows<OldEvent>({
    name: 'outbox_prune_stretch',
    text: `SELECT id, position, recorded_at < $4 AS "isOld" FROM events
            WHERE tenant_id = $1 AND position > $2 AND position <= $3
            ORDER BY position LIMIT $5`,
    values: [tenantId, stretch.after, stretch.upTo, stretch.before, stretch.limit],
  });
}

/**
 * Keeps anybody from queueing these events anew until the transaction ends. What somebody is queueing at this
 * moment is left out: it stays, and is come back to.
 */
export async function lockEvents(
  tx: Transaction,
  tenantId: string,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>({
    name: 'outbox_prune_lock',
    text: 'SELECT id FROM events WHERE tenant_id = $1 AND id = ANY($2::uuid[]) FOR UPDATE SKIP LOCKED',
    values: [tenantId, ids],
  });
  return rows.map(({ id }) => id);
}

export interface Pruned {
  events: number;
  deliveries: number;
  attempts: number;
}

/**
 * Deletes the deliveries of these events that were finished before `before`, with their attempts, and the events
 * that no other delivery refers to. One statement after the lock, so that it sees every delivery there is.
 * Each event's deliveries are looked up by their index: a long list of events was once planned as the whole tenant's.
 * Attempts go as a set: the cascade of the foreign key would take them delivery by delivery. All go by their
 * places, for the reason that `claimDue` gives.
 */
export async function deleteOld(
  tx: Transaction,
  tenantId: string,
  { ids, before }: { ids: readonly string[]; before: Date },
): Promise<Pruned> {
  const [pruned] = await tx.rows<Pruned>({
    name: 'outbox_prune',
    text: `
      WITH theirs AS MATERIALIZED (
        SELECT theirs.* FROM unnest($2::uuid[]) AS old(id) CROSS JOIN LATERAL (
          SELECT ctid AS place, id, event_id, finished_at IS NOT NULL AND finished_at < $3 AS is_old
            FROM deliveries WHERE tenant_id = $1 AND event_id = old.id OFFSET 0) theirs
      ), attempts AS (
        DELETE FROM delivery_attempts WHERE tenant_id = $1 AND ctid = ANY(ARRAY(
          SELECT found.place FROM theirs CROSS JOIN LATERAL (
            SELECT a.ctid AS place FROM delivery_attempts a
             WHERE a.tenant_id = $1 AND a.delivery_id = theirs.id ORDER BY a.number LIMIT 100) found
           WHERE theirs.is_old))
        RETURNING 1
      ), done AS (
        DELETE FROM deliveries
         WHERE tenant_id = $1 AND ctid = ANY(ARRAY(SELECT place FROM theirs WHERE is_old))
        RETURNING 1
      ), gone AS (
        DELETE FROM events WHERE tenant_id = $1 AND ctid = ANY(ARRAY(
          SELECT found.place
            FROM (SELECT unnest($2::uuid[]) AS id EXCEPT SELECT event_id FROM theirs WHERE NOT is_old) free
           CROSS JOIN LATERAL (
             SELECT e.ctid AS place FROM events e WHERE e.tenant_id = $1 AND e.id = free.id LIMIT 1) found))
        RETURNING 1
      )
      SELECT (SELECT count(*)::int FROM gone) AS events, (SELECT count(*)::int FROM done) AS deliveries,
             (SELECT count(*)::int FROM attempts) AS attempts`,
    values: [tenantId, ids, before],
  });
  return pruned ?? { events: 0, deliveries: 0, attempts: 0 };
}

/** The feed begins after `prunedTo` from now on. The last statement of its transaction. */
export async function moveBeginning(tx: Transaction, tenantId: string, prunedTo: number): Promise<void> {
  await tx.lastRows({
    name: 'outbox_prune_move',
    text: 'UPDATE feeds SET pruned_to = greatest(pruned_to, $2) WHERE tenant_id = $1',
    values: [tenantId, prunedTo],
  });
}

/** The last statement of its transaction. */
export async function moveSweep(tx: Transaction, tenantId: string, sweptTo: number): Promise<void> {
  await tx.lastRows({
    name: 'outbox_prune_sweep',
    text: 'UPDATE feeds SET swept_to = $2 WHERE tenant_id = $1',
    values: [tenantId, sweptTo],
  });
}
