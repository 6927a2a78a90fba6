// Owns the SQL of replays as such: making, showing, cancelling, claiming and keeping their progress. Does not
// own that of what they walk over (replays-walk-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import { REPLAYS_LOOKED_BACK_MAX } from './order-store.js';
import type { EndpointState } from './requeue-store.js';
import type { REPLAY_SCOPES, REPLAY_STATUSES } from './table.js';

export type ReplayScope = (typeof REPLAY_SCOPES)[number];
export type ReplayStatus = (typeof REPLAY_STATUSES)[number];

export interface ReplayRow {
  id: string;
  endpointId: string;
  scope: ReplayScope;
  eventTypes: string[];
  from: Date;
  to: Date;
  status: ReplayStatus;
  /** Opaque but to the walk of its scope. */
  cursor: string | null;
  eventsSeen: number;
  deliveriesQueued: number;
  createdAt: Date;
  finishedAt: Date | null;
}

const columns = (of: string) => `${of}.id, ${of}.endpoint_id AS "endpointId", ${of}.scope,
  ${of}.event_types AS "eventTypes", ${of}.recorded_from AS "from", ${of}.recorded_to AS "to", ${of}.status,
  ${of}.cursor, ${of}.events_seen AS "eventsSeen", ${of}.deliveries_queued AS "deliveriesQueued",
  ${of}.created_at AS "createdAt", ${of}.finished_at AS "finishedAt"`;

export async function countRunning(tx: Transaction, tenantId: string, endpointId: string): Promise<number> {
  const [row] = await tx.rows<{ running: number }>({
    text: `SELECT count(*) FILTER (WHERE status = 'running')::int AS running FROM (
             SELECT status FROM webhook_replays WHERE tenant_id = $1 AND endpoint_id = $2
              ORDER BY created_at DESC, id DESC LIMIT ${REPLAYS_LOOKED_BACK_MAX}) newest`,
    values: [tenantId, endpointId],
  });
  return row?.running ?? 0;
}

export async function insertReplay(
  tx: Transaction,
  tenantId: string,
  row: ReplayRow & { createdBy: string },
): Promise<void> {
  await tx.rows({
    text: `INSERT INTO webhook_replays (tenant_id, id, endpoint_id, scope, event_types, recorded_from, recorded_to,
                                        status, events_seen, deliveries_queued, due_at, created_by, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', 0, 0, $8, $9, $8)`,
    values: [
      tenantId,
      ...[row.id, row.endpointId, row.scope, row.eventTypes, row.from, row.to, row.createdAt, row.createdBy],
    ],
  });
}

export interface ReplayRange {
  endpointId: string;
  /** Where the page before ended: created at, id. */
  before: readonly [string, string] | null;
  limit: number;
}

/** Newest first. */
export function listReplays(
  executor: Executor,
  tenantId: string,
  { endpointId, before, limit }: ReplayRange,
): Promise<ReplayRow[]> {
  const page = before === null ? '' : 'AND (r.created_at, r.id) < ($3::timestamptz, $4::uuid)';
  return rowsOfPage<ReplayRow>(executor, limit, (rows) => ({
    name: `outbox_replays:${before !== null}:${rows}`,
    text: `SELECT ${columns('r')} FROM webhook_replays r WHERE r.tenant_id = $1 AND r.endpoint_id = $2 ${page}
            ORDER BY r.created_at DESC, r.id DESC LIMIT ${rows}`,
    values: [tenantId, endpointId, ...(before ?? [])],
  }));
}

export interface ReplayKey {
  endpointId: string;
  id: string;
}

export async function findReplay(
  executor: Executor,
  tenantId: string,
  { endpointId, id }: ReplayKey,
): Promise<ReplayRow | undefined> {
  const [row] = await executor.rows<ReplayRow>({
    name: 'outbox_replay',
    text: `SELECT ${columns('r')} FROM webhook_replays r
            WHERE r.tenant_id = $1 AND r.id = $2 AND r.endpoint_id = $3`,
    values: [tenantId, id, endpointId],
  });
  return row;
}

/** Ends it if it runs. Whoever is taking a step of it finds it gone, and that step undone. */
export async function cancelReplay(
  tx: Transaction,
  tenantId: string,
  { endpointId, id, now }: ReplayKey & { now: Date },
): Promise<ReplayRow | undefined> {
  const [row] = await tx.rows<ReplayRow>({
    text: `UPDATE webhook_replays r
              SET status = 'cancelled', due_at = NULL, claim_token = NULL, finished_at = $4
            WHERE r.tenant_id = $1 AND r.id = $2 AND r.endpoint_id = $3 AND r.status = 'running'
        RETURNING ${columns('r')}`,
    values: [tenantId, id, endpointId, now],
  });
  return row;
}

const SCAN_MAX = 1_000;

/** Runs as the finder. Whoever waited longest comes first. */
export async function tenantsReplaying(finder: Executor, now: Date): Promise<string[]> {
  const rows = await finder.rows<{ tenantId: string }>({
    name: 'outbox_tenants_replaying',
    text: `SELECT tenant_id AS "tenantId" FROM (
             SELECT tenant_id, due_at FROM webhook_replays WHERE due_at <= $1 ORDER BY due_at LIMIT ${SCAN_MAX}
           ) due GROUP BY tenant_id ORDER BY min(due_at)`,
    values: [now],
  });
  return rows.map(({ tenantId }) => tenantId);
}

/** Runs as the finder: how many are under way, counted up to `max`. */
export async function countReplaying(finder: Executor, max: number): Promise<number> {
  const [row] = await finder.rows<{ running: number }>({
    name: 'outbox_count_replaying',
    text: `SELECT count(*)::int AS running FROM (
             SELECT FROM webhook_replays WHERE due_at IS NOT NULL ORDER BY due_at LIMIT $1) running`,
    values: [max],
  });
  return row?.running ?? 0;
}

export interface ReplayClaim {
  now: Date;
  leaseUntil: Date;
  token: string;
}

/**
 * The one that has been due for longest, unless somebody has it. Those of one endpoint are worked one after the
 * other, in the order in which they were made: what failed goes before what was missed after it.
 */
export async function claimReplay(
  tx: Transaction,
  tenantId: string,
  claim: ReplayClaim,
): Promise<ReplayRow | undefined> {
  const [row] = await tx.lastRows<ReplayRow>({
    name: 'outbox_replay_claim',
    text: `UPDATE webhook_replays r SET due_at = $3, claim_token = $4
            WHERE r.tenant_id = $1 AND r.ctid = ANY(ARRAY(
              SELECT due.ctid FROM webhook_replays due
               WHERE due.tenant_id = $1 AND due.due_at <= $2
                 AND NOT EXISTS (
                   SELECT FROM (SELECT e.status FROM webhook_replays e
                                 WHERE e.tenant_id = $1 AND e.endpoint_id = due.endpoint_id
                                   AND (e.created_at, e.id) < (due.created_at, due.id)
                                 ORDER BY e.created_at DESC, e.id DESC LIMIT ${REPLAYS_LOOKED_BACK_MAX}) earlier
                    WHERE earlier.status = 'running')
               ORDER BY due.due_at LIMIT 1 FOR UPDATE OF due SKIP LOCKED))
        RETURNING ${columns('r')}`,
    values: [tenantId, claim.now, claim.leaseUntil, claim.token],
  });
  return row;
}

export interface HeldReplay extends ReplayRow {
  endpointStatus: EndpointState['status'];
  /** Whether what happens now waits for it, since the endpoint is told in order. */
  isAwaited: boolean;
}

/**
 * The replay for one step, held until the transaction ends; undefined for whoever has lost the claim. Its
 * endpoint is held too: a step and the disabling of the endpoint come one after the other.
 */
export async function holdReplay(
  tx: Transaction,
  tenantId: string,
  { id, token }: { id: string; token: string },
): Promise<HeldReplay | undefined> {
  const [row] = await tx.rows<HeldReplay>({
    name: 'outbox_replay_hold',
    text: `SELECT ${columns('r')}, w.status AS "endpointStatus",
                  w.ordering = 'per_customer' AND r.scope <> 'all' AS "isAwaited"
             FROM webhook_replays r
             JOIN webhook_endpoints w ON w.tenant_id = $1 AND w.id = r.endpoint_id
            WHERE r.tenant_id = $1 AND r.id = $2 AND r.claim_token = $3
              FOR UPDATE OF r FOR SHARE OF w`,
    values: [tenantId, id, token],
  });
  return row;
}

export interface ReplayProgress {
  id: string;
  status: ReplayStatus;
  cursor: string | null;
  eventsSeen: number;
  deliveriesQueued: number;
  /** The end of the lease, or when whoever comes first goes on; null once it is over. */
  dueAt: Date | null;
  /** Null where the claim is given up. */
  token: string | null;
  finishedAt: Date | null;
}

/** Of a replay that is held. The last statement of its transaction. */
export async function saveProgress(
  tx: Transaction,
  tenantId: string,
  progress: ReplayProgress,
): Promise<void> {
  const { id, status, cursor, eventsSeen, deliveriesQueued, dueAt, token, finishedAt } = progress;
  await tx.lastRows({
    name: 'outbox_replay_progress',
    text: `UPDATE webhook_replays
              SET status = $3, cursor = $4, events_seen = $5, deliveries_queued = $6, due_at = $7, claim_token = $8,
                  finished_at = $9
            WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id, status, cursor, eventsSeen, deliveriesQueued, dueAt, token, finishedAt],
  });
}
