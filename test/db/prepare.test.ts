import { randomBytes } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import { openDatabase } from '../../src/db/database.js';
import { prepareDatabase } from '../../src/db/prepare.js';
import { StartError } from '../../src/start-error.js';
import { type Door, makeDoor } from '../helpers/door.js';
import { createEmptyDatabase, createTestDatabase } from '../helpers/postgres.js';

const unexpected = (reason: string) => {
  throw new Error(`did not expect to wait: ${reason}`);
};

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function at(url: string, changes: Partial<Pick<URL, 'port' | 'username' | 'password' | 'pathname'>>): string {
  return Object.assign(new URL(url), changes).href;
}

/** The same database behind a door, and the door. */
async function behindDoor(t: Test, url: string): Promise<{ url: string; door: Door }> {
  const { hostname, port } = new URL(url);
  const door = await makeDoor(t, { host: hostname, port: Number(port) });
  return { url: at(url, { port: String(door.port) }), door };
}

t.test('an empty database gets its shape, and a second time changes nothing', async (t) => {
  const { url } = await createEmptyDatabase(t);
  await prepareDatabase({ url, onWaiting: unexpected });
  await prepareDatabase({ url, onWaiting: unexpected });
  t.same(await query(url, 'SELECT count(*)::int AS tenants FROM tenants'), [{ tenants: 0 }]);
});

t.test('several replicas that start at once all find it prepared', async (t) => {
  const { url } = await createEmptyDatabase(t);
  await Promise.all(Array.from({ length: 4 }, () => prepareDatabase({ url, onWaiting: unexpected })));
  const rows = await query(
    url,
    'SELECT count(*)::int AS n, count(DISTINCT hash)::int AS d FROM drizzle.__drizzle_migrations',
  );
  t.equal(rows[0]?.n, rows[0]?.d, 'each migration ran once');
});

t.test('a database that comes up later is waited for', async (t) => {
  const { url, door } = await behindDoor(t, (await createEmptyDatabase(t)).url);
  const waits: string[] = [];
  const onWaiting = (reason: string) => {
    waits.push(reason);
    if (waits.length === 2) void door.open();
  };
  await prepareDatabase({ url, onWaiting });
  t.ok(waits.length >= 2);
  t.match(waits[0], /ECONNREFUSED/);
});

t.test('a database that never comes up ends the start with a sentence that names it', async (t) => {
  const { url } = await behindDoor(t, at((await createEmptyDatabase(t)).url, { password: 'hunter2' }));
  const failure = await prepareDatabase({ url, onWaiting: () => undefined, waitForMs: 0 }).catch(
    (error) => error,
  );
  t.type(failure, StartError);
  t.match(
    failure.message,
    new RegExp(`perennial_test_\\w+ at 127.0.0.1:${new URL(url).port} cannot be used`),
  );
  t.notMatch(failure.message, 'hunter2');
});

t.test('what waiting cannot mend is not waited for', async (t) => {
  const { url } = await createTestDatabase(t);
  for (const [what, wrong] of [
    ['a wrong password', at(url, { password: 'hunter2' })],
    ['a database that does not exist', at(url, { pathname: '/nowhere' })],
  ] as const) {
    const failure = await prepareDatabase({ url: wrong, onWaiting: unexpected }).catch((error) => error);
    t.type(failure, StartError, what);
    t.notMatch(failure.message, 'hunter2');
  }
});

t.test('waiting ends at once when the start is called off', async (t) => {
  const { url } = await behindDoor(t, (await createEmptyDatabase(t)).url);
  const stopping = new AbortController();
  const waiting = prepareDatabase({ url, onWaiting: () => stopping.abort(), signal: stopping.signal });
  await t.rejects(waiting, { name: 'AbortError' });
});

t.test('with a login of its own the service owns nothing and serves all the same', async (t) => {
  const { url: ownerUrl } = await createEmptyDatabase(t);
  const login = `perennial_login_${randomBytes(4).toString('hex')}`;
  await query(ownerUrl, `CREATE ROLE ${login} LOGIN PASSWORD 'login' NOSUPERUSER NOINHERIT`);
  t.teardown(() => query(at(ownerUrl, { pathname: '/postgres' }), `DROP ROLE ${login}`));
  const url = at(ownerUrl, { username: login, password: 'login' });
  await prepareDatabase({ url, ownerUrl, onWaiting: unexpected });
  const database = openDatabase({ url, onError: () => undefined });
  t.teardown(() => database.close());
  const rows = await database.find((finder) => finder.rows({ text: 'SELECT id FROM tenants' }));
  t.same(rows, []);
  t.same(await query(url, 'SELECT count(*)::int AS n FROM pg_class WHERE relowner = current_user::regrole'), [
    { n: 0 },
  ]);
  await t.rejects(query(url, 'DELETE FROM tenants'), /permission denied/);
});

t.test('a wall with a hole ends the start', async (t) => {
  const { url } = await createTestDatabase(t);
  await query(url, 'ALTER TABLE orders NO FORCE ROW LEVEL SECURITY');
  const failure = await prepareDatabase({ url, onWaiting: unexpected }).catch((error) => error);
  t.type(failure, StartError);
  t.match(failure.message, /wall between tenants does not stand.*\n.*orders/);
});
