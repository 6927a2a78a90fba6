// Owns the proof, made at every start, that tenants are walled off from each other. A service that cannot
// show it does not serve.

import pg from 'pg';
import { APP_ROLE, FINDER_ROLE } from './database.js';

/** Throws, naming every breach, unless row-level security binds the role that the application acts as. */
export async function proveWall(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'perennial-wall' });
  await client.connect();
  try {
    const breaches = [
      ...(await roleBreaches(client)),
      ...(await tableBreaches(client)),
      ...(await leaks(client)),
    ];
    if (breaches.length > 0) {
      throw new Error(
        `The wall between tenants does not stand; refusing to serve:\n- ${breaches.join('\n- ')}`,
      );
    }
  } finally {
    await client.end();
  }
}

async function roleBreaches(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ rolname: string; above: boolean; owns: number }>(
    `SELECT r.rolname, r.rolsuper OR r.rolbypassrls AS above,
            (SELECT count(*)::int FROM pg_class c
              WHERE c.relowner = r.oid AND c.relnamespace = 'public'::regnamespace) AS owns
       FROM pg_roles r WHERE r.rolname = ANY($1)`,
    [[APP_ROLE, FINDER_ROLE]],
  );
  const missing = [APP_ROLE, FINDER_ROLE].filter((role) => !rows.some(({ rolname }) => rolname === role));
  return [
    ...missing.map((role) => `the role ${role} does not exist`),
    ...rows
      .filter(({ above }) => above)
      .map(({ rolname }) => `the role ${rolname} bypasses row-level security`),
    ...rows.filter(({ owns }) => owns > 0).map(({ rolname }) => `the role ${rolname} owns tables`),
  ];
}

const TENANT_TABLES = `
  SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
         EXISTS (SELECT FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname) AS has_policy
    FROM pg_class c
   WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
     AND (c.relname = 'tenants' OR EXISTS (
       SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
   ORDER BY c.relname`;

async function tableBreaches(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; forced: boolean; has_policy: boolean }>(TENANT_TABLES);
  if (rows.length === 0) return ['there is no tenant table; have the migrations run?'];
  return rows
    .filter(({ forced, has_policy }) => !forced || !has_policy)
    .map(({ name }) => `row-level security is not forced on ${name}`);
}

/** The proof itself: as the application's role and without a tenant, no table shows a row. */
async function leaks(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(TENANT_TABLES);
  const breaches: string[] = [];
  await client.query(`BEGIN; SET LOCAL ROLE ${APP_ROLE}`);
  for (const { name } of tables) {
    const { rows } = await client.query(`SELECT FROM ${pg.escapeIdentifier(name)} LIMIT 1`);
    if (rows.length > 0) breaches.push(`${name} shows rows to a query without a tenant`);
  }
  await client.query('ROLLBACK');
  return breaches;
}
