// Owns all SQL about webhook endpoints. Does not own that of their deliveries (outbox/).

import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm';
import type { Executor, Transaction } from '../db/executor.js';
import { webhookEndpoints } from './table.js';

export type EndpointRow = typeof webhookEndpoints.$inferSelect;

/** Holds off other makers of endpoints of this tenant, so that what is counted stays true until the commit. */
export async function countEndpointsAlone(tx: Transaction, tenantId: string): Promise<number> {
  await tx.rows({
    text: `SELECT pg_advisory_xact_lock(hashtextextended($1 || ':endpoints', 2))`,
    values: [tenantId],
  });
  return tx.orm.$count(webhookEndpoints, eq(webhookEndpoints.tenantId, tenantId));
}

export async function insertEndpoint(tx: Transaction, row: EndpointRow): Promise<void> {
  await tx.orm.insert(webhookEndpoints).values({ ...row, filterPath: parsed(row.filterPath) });
}

/**
 * As Postgres reads and writes it. A path that it could not read fails here and now, and not later, in every
 * statement that tells of something.
 */
function parsed(path: string | null): SQL | null {
  return path === null ? null : sql`${path}::text::jsonpath::text`;
}

export interface EndpointKey {
  tenantId: string;
  id: string;
}

export async function findEndpoint(executor: Executor, key: EndpointKey): Promise<EndpointRow | undefined> {
  const [row] = await executor.orm.select().from(webhookEndpoints).where(named(key));
  return row;
}

/** The same, holding the row until the transaction ends. */
export async function lockEndpoint(tx: Transaction, key: EndpointKey): Promise<EndpointRow | undefined> {
  const [row] = await tx.orm.select().from(webhookEndpoints).where(named(key)).for('no key update');
  return row;
}

export interface EndpointRange {
  tenantId: string;
  afterId: string | undefined;
  limit: number;
}

/** Oldest first, by id: ids are made in the order of time and never change. */
export async function listEndpoints(executor: Executor, range: EndpointRange): Promise<EndpointRow[]> {
  const { tenantId, afterId, limit } = range;
  const wanted: SQL[] = [eq(webhookEndpoints.tenantId, tenantId)];
  if (afterId !== undefined) wanted.push(gt(webhookEndpoints.id, afterId));
  return executor.orm
    .select()
    .from(webhookEndpoints)
    .where(and(...wanted))
    .orderBy(asc(webhookEndpoints.id))
    .limit(limit);
}

export async function updateEndpoint(tx: Transaction, row: EndpointRow): Promise<void> {
  const { tenantId: _, id: __, createdAt: ___, ...changeable } = row;
  await tx.orm
    .update(webhookEndpoints)
    .set({ ...changeable, filterPath: parsed(row.filterPath) })
    .where(named(row));
}

/** What the sending has learnt of it goes: it begins anew. Says since when it had been failing. */
export async function forgetHealth(tx: Transaction, { tenantId, id }: EndpointKey): Promise<Date | null> {
  const [row] = await tx.rows<{ failingSince: Date | null }>({
    name: 'webhooks_forget_health',
    text: `DELETE FROM webhook_endpoint_health WHERE tenant_id = $1 AND endpoint_id = $2
           RETURNING failing_since AS "failingSince"`,
    values: [tenantId, id],
  });
  return row?.failingSince ?? null;
}

/** An open breaker lets one delivery try at once. */
export async function tryNow(tx: Transaction, { tenantId, id }: EndpointKey, now: Date): Promise<void> {
  await tx.rows({
    name: 'webhooks_try_now',
    text: `UPDATE webhook_endpoint_health SET open_until = $3
            WHERE tenant_id = $1 AND endpoint_id = $2 AND open_until > $3`,
    values: [tenantId, id, now],
  });
}

export async function deleteEndpoint(tx: Transaction, key: EndpointKey): Promise<void> {
  await tx.orm.delete(webhookEndpoints).where(named(key));
}

export interface TargetRow
  extends Pick<
    EndpointRow,
    'id' | 'status' | 'url' | 'secret' | 'retiredSecrets' | 'headers' | 'rateLimitPerS'
  > {
  openUntil: Date | null;
}

/** What the sending needs; on the way of every delivery. */
export function findTargets(
  executor: Executor,
  tenantId: string,
  ids: readonly string[],
): Promise<TargetRow[]> {
  return executor.rows<TargetRow>({
    name: 'webhooks_targets',
    text: `SELECT w.id, w.status, w.url, w.secret, w.retired_secrets AS "retiredSecrets", w.headers, w.rate_limit_per_s AS "rateLimitPerS",
                  h.open_until AS "openUntil"
             FROM webhook_endpoints w
             LEFT JOIN webhook_endpoint_health h ON h.tenant_id = $1 AND h.endpoint_id = w.id
            WHERE w.tenant_id = $1 AND w.id = ANY($2::uuid[])`,
    values: [tenantId, ids],
  });
}

function named({ tenantId, id }: EndpointKey): SQL | undefined {
  return and(eq(webhookEndpoints.tenantId, tenantId), eq(webhookEndpoints.id, id));
}
