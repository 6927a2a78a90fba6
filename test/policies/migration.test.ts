// Policies from before there were drafts: the newest of a tenant is in force, those before it are retired, and
// each says when and by whom.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import t from 'tap';
import { migrate } from '../../src/db/migrate.js';
import { createEmptyDatabase } from '../helpers/postgres.js';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));
const TENANTS = ['0199a000-0000-7000-8000-000000000001', '0199a000-0000-7000-8000-000000000002'];

/** The migrations before the one that brought drafts. */
function earlierMigrations(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-migrations-'));
  cpSync(MIGRATIONS, folder, { recursive: true });
  const path = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(path, 'utf8')) as { entries: { tag: string }[] };
  const first = journal.entries.findIndex(({ tag }) => tag.endsWith('_engine'));
  if (first === -1) throw new Error('there is no such migration');
  writeFileSync(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, first) }));
  return folder;
}

t.test('versions get ids, statuses and their history', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const migrationsFolder = earlierMigrations();
  t.teardown(() => rmSync(migrationsFolder, { recursive: true }));
  await migrate({ url, migrationsFolder });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.teardown(() => client.end());
  for (const [index, id] of TENANTS.entries()) {
    await client.query(
      `INSERT INTO tenants (id, slug, name, status, version, created_at, updated_at)
       VALUES ($1, $2, 'T', 'active', 1, now(), now())`,
      [id, `t${index}`],
    );
    for (let version = 1; version <= 3 - index; version++) {
      await client.query(
        `INSERT INTO policies (tenant_id, version, effective_from, policy, backfill, activated_by, created_at)
         VALUES ($1, $2, NULL, '{}', false, $3, $4)`,
        [id, version, `user:${version}`, `2026-01-0${version}T10:00:00.5Z`],
      );
    }
  }
  await migrate({ url });
  const { rows } = await client.query(
    'SELECT version, id, status, status_changes AS changes, revision FROM policies ORDER BY tenant_id, version',
  );
  const on = (day: number) => `2026-01-0${day}T10:00:00.500Z`;
  const active = (version: number) => ({ status: 'active', at: on(version), by: `user:${version}` });
  const retired = (version: number) => ({
    status: 'retired',
    at: on(version + 1),
    by: `user:${version + 1}`,
  });
  t.same(
    rows.map(({ version, status, changes, revision }) => ({ version, status, changes, revision })),
    [
      { version: 1, status: 'retired', changes: [active(1), retired(1)], revision: 1 },
      { version: 2, status: 'retired', changes: [active(2), retired(2)], revision: 1 },
      { version: 3, status: 'active', changes: [active(3)], revision: 1 },
      { version: 1, status: 'retired', changes: [active(1), retired(1)], revision: 1 },
      { version: 2, status: 'active', changes: [active(2)], revision: 1 },
    ],
  );
  t.equal(new Set(rows.map(({ id }) => id)).size, 5);
});
