// Owns all SQL about API keys. Revoked and expired keys stay: they say who once had access.

import { and, asc, eq, gt, isNull, type SQL } from 'drizzle-orm';
import type { Scope } from '../context.js';
import type { Executor, Transaction } from '../db/executor.js';
import { apiKeys } from './table.js';

export type ApiKeyRow = typeof apiKeys.$inferSelect;

export async function insertApiKeys(tx: Transaction, rows: ApiKeyRow[]): Promise<void> {
  await tx.orm.insert(apiKeys).values(rows);
}

export async function findApiKey(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<ApiKeyRow | undefined> {
  const [row] = await executor.orm
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.id, id)));
  return row;
}

export interface ApiKeyRange {
  tenantId: string;
  afterId: string | undefined;
  limit: number;
}

/** Oldest first, by id: ids are made in the order of time and never change. */
export async function listApiKeys(
  executor: Executor,
  { tenantId, afterId, limit }: ApiKeyRange,
): Promise<ApiKeyRow[]> {
  const wanted: (SQL | undefined)[] = [eq(apiKeys.tenantId, tenantId)];
  if (afterId !== undefined) wanted.push(gt(apiKeys.id, afterId));
  return executor.orm
    .select()
    .from(apiKeys)
    .where(and(...wanted))
    .orderBy(asc(apiKeys.id))
    .limit(limit);
}

/**
 * Locks the keys that can still make keys. Whoever revokes one holds this lock, so that two revocations at
 * once cannot each take the other for the one that is left.
 */
export async function lockKeyMakers(tx: Transaction, tenantId: string, now: Date): Promise<string[]> {
  const scope: Scope = 'api_keys:write';
  const rows = await tx.rows<{ id: string }>({
    text: `SELECT id FROM api_keys
            WHERE tenant_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
              AND $3 = ANY(scopes)
            ORDER BY id FOR UPDATE`,
    values: [tenantId, now, scope],
  });
  return rows.map(({ id }) => id);
}

export interface Revocation {
  tenantId: string;
  id: string;
  now: Date;
}

/** Leaves the first revocation's time alone. */
export async function revokeApiKey(tx: Transaction, { tenantId, id, now }: Revocation): Promise<void> {
  await tx.orm
    .update(apiKeys)
    .set({ revokedAt: now })
    .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.id, id), isNull(apiKeys.revokedAt)));
}

export interface HolderRow {
  tenant_id: string;
  id: string;
  scopes: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  suspended: boolean;
}

/** Runs as the finder: whose key this is, and whether that tenant is being served. */
export async function findHolder(executor: Executor, keyHash: Buffer): Promise<HolderRow | undefined> {
  const [row] = await executor.rows<HolderRow>({
    name: 'api_keys_holder',
    text: `SELECT k.tenant_id, k.id, k.scopes, k.expires_at, k.revoked_at,
                  t.status <> 'active' AS suspended
             FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
            WHERE k.key_hash = $1`,
    values: [keyHash],
  });
  return row;
}
