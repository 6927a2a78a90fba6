// What a database that goes away may not do: the process lives on, says 503 and when to come back, and once the
// database is back everything goes on without a restart, with nothing lost.

import pg from 'pg';
import t, { type Test } from 'tap';
import { drawChance } from './helpers/chance.js';
import { Moments } from './helpers/moments.js';
import { type OwnServer, startOwnServer } from './helpers/own-server.js';
import { concludeTrial, KEY, openSql, prepareTrial, type Trial, whileOpen } from './helpers/trial.js';

const OUTAGE_MS = 10_000;
const ROUNDS = 40;
/** What a caller may have to wait for an answer, on a machine that is busy with other tests. */
const PATIENCE_MS = 8_000;

t.setTimeout(300_000);

interface Probe {
  path: string;
  status: number;
  hasRetryAfter: boolean;
}

/** One look from outside; rejects where the answer keeps its caller waiting. */
async function probe(base: string, path: string, body?: object): Promise<Probe> {
  const response = await fetch(`${base}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${KEY}`, ...(body && { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(body && { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  return { path, status: response.status, hasRetryAfter: response.headers.has('retry-after') };
}

const anOrder = (id: string) => ({
  externalId: { namespace: 'probe', id },
  customer: { externalIds: [{ namespace: 'shop', id: 'prober' }] },
  placedAt: '2026-01-05T10:00:00Z',
  amountMinor: 100,
  currency: 'EUR',
});

function baseOf({ replicas }: Trial): string {
  const [replica] = replicas;
  if (replica?.base === undefined) throw new Error('the service is not running');
  return replica.base;
}

/** The work, unless the process ends before: then nothing that it waits for would ever come. */
function whileAlive<T>(trial: Trial, work: Promise<T>): Promise<T> {
  const ends = trial.replicas.map(async ({ process }) => {
    const exit = await process.exited;
    const last = process
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"level":"fatal"'));
    throw new Error(`the service ended: ${JSON.stringify(exit)} ${last.join(' ')}`);
  });
  return Promise.race([whileOpen(trial, work), ...ends]);
}

async function afterTheOutage(trial: Trial, moments: Moments, begun: Date): Promise<void> {
  await moments.after(15, 'booked');
  // What a tick has found since then has reached the partner.
  const isNewTick = ({ json }: { json: unknown }) => {
    const { recordedAt, data } = json as { recordedAt: string; data: { transition?: { cause: string } } };
    return new Date(recordedAt) > begun && data.transition?.cause === 'time';
  };
  while (!trial.receiver.requests.some(isNewTick)) await moments.after(1, 'delivery');
}

async function tenSecondsAway(t: Test, server: OwnServer, trial: Trial): Promise<void> {
  const base = baseOf(trial);
  await server.stop();
  const until = performance.now() + OUTAGE_MS;
  const seen: Probe[] = [];
  while (performance.now() < until) {
    const order = anOrder(String(seen.length));
    const paths = ['/v1/customers', '/v1/customers/ext:shop:regular-1', '/health/ready', '/health/live'];
    seen.push(
      ...(await Promise.all([...paths.map((path) => probe(base, path)), probe(base, '/v1/orders', order)])),
    );
  }
  await server.start();
  t.ok(seen.length > 0);
  const wrong = seen.filter(({ path, status, hasRetryAfter }) =>
    path === '/health/live' ? status !== 200 : status !== 503 || !hasRetryAfter,
  );
  t.same(wrong, [], 'it lives, is not ready, and every request is told when to come back');
}

t.test('under load, with its database away', async (t) => {
  const chance = drawChance(t);
  const moments = new Moments(chance.fork());
  const server = await startOwnServer(t);
  const url = await server.createDatabase('outage');
  const environment = { DATABASE_URL: url };
  const trial = await prepareTrial(t, { chance, environment, patienceMs: PATIENCE_MS, ...moments.watch });
  const [replica] = trial.replicas;
  if (replica === undefined) throw new Error('a trial has a replica');
  await replica.start().ready;
  await trial.open();
  await moments.after(15, 'booked');

  await t.test('stopped for ten seconds: 503, and then everything goes on', async (t) => {
    await tenSecondsAway(t, server, trial);
    await whileAlive(trial, afterTheOutage(trial, moments, new Date()));
    t.equal((await probe(baseOf(trial), '/health/ready')).status, 200);
  });

  for (const [deed, call] of [
    ['every session ended at once', 'pg_terminate_backend(pid)'],
    ['every statement given up at once', 'pg_cancel_backend(pid)'],
  ] as const) {
    await t.test(`${deed}, again and again`, async (t) => {
      const sql = openSql(t, server.url);
      for (let round = 0; round < ROUNDS; round += 1) {
        await sql(`SELECT ${call} FROM pg_stat_activity WHERE application_name = 'perennial'`);
        await whileAlive(trial, moments.after(1 + chance.below(5), 'request'));
      }
      await whileAlive(trial, afterTheOutage(trial, moments, new Date()));
      t.equal((await probe(baseOf(trial), '/health/ready')).status, 200);
    });
  }

  await t.test('a session that crashes takes all others with it', async (t) => {
    const sql = openSql(t, server.url);
    const [session] = await sql<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'perennial' LIMIT 1`,
    );
    if (session === undefined) throw new Error('the service has no session');
    process.kill(session.pid, 'SIGKILL');
    await whileAlive(trial, afterTheOutage(trial, moments, new Date()));
    t.equal((await probe(baseOf(trial), '/health/ready')).status, 200);
  });

  await concludeTrial(t, trial, url);
  t.same(await replica.stop(), { code: 0, signal: null }, 'it is the process that was there before');
});

t.test('a pool that slow transactions have used up', async (t) => {
  const server = await startOwnServer(t);
  const url = await server.createDatabase('pool');
  const trial = await prepareTrial(t, {
    chance: drawChance(t),
    environment: { DATABASE_URL: url, DATABASE_POOL_MAX: '2' },
  });
  const [replica] = trial.replicas;
  if (replica === undefined) throw new Error('a trial has a replica');
  const base = await replica.start().ready;
  const blocker = new pg.Client({ connectionString: url });
  await blocker.connect();
  t.teardown(() => blocker.end());
  await blocker.query('BEGIN; LOCK TABLE orders IN SHARE MODE');
  const held = ['1', '2'].map((id) => probe(base, '/v1/orders', anOrder(id)));
  for (let waiting = 0; waiting < 2; ) {
    const { rows } = await blocker.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted',
    );
    waiting = rows[0]?.n ?? 0;
  }
  const paths = ['/v1/customers', '/v1/customers', '/v1/orders', '/health/ready', '/health/live'];
  const seen = await Promise.all(paths.map((path) => probe(base, path)));
  t.same(
    seen.map(({ status, hasRetryAfter }) => [status, hasRetryAfter]),
    [...Array.from({ length: 4 }, () => [503, true]), [200, false]],
    'others are told to come back, and those who hang on do',
  );
  await blocker.query('ROLLBACK');
  t.same(
    (await Promise.all(held)).map(({ status }) => status),
    [201, 201],
    'what waited is done',
  );
  t.same(
    (await Promise.all(paths.map((path) => probe(base, path)))).map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  t.same(await replica.stop(), { code: 0, signal: null });
});
