// Owns the SQL by which an endpoint's attempts are listed and summed up. Does not own that of its deliveries
// (deliveries-store.ts) nor its health's own (health-store.ts).

import type { Executor } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import type { EventName } from './topics.js';

export interface EndpointAttemptRow {
  deliveryId: string;
  number: number;
  eventId: string;
  eventType: EventName;
  startedAt: Date;
  durationMs: number;
  status: number | null;
  error: string | null;
}

export interface AttemptFilter {
  outcome?: 'succeeded' | 'failed';
  status?: number;
  from?: Date;
  to?: Date;
}

export interface AttemptRange {
  endpointId: string;
  filter: AttemptFilter;
  /** Where the page before ended: started at, delivery, number. */
  before: readonly [string, string, number] | null;
  limit: number;
}

/** As the outcome was judged: a complete answer of 2xx. */
const SUCCEEDED = '(a.error IS NULL AND a.status BETWEEN 200 AND 299)';

/** Newest first. */
export function listEndpointAttempts(
  executor: Executor,
  tenantId: string,
  { endpointId, filter, before, limit }: AttemptRange,
): Promise<EndpointAttemptRow[]> {
  const { outcome, status, from, to } = filter;
  const values: unknown[] = [tenantId, endpointId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const parts: string[] = [];
  // Null where no answer came, so that NOT alone would leave those out.
  if (outcome !== undefined) parts.push(`${SUCCEEDED} IS ${outcome === 'failed' ? 'NOT ' : ''}TRUE`);
  if (status !== undefined) parts.push(`a.status = ${parameter(status)}`);
  if (from !== undefined) parts.push(`a.started_at >= ${parameter(from)}`);
  if (to !== undefined) parts.push(`a.started_at < ${parameter(to)}`);
  if (before !== null) {
    const [startedAt, deliveryId, number] = before;
    const keys = `${parameter(startedAt)}::timestamptz, ${parameter(deliveryId)}::uuid, ${parameter(number)}::int`;
    parts.push(`(a.started_at, a.delivery_id, a.number) < (${keys})`);
  }
  const asked = Object.entries({ outcome, status, from, to }).flatMap(([name, value]) =>
    value === undefined ? [] : [name === 'outcome' ? value : name],
  );
  return rowsOfPage<EndpointAttemptRow>(executor, limit, (rows) => ({
    name: `outbox_endpoint_attempts:${asked.join(',')}:${before !== null}:${rows}`,
    text: `SELECT a.delivery_id AS "deliveryId", a.number, e.id AS "eventId", e.type AS "eventType",
                  a.started_at AS "startedAt", a.duration_ms AS "durationMs", a.status, a.error
             FROM delivery_attempts a
            CROSS JOIN LATERAL (
              SELECT event_id FROM deliveries WHERE tenant_id = $1 AND id = a.delivery_id LIMIT 1) d
            CROSS JOIN LATERAL (
              SELECT id, type FROM events WHERE tenant_id = $1 AND id = d.event_id LIMIT 1) e
            WHERE a.tenant_id = $1 AND a.endpoint_id = $2${parts.map((part) => ` AND ${part}`).join('')}
            ORDER BY a.started_at DESC, a.delivery_id DESC, a.number DESC LIMIT ${rows}`,
    values,
  }));
}

export interface AttemptSummary {
  attempts: number;
  succeeded: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** Of the last `max` attempts since a time. */
export async function sumUpAttempts(
  executor: Executor,
  tenantId: string,
  { endpointId, since, max }: { endpointId: string; since: Date; max: number },
): Promise<AttemptSummary> {
  const [row] = await executor.rows<AttemptSummary>({
    name: 'outbox_attempt_summary',
    text: `SELECT count(*)::int AS attempts, count(*) FILTER (WHERE ${SUCCEEDED})::int AS succeeded,
                  percentile_disc(0.50) WITHIN GROUP (ORDER BY duration_ms) AS "p50Ms",
                  percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) AS "p95Ms",
                  percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) AS "p99Ms"
             FROM (
               SELECT status, error, duration_ms FROM delivery_attempts
                WHERE tenant_id = $1 AND endpoint_id = $2 AND started_at >= $3
                ORDER BY started_at DESC, delivery_id DESC, number DESC LIMIT $4) a`,
    values: [tenantId, endpointId, since, max],
  });
  return row ?? { attempts: 0, succeeded: 0, p50Ms: null, p95Ms: null, p99Ms: null };
}

export interface BacklogRow {
  pending: number;
  oldestAt: Date | null;
}

/** What an endpoint has waiting, counted up to `max`, and since when. */
export async function sumUpBacklog(
  executor: Executor,
  tenantId: string,
  { endpointId, max }: { endpointId: string; max: number },
): Promise<BacklogRow> {
  const [row] = await executor.rows<BacklogRow>({
    name: 'outbox_endpoint_backlog',
    text: `SELECT count(*)::int AS pending, min(created_at) AS "oldestAt" FROM (
             SELECT created_at FROM deliveries WHERE tenant_id = $1 AND endpoint_id = $2 AND finished_at IS NULL
              ORDER BY created_at LIMIT $3) pending`,
    values: [tenantId, endpointId, max],
  });
  return row ?? { pending: 0, oldestAt: null };
}

export interface EndpointHealthRow {
  failures: number;
  failingSince: Date | null;
  openUntil: Date | null;
}

/** Undefined where there is no such endpoint. */
export async function findEndpointHealth(
  executor: Executor,
  tenantId: string,
  endpointId: string,
): Promise<EndpointHealthRow | undefined> {
  const [row] = await executor.rows<EndpointHealthRow>({
    name: 'outbox_endpoint_health',
    text: `SELECT coalesce(h.failures, 0) AS failures, h.failing_since AS "failingSince", h.open_until AS "openUntil"
             FROM webhook_endpoints w
             LEFT JOIN webhook_endpoint_health h ON h.tenant_id = $1 AND h.endpoint_id = w.id
            WHERE w.tenant_id = $1 AND w.id = $2`,
    values: [tenantId, endpointId],
  });
  return row;
}
