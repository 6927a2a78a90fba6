import pg from 'pg';
import t from 'tap';
import { openDatabase } from '../../src/db/database.js';
import { FIRST_PLACE, tenantsDue } from '../../src/outbox/queue-store.js';
import { createTestDatabase } from '../helpers/postgres.js';

const tenant = (digit: number) => `${digit}0000000-0000-7000-8000-000000000000`;
const NOW = new Date('2026-03-02T12:00:00Z');

t.test('a tenant between two others’ backlogs is come by, and all of them again and again', async (t) => {
  const { url } = await createTestDatabase(t);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // Nothing but the queue's own rows matters here.
  await client.query('SET session_replication_role = replica');
  const queue = (tenantId: string, count: number, minutesAgo: number) =>
    client.query(
      `INSERT INTO deliveries (tenant_id, id, event_id, endpoint_id, status, attempts, due_at, created_at)
       SELECT $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'pending', 0, at, at
         FROM generate_series(1, $2::int) g
        CROSS JOIN LATERAL (SELECT $3::timestamptz - make_interval(mins => $4) + g / 100 * interval '1 ms' AS at) a`,
      [tenantId, count, NOW, minutesAgo],
    );
  await queue(tenant(1), 5_000, 30);
  await queue(tenant(2), 1, 20);
  await queue(tenant(3), 5_000, 10);
  await client.end();
  const database = openDatabase({ url, onError: (error) => t.fail(error.message) });
  t.teardown(() => database.close());
  let place = FIRST_PLACE;
  const looksWithTheSmallOne: number[] = [];
  for (let look = 1; look <= 60; look += 1) {
    const { tenants, next } = await database.find((finder) => tenantsDue(finder, NOW, place));
    place = next;
    const seen = tenants.map(({ tenantId }) => tenantId);
    t.ok(seen.includes(tenant(1)) && seen.includes(tenant(3)), `look ${look} sees both ends`);
    if (seen.includes(tenant(2))) looksWithTheSmallOne.push(look);
  }
  t.ok((looksWithTheSmallOne[0] ?? 60) <= 8, `first at look ${looksWithTheSmallOne[0]}`);
  t.ok(looksWithTheSmallOne.length >= 4, 'and at every sweep');
});
