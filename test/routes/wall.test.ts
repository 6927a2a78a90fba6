// The wall between tenants inside the database, table by table as the catalogue lists them: what the service's
// role cannot reach, no statement of the service can leak, however wrong it is.

import type pg from 'pg';
import t from 'tap';
import { NO_TENANT_ID } from '../../src/context.js';
import { APP_ROLE, FINDER_ROLE } from '../../src/db/database.js';
import { startService } from '../helpers/service.js';
import { predictEverybody } from './predicted.js';
import { openRows } from './rows.js';
import { furnish } from './things.js';

const shared = await startService(t);
const rows = await openRows(t, shared);
const stranger = await shared.forTenant('stranger');
const theirs = await furnish(t, { service: stranger, name: 'lisbon', number: 1, policies: 2 });
const own = await shared.forTenant('own');
await furnish(t, { service: own, name: 'bergen', number: 2, policies: 2 });
// An endpoint has a row of health only while it has failed: whether one is left does not matter here.
await rows.query(
  `INSERT INTO webhook_endpoint_health (tenant_id, endpoint_id, failures, openings)
   SELECT tenant_id, id, 1, 0 FROM webhook_endpoints ON CONFLICT DO NOTHING`,
);
await predictEverybody(rows);
// A change is marked only until a shadow has looked at it, and the second tenant's run looks at both tenants' marks.
await rows.query(
  `INSERT INTO shadow_marks (tenant_id, policy_id, marked_at, customer_id, version)
   SELECT tenant_id, policy_id, as_of, customer_id, 1 FROM shadow_customers ON CONFLICT DO NOTHING`,
);
const OWN_ID = own.tenant.id;

/** The one table that is not a tenant's: the list of them. */
const TENANTS = 'tenants';
const everyTable = [...rows.tenantTables, TENANTS];
/** Insufficient privilege: by the wall or by a grant that is not there. */
const REFUSED = '42501';

interface Seat {
  role: string;
  tenantId?: string;
}

/** Runs one statement from a seat, and takes back what it did. */
function from({ role, tenantId }: Seat, text: string, values: unknown[] = []) {
  return rows.alone(async (client) => {
    await client.query(`SET LOCAL ROLE ${role}`);
    if (tenantId !== undefined) await client.query(`SET LOCAL app.tenant_id = '${tenantId}'`);
    return client.query<{ count: number }>(text, values);
  });
}

async function countFrom(seat: Seat, text: string, values: unknown[] = []): Promise<number | undefined> {
  return (await from(seat, text, values)).rows[0]?.count;
}

async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: pg.DatabaseError) => error.code,
  );
}

const asOwn = { role: APP_ROLE, tenantId: OWN_ID };

t.test('every table stands behind the wall', async (t) => {
  const tables = await rows.query<{ name: string; isOn: boolean; isForced: boolean; owner: string }>(
    `SELECT relname AS name, relrowsecurity AS "isOn", relforcerowsecurity AS "isForced", relowner::regrole::text AS owner
       FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`,
  );
  t.same(
    tables.map(({ name }) => name).sort(),
    everyTable.toSorted(),
    'all have a tenant, but for the list of tenants',
  );
  for (const { name, isOn, isForced, owner } of tables) {
    t.ok(isOn && isForced, name);
    t.notMatch(owner, /^perennial_(?:app|finder)$/, `${name} belongs to neither role`);
  }
});

t.test('nothing in the database leads around the wall', async (t) => {
  const views = await rows.query(
    `SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace`,
  );
  t.same(views, [], 'a view would read as its owner');
  const functions = await rows.query(
    `SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace`,
  );
  t.same(functions, [], 'so would a function that runs as its owner');
  const roles = await rows.query(
    `SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)`,
    [[APP_ROLE, FINDER_ROLE]],
  );
  t.same(roles, [], 'neither role is above it');
  const memberships = await rows.query(
    `SELECT roleid::regrole::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = ANY($1)`,
    [[APP_ROLE, FINDER_ROLE]],
  );
  t.same(memberships, [], 'nor can either become another');
  for (const table of everyTable) {
    const [privileges] = await rows.query<{ truncates: boolean; references: boolean; triggers: boolean }>(
      `SELECT has_table_privilege($1, $2, 'TRUNCATE') AS truncates, has_table_privilege($1, $2, 'TRIGGER') AS triggers,
              has_table_privilege($1, $2, 'REFERENCES') AS references`,
      [APP_ROLE, table],
    );
    t.same(privileges, { truncates: false, references: false, triggers: false }, table);
  }
});

t.test('the tenant comes first in every primary key, unique index and foreign key', async (t) => {
  const keys = await rows.query<{ name: string; first: string }>(
    `SELECT i.indexrelid::regclass::text AS name, a.attname AS first
       FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indisunique AND i.indrelid = ANY($1::text[]::regclass[])`,
    [rows.tenantTables],
  );
  t.ok(keys.length >= rows.tenantTables.length, 'each table has one');
  for (const { name, first } of keys) t.equal(first, 'tenant_id', name);
  const references = await rows.query<{ name: string; first: string }>(
    `SELECT c.conname AS name, a.attname AS first
       FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
      WHERE c.contype = 'f' AND c.conrelid = ANY($1::text[]::regclass[])`,
    [rows.tenantTables],
  );
  for (const { name, first } of references) t.equal(first, 'tenant_id', name);
});

t.test('without a tenant there is nothing to see in any table', async (t) => {
  for (const table of everyTable) {
    const count = `SELECT count(*)::int AS count FROM ${table}`;
    t.equal(await countFrom({ role: APP_ROLE }, count), 0, table);
    t.equal(await countFrom({ role: APP_ROLE, tenantId: '' }, count), 0, `${table}, where it is empty`);
  }
});

for (const table of rows.tenantTables) {
  t.test(`${table}: as one tenant, another's rows can be neither read nor written`, async (t) => {
    const [{ ours, others, row }] = (await rows.query<{ ours: number; others: number; row: object }>(
      `SELECT count(*) FILTER (WHERE tenant_id = $1)::int AS ours, count(*) FILTER (WHERE tenant_id = $2)::int AS others,
              (array_agg(to_jsonb(entry)) FILTER (WHERE tenant_id = $2))[1] AS row FROM ${table} entry`,
      [OWN_ID, theirs.tenantId],
    )) as [{ ours: number; others: number; row: object }];
    t.ok(ours > 0 && others > 0, 'both have rows');
    t.equal(
      await countFrom(asOwn, `SELECT count(*)::int AS count FROM ${table}`),
      ours,
      'one’s own are all there is',
    );
    const of = [theirs.tenantId];
    t.equal(
      await countFrom(asOwn, `SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1`, of),
      0,
    );
    for (const statement of [`UPDATE ${table} SET tenant_id = tenant_id`, `DELETE FROM ${table}`]) {
      const reached = from(asOwn, `${statement} WHERE tenant_id = $1`, of);
      const code = await refusal(reached);
      if (code === undefined) t.equal((await reached).rowCount, 0, statement);
      else t.equal(code, REFUSED, statement);
    }
    const insert = `INSERT INTO ${table} SELECT (jsonb_populate_record(NULL::${table}, $1)).*`;
    t.equal(await refusal(from(asOwn, insert, [row])), REFUSED, 'a row in their name is refused');
    t.equal(await refusal(from({ role: APP_ROLE }, insert, [row])), REFUSED, 'also without a tenant');
    t.equal(
      await refusal(from(asOwn, `UPDATE ${table} SET tenant_id = $1`, of)),
      REFUSED,
      'and so is giving them one’s own',
    );
  });
}

t.test('a tenant sees itself in the list of tenants; only the administrator sees all', async (t) => {
  const count = 'SELECT count(*)::int AS count FROM tenants';
  t.equal(await countFrom(asOwn, count), 1);
  t.equal(await countFrom(asOwn, `${count} WHERE id = $1`, [theirs.tenantId]), 0);
  t.ok(Number(await countFrom({ role: APP_ROLE, tenantId: NO_TENANT_ID }, count)) >= 3);
  const rename = await from(asOwn, `UPDATE tenants SET name = 'mine' WHERE id = $1`, [theirs.tenantId]);
  t.equal(rename.rowCount, 0);
});

t.test('the finder reads whose credential it is and who has something due, and writes nothing', async (t) => {
  const columns = await rows.query<{ column: string }>(
    `SELECT c.relname || '.' || a.attname AS column
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
        AND has_column_privilege($1, c.oid, a.attnum, 'SELECT') ORDER BY c.relname, a.attnum`,
    [FINDER_ROLE],
  );
  t.same(
    columns.map(({ column }) => column),
    [
      ...['api_keys.tenant_id', 'api_keys.id', 'api_keys.key_hash', 'api_keys.scopes'],
      ...['api_keys.expires_at', 'api_keys.revoked_at', 'backtests.tenant_id'],
      ...['backtests.due_at', 'calibration_schedules.tenant_id'],
      ...['calibration_schedules.due_at', 'customer_lifecycles.tenant_id', 'customer_lifecycles.due_at'],
      ...[
        'deliveries.tenant_id',
        'deliveries.due_at',
        'duplicate_walks.tenant_id',
        'duplicate_walks.due_at',
        'events.tenant_id',
        'events.recorded_at',
      ],
      ...['events.position', 'feeds.tenant_id', 'feeds.pruned_to'],
      ...['idempotency_keys.tenant_id', 'idempotency_keys.created_at', 'model_fits.tenant_id'],
      ...['model_fits.due_at', 'policy_previews.tenant_id', 'policy_previews.due_at'],
      ...['prediction_walks.tenant_id', 'prediction_walks.due_at', 'recomputations.tenant_id'],
      ...['recomputations.due_at', 'shadow_marks.tenant_id', 'shadow_marks.policy_id'],
      ...['shadow_marks.marked_at', 'shadows.tenant_id', 'shadows.policy_id', 'shadows.due_at'],
      ...['shadows.claim_token', 'tenants.id', 'tenants.slug', 'tenants.status'],
      ...['webhook_replays.tenant_id', 'webhook_replays.due_at'],
    ],
  );
  for (const table of everyTable) {
    const [privileges] = await rows.query<{ writes: boolean }>(
      `SELECT has_table_privilege($1, $2, 'INSERT') OR has_table_privilege($1, $2, 'UPDATE')
           OR has_table_privilege($1, $2, 'DELETE') OR has_table_privilege($1, $2, 'TRUNCATE') AS writes`,
      [FINDER_ROLE, table],
    );
    t.same(privileges, { writes: false }, table);
  }
});
