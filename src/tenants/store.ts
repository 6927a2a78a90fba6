// Owns all SQL about tenants. Tenants are never deleted here: a suspended one keeps its history.

import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm';
import type { Executor, Transaction } from '../db/executor.js';
import { tenants } from './table.js';

export type TenantRow = typeof tenants.$inferSelect;

/** False where the slug is taken: asked of the insert itself, since a look before it could be overtaken. */
export async function insertTenant(tx: Transaction, row: TenantRow): Promise<boolean> {
  const inserted = await tx.orm
    .insert(tenants)
    .values(row)
    .onConflictDoNothing({ target: tenants.slug })
    .returning({ id: tenants.id });
  return inserted.length === 1;
}

export async function findTenant(executor: Executor, id: string): Promise<TenantRow | undefined> {
  const [row] = await executor.orm.select().from(tenants).where(eq(tenants.id, id));
  return row;
}

/** The same, holding the row until the transaction ends. */
export async function lockTenant(tx: Transaction, id: string): Promise<TenantRow | undefined> {
  const [row] = await tx.orm.select().from(tenants).where(eq(tenants.id, id)).for('update');
  return row;
}

export async function hasTenants(executor: Executor): Promise<boolean> {
  const rows = await executor.orm.select({ one: sql`1` }).from(tenants).limit(1);
  return rows.length > 0;
}

export interface TenantRange {
  afterId: string | undefined;
  limit: number;
}

/** Oldest first, by id: ids are made in the order of time and never change. */
export async function listTenants(executor: Executor, { afterId, limit }: TenantRange): Promise<TenantRow[]> {
  const wanted: SQL[] = afterId === undefined ? [] : [gt(tenants.id, afterId)];
  return executor.orm
    .select()
    .from(tenants)
    .where(and(...wanted))
    .orderBy(asc(tenants.id))
    .limit(limit);
}

export async function updateTenant(tx: Transaction, row: TenantRow): Promise<void> {
  const { name, status, version, updatedAt } = row;
  await tx.orm.update(tenants).set({ name, status, version, updatedAt }).where(eq(tenants.id, row.id));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What the finder may see of a tenant. */
export type StandingRow = Pick<TenantRow, 'id' | 'slug' | 'status'>;

/** Runs as the finder, for credentials that name their tenant themselves, by id or by slug. */
export async function findStanding(finder: Executor, reference: string): Promise<StandingRow | undefined> {
  // A slug begins with a letter and an id of ours with a digit, so no reference can mean two tenants.
  const [row] = await finder.rows<StandingRow>({
    name: 'tenants_standing',
    text: 'SELECT id, slug, status FROM tenants WHERE slug = $1 OR id = $2::uuid',
    values: [reference, UUID.test(reference) ? reference : null],
  });
  return row;
}
