// What the tables hold, looked at past every wall: by a superuser, in tables that the catalogue lists, so
// that a new table is looked at too.

import pg from 'pg';
import type { TestService } from '../helpers/service.js';

export interface Rows {
  /** The tables with a column `tenant_id`. */
  tenantTables: string[];
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** By table, a checksum of a tenant's rows, and their number. */
  dump(tenantId: string): Promise<Map<string, string>>;
  /** By table, the number of rows of all tenants. */
  counts(): Promise<Map<string, number>>;
  /** With neither foreign keys nor triggers, for rows in great numbers. */
  withoutTriggers(work: (query: Rows['query']) => Promise<void>): Promise<void>;
  /** In a transaction that is taken back. */
  alone<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
}

interface Teardown {
  teardown(work: () => Promise<void>): unknown;
}

export async function openRows(
  t: Teardown,
  { databaseUrl }: Pick<TestService, 'databaseUrl'>,
): Promise<Rows> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => undefined);
  t.teardown(() => pool.end());
  const query = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await pool.query<Row>(text, values)).rows;
  const tables = await query<{ name: string; isTenants: boolean }>(
    `SELECT c.relname AS name, EXISTS (
              SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
            ) AS "isTenants"
       FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  const tenantTables = tables.filter(({ isTenants }) => isTenants).map(({ name }) => name);
  const ofTenant = tenantTables.map(
    (name) => `SELECT '${name}' AS name, count(*) || ' rows, ' ||
      coalesce(md5(string_agg(md5(entry::text), '' ORDER BY md5(entry::text))), 'none') AS sum
      FROM ${name} entry WHERE tenant_id = $1`,
  );
  const ofAll = tables.map(({ name }) => `SELECT '${name}' AS name, count(*)::int AS count FROM ${name}`);
  return {
    tenantTables,
    query,
    async dump(tenantId) {
      const rows = await query<{ name: string; sum: string }>(ofTenant.join(' UNION ALL '), [tenantId]);
      return new Map(rows.map(({ name, sum }) => [name, sum]));
    },
    async counts() {
      const rows = await query<{ name: string; count: number }>(ofAll.join(' UNION ALL '));
      return new Map(rows.map(({ name, count }) => [name, count]));
    },
    async withoutTriggers(work) {
      const client = await pool.connect();
      try {
        await client.query('SET session_replication_role = replica');
        await work(async (text, values = []) => (await client.query(text, values)).rows as never);
      } finally {
        client.release(true);
      }
    },
    async alone(work) {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        return await work(client);
      } finally {
        await client.query('ROLLBACK');
        client.release();
      }
    },
  };
}
