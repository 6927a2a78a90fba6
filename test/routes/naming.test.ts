// Every statement names its tenant: with the wall inside the database taken down, the routes keep tenants apart
// by themselves. The wall is the second line of defence, and a distributed database routes by that name.

import t from 'tap';
import { assertAlike, assertNothingListed, openTwins } from './twins.js';

const twins = await openTwins(t);
for (const table of twins.rows.tenantTables) {
  await twins.rows.query(`DROP POLICY one_tenant ON ${table}`);
  await twins.rows.query(
    `CREATE POLICY everybody ON ${table} TO perennial_app USING (true) WITH CHECK (true)`,
  );
}

t.test('the wall is down', async (t) => {
  const orders = await twins.shared.database.read(twins.twin.things.tenantId, (executor) =>
    executor.rows<{ count: number }>({ text: 'SELECT count(DISTINCT tenant_id)::int AS count FROM orders' }),
  );
  t.same(orders, [{ count: 3 }], 'a statement that names no tenant sees them all');
});

t.test('lists keep to their tenant', async (t) => {
  const reading = twins.api.operations.filter(({ method, scope }) => method === 'GET' && scope !== 'admin');
  for (const operation of reading) await assertNothingListed(t, twins, operation);
});

for (const operation of twins.api.operations) {
  t.test(`${operation.id} keeps to its tenant`, (t) => assertAlike(t, twins, operation));
}
