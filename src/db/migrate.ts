// Owns bringing a database to this version's shape: the two roles, the migrations, the grants. Safe with
// any number of replicas starting at once: one works, the others wait for its lock and find it done.

import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { APP_ROLE, FINDER_ROLE } from './database.js';

export interface MigrateOptions {
  /** The owner's login: it may create roles and tables. */
  url: string;
  /** The login that serves, where it is another than the owner; it is made a member of both roles. */
  loginRole?: string;
  migrationsFolder?: string;
}

/** Any number will do, as long as every version of the service uses the same one. */
const MIGRATION_LOCK = 7_236_411;
const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

export async function migrate(options: MigrateOptions): Promise<void> {
  const client = new pg.Client({ connectionString: options.url, application_name: 'perennial-migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // Most starts find nothing to do; the notices of IF NOT EXISTS would only be noise in the log.
    await client.query("SET client_min_messages = 'warning'");
    await makeRoles(client, options.loginRole);
    await applyMigrations(drizzle(client), { migrationsFolder: options.migrationsFolder ?? MIGRATIONS });
    await grantTables(client);
  } finally {
    await client.end();
  }
}

/** Roles belong to the whole server, so another database's migration may be making them at this moment. */
async function makeRoles(client: pg.Client, loginRole: string | undefined): Promise<void> {
  const members = ['CURRENT_USER', ...(loginRole === undefined ? [] : [pg.escapeIdentifier(loginRole)])];
  for (const role of [APP_ROLE, FINDER_ROLE]) {
    await client.query(`DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
        CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$`);
    for (const member of members) {
      const { rows } = await client.query(
        `SELECT pg_has_role(${member === 'CURRENT_USER' ? 'current_user' : pg.escapeLiteral(loginRole ?? '')}, $1, 'MEMBER') AS member`,
        [role],
      );
      if (rows[0]?.member !== true) await client.query(`GRANT ${role} TO ${member}`);
    }
  }
  await client.query(`GRANT USAGE ON SCHEMA public TO ${APP_ROLE}, ${FINDER_ROLE}`);
}

/** The finder's grants are by column and stand in the migrations; the application's are by table. */
async function grantTables(client: pg.Client): Promise<void> {
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${APP_ROLE}`);
}
