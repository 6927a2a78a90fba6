import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import { makeDoor } from './helpers/door.js';
import { createEmptyDatabase } from './helpers/postgres.js';
import { type ServiceProcess, spawnService } from './helpers/process.js';

const KEY = `pk_${'e'.repeat(30)}`;
const AUTHORIZATION = { authorization: `Bearer ${KEY}` };
const ADMIN_KEY = 'administrator-of-the-process';

const WAITING_HERE = `SELECT count(*)::int AS n FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE d.datname = current_database() AND NOT l.granted`;

/** Each test starts processes and databases, and may share the machine with other files. */
t.setTimeout(240_000);

async function connectTo(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

function makeKey(base: string): Promise<Response> {
  return fetch(`${base}/v1/api-keys`, {
    method: 'POST',
    headers: { ...AUTHORIZATION, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'in flight', scopes: ['orders:read'] }),
  });
}

/** A running service with one request that waits in the database until `release`. */
async function withRequestInFlight(t: Test, environment: Record<string, string> = {}) {
  const { url } = await createEmptyDatabase(t);
  const service = spawnService(t, {
    environment: { DATABASE_URL: url, BOOTSTRAP_API_KEY: KEY, ...environment },
  });
  const base = await service.url();
  const blocker = await connectTo(t, url);
  // Reading goes on, so that the key can be looked up; writing a key waits.
  await blocker.query('BEGIN; LOCK TABLE api_keys IN SHARE MODE');
  const answer = makeKey(base);
  let settled = false;
  // Here and not where it is awaited: it may fail long before that.
  answer
    .catch(() => undefined)
    .finally(() => {
      settled = true;
    });
  const watcher = await connectTo(t, url);
  for (let waiting = 0; waiting === 0; ) {
    if (settled) throw new Error('the request was to wait, and has been answered');
    const { rows } = await watcher.query<{ n: number }>(WAITING_HERE);
    waiting = rows[0]?.n ?? 0;
  }
  return { service, base, answer, watcher, release: () => blocker.query('COMMIT') };
}

async function untilStopping(service: ServiceProcess): Promise<void> {
  await service.until(/"msg":"stopping"/);
}

/** The listener closes a moment after the signal is noticed; connections are tried until none is taken. */
async function untilRefused(base: string): Promise<void> {
  const { hostname, port } = new URL(base);
  for (let taken = true; taken; ) {
    taken = await new Promise<boolean>((resolve) => {
      const socket = connect(Number(port), hostname, () => resolve(true));
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
    });
  }
}

t.test('a configuration that cannot be used ends the start with every fault', async (t) => {
  const service = spawnService(t, { environment: { PORT: 'x', ROLE: 'y' } });
  t.same(await service.exited, { code: 1, signal: null });
  t.match(service.stderr(), /PORT must be .*\n- ROLE|ROLE must be .*\n- PORT/);
  t.notMatch(service.stderr(), /\n {4}at /, 'without a stack');
});

t.test('a port that is taken is one clear error', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  t.teardown(() => squatter.close());
  const { port } = squatter.address() as AddressInfo;
  const environment = { DATABASE_URL: url, BOOTSTRAP_API_KEY: KEY, PORT: String(port) };
  const service = spawnService(t, { environment });
  t.same(await service.exited, { code: 1, signal: null });
  t.match(
    service.stderr(),
    new RegExp(`^perennial: Cannot listen on 127.0.0.1:${port}: the port is taken.*\\n$`),
  );
});

t.test('SIGTERM finishes what is in flight, takes nothing new, and ends with 0', async (t) => {
  const { service, base, answer, watcher, release } = await withRequestInFlight(t);
  service.kill('SIGTERM');
  await untilStopping(service);
  await untilRefused(base);
  await release();
  const response = await answer;
  t.equal(response.status, 201, 'the request is answered');
  const { id } = (await response.json()) as { id: string };
  t.same(await service.exited, { code: 0, signal: null });
  const { rows } = await watcher.query('SELECT id FROM api_keys WHERE id = $1', [id]);
  t.equal(rows.length, 1, 'and its work is there');
  t.match(service.stdout(), /"msg":"stopped"/);
});

t.test('while it drains, readiness says no and requests are still served', async (t) => {
  const environment = { DRAIN_DELAY_S: '20' };
  const { service, base, release } = await withRequestInFlight(t, environment);
  await release();
  t.equal((await fetch(`${base}/health/ready`)).status, 200);
  service.kill('SIGTERM');
  await untilStopping(service);
  t.equal((await fetch(`${base}/health/ready`)).status, 503);
  t.equal((await fetch(`${base}/health/live`)).status, 200);
  t.equal((await fetch(`${base}/v1/api-keys`, { headers: AUTHORIZATION })).status, 200);
});

t.test('a second signal ends it at once', async (t) => {
  const { service } = await withRequestInFlight(t);
  service.kill('SIGTERM');
  await untilStopping(service);
  service.kill('SIGINT');
  t.same(await service.exited, { code: 1, signal: null });
  t.match(service.stdout(), /second signal/);
});

t.test('a stop that takes too long is given up', async (t) => {
  const { service } = await withRequestInFlight(t, { SHUTDOWN_TIMEOUT_S: '1' });
  service.kill('SIGTERM');
  t.same(await service.exited, { code: 1, signal: null });
  t.match(service.stdout(), /stopping took too long/);
});

t.test('SIGTERM while it waits for its database ends it with 0', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const { hostname, port } = new URL(url);
  const door = await makeDoor(t, { host: hostname, port: Number(port) });
  const DATABASE_URL = Object.assign(new URL(url), { port: String(door.port) }).href;
  const service = spawnService(t, { environment: { DATABASE_URL } });
  await service.until(/waiting for the database/);
  service.kill('SIGTERM');
  t.same(await service.exited, { code: 0, signal: null });
});

t.test('a failure that nobody expected is logged and ends it with 1', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const bomb = 'process.on("SIGWINCH", () => { throw new Error("nobody expected this"); })';
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(bomb)}`];
  const service = spawnService(t, { environment: { DATABASE_URL: url }, nodeArgs });
  await service.url();
  service.kill('SIGWINCH');
  t.same(await service.exited, { code: 1, signal: null });
  t.match(service.stdout(), /"level":"fatal".*nobody expected this/);
});

t.test('replicas that start together on an empty database both serve it', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const environment = { DATABASE_URL: url, BOOTSTRAP_API_KEY: KEY, ADMIN_API_KEY: ADMIN_KEY };
  const bases = await Promise.all([1, 2].map(() => spawnService(t, { environment }).url()));
  for (const base of bases) {
    t.equal((await fetch(`${base}/health/ready`)).status, 200);
    const list = await fetch(`${base}/v1/tenants`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
    const { data } = (await list.json()) as { data: { slug: string }[] };
    t.same(
      data.map(({ slug }) => slug),
      ['default'],
    );
    t.equal((await fetch(`${base}/v1/api-keys`, { headers: AUTHORIZATION })).status, 200);
  }
});

t.test('a worker shows its health and its figures, and answers nothing else', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const environment = { DATABASE_URL: url, BOOTSTRAP_API_KEY: KEY, ROLE: 'worker' };
  const service = spawnService(t, { environment });
  const base = await service.url();
  t.equal((await fetch(`${base}/health/ready`)).status, 200);
  t.match(await (await fetch(`${base}/metrics`)).text(), /perennial_database_connections/);
  t.equal((await fetch(`${base}/v1/api-keys`, { headers: AUTHORIZATION })).status, 404);
  service.kill('SIGTERM');
  t.same(await service.exited, { code: 0, signal: null });
});

t.test('while its database is away it answers 503, and recovers by itself', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const { hostname, port } = new URL(url);
  const door = await makeDoor(t, { host: hostname, port: Number(port) });
  await door.open();
  const DATABASE_URL = Object.assign(new URL(url), { port: String(door.port) }).href;
  const service = spawnService(t, { environment: { DATABASE_URL, BOOTSTRAP_API_KEY: KEY } });
  const base = await service.url();
  t.equal((await makeKey(base)).status, 201);
  await door.shut();
  const refused = await makeKey(base);
  t.equal(refused.status, 503);
  t.ok(refused.headers.get('retry-after'));
  t.equal((await fetch(`${base}/health/ready`)).status, 503);
  t.equal((await fetch(`${base}/health/live`)).status, 200);
  const stranger = await fetch(`${base}/v1/api-keys`, {
    headers: { authorization: `Bearer pk_${'0'.repeat(43)}` },
  });
  t.equal(stranger.status, 503, 'a key that cannot be looked up is no wrong key');
  await door.open();
  t.equal((await makeKey(base)).status, 201);
  t.equal((await fetch(`${base}/health/ready`)).status, 200);
});

t.test(
  'with a database of its own it makes a key, prints it once, and stops the database with it',
  async (t) => {
    const dataDir = join(tmpdir(), `perennial-server-${randomBytes(6).toString('hex')}`);
    t.teardown(() => rm(dataDir, { recursive: true, force: true }));
    const environment = { DATA_DIR: dataDir, LOG_LEVEL: 'warn' };
    const first = spawnService(t, { environment });
    const base = await first.url();
    const [key] = await first.until(/pk_[0-9A-Za-z]{43}/);
    const list = await fetch(`${base}/v1/api-keys`, { headers: { authorization: `Bearer ${key}` } });
    t.equal(list.status, 200);
    t.match(first.stdout(), /\/docs/);
    const keyFile = join(dataDir, 'api-key');
    t.equal((await readFile(keyFile, 'utf8')).trim(), key);
    t.equal((await stat(keyFile)).mode & 0o777, 0o600);
    first.kill('SIGINT');
    t.same(await first.exited, { code: 0, signal: null });
    const left = await readdir(dataDir, { recursive: true });
    t.ok(
      left.some((file) => file.endsWith('PG_VERSION')) &&
        !left.some((file) => file.endsWith('postmaster.pid')),
    );
    t.equal(first.stdout().split(key).length, 2, 'printed once');

    const second = spawnService(t, { environment });
    const later = await second.url();
    const again = await fetch(`${later}/v1/api-keys`, { headers: { authorization: `Bearer ${key}` } });
    t.equal(again.status, 200, 'what was there is there after a restart');
    await second.until(new RegExp(keyFile));
    t.notMatch(second.stdout(), key);
    second.kill('SIGTERM');
    t.same(await second.exited, { code: 0, signal: null });
  },
);
