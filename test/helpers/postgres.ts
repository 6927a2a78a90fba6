// Owns a real database of its own for each test file: a clone of a template that the first file migrates.
// Does not own the server when the run has one (scripts/test.mjs sets TEST_DATABASE_URL).
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import tap from 'tap';
import { startEmbeddedPostgres } from '../../src/db/embedded/index.js';
import { migrate } from '../../src/db/migrate.js';

const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations', import.meta.url));
/** Held while the template is made; any number will do that the product does not use. */
const TEMPLATE_LOCK = 5_501_733;

let server: Promise<string> | undefined;
let migratedTemplate: Promise<string> | undefined;

export interface TestDatabase {
  /** Of the owner: a superuser's on the embedded server. */
  url: string;
}

interface Teardown {
  teardown(work: () => unknown): void;
}

/** A migrated, empty database that is dropped when `t` ends. */
export async function createTestDatabase(t: Teardown): Promise<TestDatabase> {
  migratedTemplate ??= serverUrl().then(ensureTemplate);
  return createFrom(await migratedTemplate, t);
}

/** A database without migrations, dropped when `t` ends. */
export async function createEmptyDatabase(t: Teardown): Promise<TestDatabase> {
  return createFrom('template0', t);
}

async function createFrom(template: string, t: Teardown): Promise<TestDatabase> {
  const adminUrl = await serverUrl();
  const name = `perennial_test_${randomBytes(6).toString('hex')}`;
  // Copying files takes a tenth of the time of copying by way of the log, which is the default.
  const create = `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`;
  await withClient(adminUrl, (client) => client.query(create));
  t.teardown(() => withClient(adminUrl, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)));
  return { url: withDatabase(adminUrl, name) };
}

function serverUrl(): Promise<string> {
  server ??= process.env.TEST_DATABASE_URL ? Promise.resolve(process.env.TEST_DATABASE_URL) : startServer();
  return server;
}

/** For a test file that is run by itself: a server that ends with it. */
async function startServer(): Promise<string> {
  const dataDir = join(tmpdir(), `perennial-test-${randomBytes(6).toString('hex')}`);
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const postgres = await startEmbeddedPostgres({ dataDir, log, fsync: false });
  tap.teardown(async () => {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return postgres.url;
}

/** Named after what is in the migrations: a server that serves several runs keeps a template for each. */
async function ensureTemplate(adminUrl: string): Promise<string> {
  const template = `perennial_template_${migrationsHash()}`;
  await withClient(adminUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (rowCount !== 0) return;
    // Renamed when it is complete: one whose migration failed or was killed is never cloned.
    await client.query(`DROP DATABASE IF EXISTS ${template}_partial WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${template}_partial`);
    await migrate({ url: withDatabase(adminUrl, `${template}_partial`) });
    await client.query(`ALTER DATABASE ${template}_partial RENAME TO ${template}`);
  });
  return template;
}

function migrationsHash(): string {
  // The roles and grants that migrating makes are in its code.
  const hash = createHash('sha256').update(readFileSync(new URL('../../src/db/migrate.js', import.meta.url)));
  const files = readdirSync(MIGRATIONS_DIR, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => /\.(sql|json)$/.test(name)).sort()) {
    hash.update(file).update(readFileSync(join(MIGRATIONS_DIR, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
