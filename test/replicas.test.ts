// What several processes on one database may not do: migrate twice, make two tenants, move a customer twice,
// tell a partner twice; and what one that is asked to stop may not do to those whom it serves.

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import pg from 'pg';
import t, { type Test } from 'tap';
import { auditReceived, auditTables } from './helpers/audit.js';
import { startOwnServer } from './helpers/own-server.js';
import { createEmptyDatabase } from './helpers/postgres.js';
import { createReceiver } from './helpers/receiver.js';
import { Replica } from './helpers/replica.js';
import { untilSettled } from './helpers/settle.js';
import { KEY, openSql } from './helpers/trial.js';

const JOURNAL = new URL('../../migrations/meta/_journal.json', import.meta.url);
const SECRET = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
const PILE = 1_000;

t.setTimeout(300_000);

function environmentOf(url: string, extra: Record<string, string> = {}) {
  return {
    ...{
      DATABASE_URL: url,
      BOOTSTRAP_API_KEY: KEY,
      WEBHOOK_ALLOW_PRIVATE: 'true',
      WEBHOOK_ALLOW_HTTP: 'true',
    },
    ...{ DATABASE_POOL_MAX: '8', SECRETS_KEY: Buffer.alloc(32, 3).toString('base64'), ...extra },
  };
}

async function ask(base: string, path: string, body?: object): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${base}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${KEY}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

const anOrder = (id: string, placedAt = new Date()) => ({
  externalId: { namespace: 'shop', id },
  customer: { externalIds: [{ namespace: 'shop', id: `customer-${id}` }] },
  placedAt: placedAt.toISOString(),
  amountMinor: 100,
  currency: 'EUR',
});

t.test('processes that start at once on empty databases of a new server', async (t) => {
  const server = await startOwnServer(t);
  const urls = await Promise.all([server.createDatabase('one'), server.createDatabase('other')]);
  // The roles are the whole server's: the start on another database makes them at the same moment.
  const [four, two] = [4, 2].map((count, index) =>
    Array.from({ length: count }, () => new Replica(t, environmentOf(urls[index] ?? ''))),
  );
  const replicas = [...(four ?? []), ...(two ?? [])];
  await Promise.all(replicas.map((replica) => replica.start().ready));
  const { entries } = JSON.parse(readFileSync(JOURNAL, 'utf8')) as { entries: unknown[] };
  for (const url of urls) {
    const sql = openSql(t, url);
    const [found] = await sql(
      `SELECT (SELECT count(*)::int FROM drizzle.__drizzle_migrations) AS migrations,
              (SELECT count(*)::int FROM tenants) AS tenants, (SELECT count(*)::int FROM api_keys) AS keys,
              (SELECT count(*)::int FROM policies) AS policies`,
    );
    t.same(found, { migrations: entries.length, tenants: 1, keys: 1, policies: 1 });
  }
  const answers = await Promise.all(
    (four ?? []).map(({ base = '' }, index) => ask(base, '/v1/orders', anOrder(String(index)))),
  );
  t.same(
    answers.map(({ status }) => status),
    [201, 201, 201, 201],
    'all of them serve',
  );
  for (const replica of replicas) t.same(await replica.stop(), { code: 0, signal: null });
  t.same(
    replicas.flatMap(({ failures }) => failures),
    [],
    'and none has met a failure',
  );
});

/** The sum of a counter over processes. */
async function sumOf(replicas: readonly Replica[], series: string): Promise<number> {
  const figures = await Promise.all(
    replicas.map(async ({ base }) => {
      const text = await (await fetch(`${base}/metrics`)).text();
      const line = text.split('\n').find((candidate) => candidate.startsWith(series));
      return Number(line?.split(' ').at(-1) ?? 0);
    }),
  );
  return figures.reduce((sum, figure) => sum + figure, 0);
}

async function fileOrders(base: string): Promise<void> {
  const minute = 60 / 86_400;
  const rules = [
    { stage: 'declining', when: { type: 'silence', days: minute } },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ];
  const policy = { template: 'ecommerce', timeZone: 'UTC', rules, otherwise: 'prospect' };
  await fetch(`${base}/v1/policies/live`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ policy, backfill: true }),
  });
  for (let done = 0; done < PILE; done += 500) {
    const items = Array.from({ length: 500 }, (_, index) => anOrder(String(done + index)));
    await ask(base, '/v1/orders/batch', { items, backfill: true });
  }
}

t.test(
  'one takes requests, two do the work that time brings: each customer once, each event once',
  async (t) => {
    const { url } = await createEmptyDatabase(t);
    const receiver = await createReceiver(t, { secret: SECRET });
    const api = new Replica(t, environmentOf(url, { ROLE: 'api' }));
    const base = await api.start().ready;
    const endpoint = { url: `${receiver.url}/hook`, eventTypes: ['*'], secret: SECRET };
    t.equal((await ask(base, '/v1/webhook-endpoints', endpoint)).status, 201);
    t.equal((await ask(base, '/v1/orders', anOrder('first'))).status, 201);
    const feed = (await ask(base, '/v1/events?limit=10')).json as { data: { type: string }[] };
    t.same(
      feed.data.map(({ type }) => type),
      ['customer.created', 'order.recorded', 'customer.stage_changed'],
      'the feed waits for no worker',
    );
    t.notMatch(
      await (await fetch(`${base}/metrics`)).text(),
      'perennial_job_runs_total',
      'and runs no job of its own',
    );
    t.equal(receiver.requests.length, 0);

    await fileOrders(base);
    const workers = [1, 2].map(() => new Replica(t, environmentOf(url, { ROLE: 'worker' })));
    await Promise.all(workers.map((worker) => worker.start().ready));
    // What is told of the first order; nothing else is on its way when everybody becomes due at once.
    await receiver.waitFor(3);
    const sql = openSql(t, url);
    await untilSettled(sql, () => undefined, { customers: PILE + 1 });
    for (const worker of workers) worker.jump();
    await untilSettled(sql, () => undefined);
    t.equal(await sumOf(workers, 'perennial_customers_advanced_total{outcome="advanced"}'), PILE + 1);
    t.equal(await sumOf(workers, 'perennial_delivery_attempts_total{outcome="succeeded"}'), PILE + 1 + 3);
    t.equal(receiver.requests.length, PILE + 1 + 3, 'nothing was sent twice');
    t.same(await auditTables(sql), []);
    t.same(await auditReceived(sql, receiver.requests), []);
    const told = await sql(`SELECT count(*)::int AS n FROM events WHERE type = 'customer.declining'`);
    t.same(told, [{ n: PILE + 1 }]);
    for (const replica of [api, ...workers]) t.same(await replica.stop(), { code: 0, signal: null });
  },
);

interface Sent {
  id: string;
  /** Null where no answer came. */
  status: number | null;
  connection: string | undefined;
  fault: string | undefined;
}

function sendOrder(base: string, agent: Agent, id: string): Promise<Sent> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const sent = request(`${base}/v1/orders`, { method: 'POST', agent, headers }, (response) => {
      const { statusCode: status = null, headers: answered } = response;
      response
        .resume()
        .on('end', () => resolve({ id, status, connection: answered.connection, fault: undefined }));
      response.on('error', ({ message }) =>
        resolve({ id, status: null, connection: undefined, fault: message }),
      );
    });
    sent.on('error', ({ message, code }: NodeJS.ErrnoException) =>
      resolve({ id, status: null, connection: undefined, fault: code ?? message }),
    );
    sent.end(JSON.stringify(anOrder(id)));
  });
}

function keepAliveAgent(t: Test): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  return agent;
}

t.test('asked to stop under load, it answers whatever it has taken', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const replica = new Replica(t, environmentOf(url));
  const base = await replica.start().ready;
  const sent: Sent[] = [];
  const clients = Array.from({ length: 8 }, async (_, client) => {
    const agent = keepAliveAgent(t);
    for (let number = 0; ; number += 1) {
      const outcome = await sendOrder(base, agent, `${client}-${number}`);
      sent.push(outcome);
      // Chance has nothing to do with when: whoever is in the middle of something then is.
      if (sent.length === 200) replica.process.kill('SIGTERM');
      if (outcome.fault === 'ECONNREFUSED') return;
    }
  });
  t.same(await replica.process.exited, { code: 0, signal: null });
  await Promise.all(clients);
  const recorded = await openSql(t, url)<{ id: string }>('SELECT external_id AS id FROM orders ORDER BY 1');
  const answered = sent.filter(({ status }) => status !== null);
  t.same(
    [...new Set(answered.map(({ status }) => status))],
    [201],
    'every answer is the one that was asked for',
  );
  t.same(
    recorded.map(({ id }) => id),
    answered.map(({ id }) => id).sort(),
    'what it did it answered, and what it answered it did',
  );
  const faults = sent.flatMap(({ fault }) => fault ?? []);
  t.comment(`answered ${answered.length}, faults ${faults}`);
  t.same(replica.failures, []);
});

t.test(
  'those who wait for an answer when it is asked to stop are told to come by another connection',
  async (t) => {
    const { url } = await createEmptyDatabase(t);
    const replica = new Replica(t, environmentOf(url));
    const base = await replica.start().ready;
    const blocker = new pg.Client({ connectionString: url });
    await blocker.connect();
    t.teardown(() => blocker.end());
    await blocker.query('BEGIN; LOCK TABLE orders IN SHARE MODE');
    const waiting = ['1', '2', '3'].map((id) => sendOrder(base, keepAliveAgent(t), id));
    for (let locked = 0; locked < waiting.length; ) {
      const { rows } = await blocker.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND NOT l.granted`,
      );
      locked = rows[0]?.n ?? 0;
    }
    replica.process.kill('SIGTERM');
    await replica.process.until(/"msg":"stopping"/);
    await blocker.query('ROLLBACK');
    t.same(
      (await Promise.all(waiting)).map(({ status, connection }) => [status, connection]),
      waiting.map(() => [201, 'close']),
    );
    t.same(await replica.process.exited, { code: 0, signal: null });
  },
);
