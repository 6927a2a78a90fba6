// Dated values of profiles: as they are kept, as the customer's advance is told of them, and as histories give
// them back; and what a migration makes of customers who were there before countries were dated.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import t from 'tap';
import { createCustomersService } from '../../src/customers/service.js';
import { migrate } from '../../src/db/migrate.js';
import type { ProfileChangeFact } from '../../src/lifecycle/facts.js';
import type { TransitionsService } from '../../src/transitions/service.js';
import { createEmptyDatabase } from '../helpers/postgres.js';
import { startService } from '../helpers/service.js';

const service = await startService(t);
const { services, database, tenant, clock } = service;

/** The service's own transitions, and what they were told. */
function listening() {
  const told: ProfileChangeFact[][] = [];
  const transitions: TransitionsService = {
    ...services.transitions,
    advanceCustomers(tx, context, advancements, options) {
      for (const { changes } of advancements) told.push(changes ?? []);
      return services.transitions.advanceCustomers(tx, context, advancements, options);
    },
  };
  const { touchpoints, models } = services;
  return { told, customers: createCustomersService({ database, transitions, touchpoints, models }) };
}

async function historyOf(ref: string) {
  return database.read(tenant.id, async (executor) => {
    const found = await services.transitions.find(executor, tenant.id, [{ kind: 'id', id: ref }]);
    const customers = found.filter((customer) => customer !== undefined);
    const [read] = await services.transitions.histories.of(executor, tenant.id, customers);
    return read?.history;
  });
}

t.test('an advance is told the dated values that are kept, and a history gives them back', async (t) => {
  const { told, customers } = listening();
  const input = {
    country: 'DE',
    channel: 'web',
    owner: 'kim',
    tags: ['vip'],
    attributes: { size: 'M' },
  } as const;
  const { id } = await customers.create(service.context(), { ...input, tags: ['vip'] });
  const first = clock.now().getTime();
  t.match(
    told[0]?.map(({ at, field, value }) => [at, field, value]),
    [
      [first, 'country', 'DE'],
      [first, 'channel', 'web'],
      [first, 'owner', 'kim'],
      [first, 'tag:vip', true],
      [first, 'attributes.size', 'M'],
    ],
  );
  clock.advance(1_000);
  const patch = { country: null, tags: null, attributes: { size: ['M', 'L'] } };
  await customers.patch(service.context(), { ref: id, expected: undefined }, patch);
  const second = clock.now().getTime();
  t.match(
    told[1]?.map(({ at, field, value }) => [at, field, value]),
    [
      [second, 'country', null],
      [second, 'tag:vip', false],
      [second, 'attributes.size', ['M', 'L']],
    ],
  );
  const history = await historyOf(id);
  const plain = ({ id, at, field, value }: ProfileChangeFact) => ({ id, at, field, value });
  t.strictSame(history?.changes.map(plain), told.flat().map(plain));
  clock.advance(1_000);
  await customers.patch(service.context(), { ref: id, expected: undefined }, { name: 'Ann' });
  t.strictSame(told[2], [], 'a name is not dated');
});

t.test('of two changes, the one that is written last is the last by its facts too', async (t) => {
  const { customers } = listening();
  const { id } = await customers.create(service.context(), { owner: 'kim' });
  const target = { ref: id, expected: undefined };
  const early = service.context();
  clock.advance(5_000);
  await customers.patch(service.context(), target, { owner: 'lee' });
  // It came earlier and has waited for the lock.
  await customers.patch(early, target, { owner: 'max' });
  const changes = (await historyOf(id))?.changes.filter(({ field }) => field === 'owner');
  t.strictSame(
    changes?.map(({ value }) => value),
    ['kim', 'lee', 'max'],
  );
});

t.test('whoever was there before has had their country from the beginning', async (t) => {
  const whole = fileURLToPath(new URL('../../../migrations', import.meta.url));
  const earlier = mkdtempSync(join(tmpdir(), 'perennial-migrations-'));
  t.teardown(() => rmSync(earlier, { recursive: true, force: true }));
  cpSync(whole, earlier, { recursive: true });
  const file = join(earlier, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(file, 'utf8')) as { entries: { tag: string }[] };
  const place = journal.entries.findIndex(({ tag }) => tag === '0005_engine');
  t.ok(place > 0);
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, place) }));
  const { url } = await createEmptyDatabase(t);
  await migrate({ url, migrationsFolder: earlier });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const tenantId = '018f0000-0000-7000-8000-00000000000a';
  await client.query(
    `INSERT INTO tenants (id, slug, name, status, version, created_at, updated_at)
     VALUES ($1, 'old', 'Old', 'active', 1, now(), now())`,
    [tenantId],
  );
  await client.query(
    `INSERT INTO customers (tenant_id, id, kind, country, attributes, external_ids, version, created_at, updated_at)
     SELECT $1, gen_random_uuid(), 'person', country, '{}', '[]', 1, '2026-01-02T03:04:05.678Z', now()
       FROM unnest(ARRAY['DE', NULL, 'CN']) AS country`,
    [tenantId],
  );
  await migrate({ url });
  const { rows } = await client.query(
    `SELECT f.field, f.value, f.effective_at AS at, c.country, c.tags
       FROM customer_attribute_facts f JOIN customers c ON c.tenant_id = f.tenant_id AND c.id = f.customer_id
      ORDER BY c.country`,
  );
  const at = new Date('2026-01-02T03:04:05.678Z');
  t.strictSame(
    rows.map((row) => ({ ...row })),
    [
      { field: 'country', value: 'CN', at, country: 'CN', tags: [] },
      { field: 'country', value: 'DE', at, country: 'DE', tags: [] },
    ],
  );
  const walls = await client.query(
    `SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity
        AND relname IN ('customers', 'customer_tags', 'customer_attribute_facts')`,
  );
  t.equal(walls.rowCount, 3, 'and the walls stand as before');
  await client.end();
});
