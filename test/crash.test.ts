// What a kill may not do. The service is killed at any point, again and again, while a shop goes on telling it
// things; the shop repeats what got no answer. In the end everything is there, once, as if nothing had been.

import { randomBytes } from 'node:crypto';
import { setTimeout as moment } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import { auditBook, auditReceived, auditTables, type Sql } from './helpers/audit.js';
import { auditReplay } from './helpers/audit-replay.js';
import { Chance } from './helpers/chance.js';
import { PersistentClient } from './helpers/persistent-client.js';
import { createEmptyDatabase } from './helpers/postgres.js';
import { createReceiver } from './helpers/receiver.js';
import { Replica } from './helpers/replica.js';
import { untilSettled } from './helpers/settle.js';
import { Shop } from './helpers/shop.js';

const KEY = `pk_${'c'.repeat(30)}`;
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const REPLICAS = 2;
const KILLS_EACH = 14;

t.setTimeout(280_000);

/** Resolves at a moment that chance has picked: in a start, in a tick, behind requests or deliveries. */
class Moments {
  #waiting: { kind: 'request' | 'delivery'; left: number; done: () => void }[] = [];

  constructor(private readonly chance: Chance) {}

  saw(kind: 'request' | 'delivery'): void {
    for (const waiter of this.#waiting) if (waiter.kind === kind) waiter.left -= 1;
    const over = this.#waiting.filter(({ left }) => left <= 0);
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    for (const { done } of over) done();
  }

  async next(ready: Promise<unknown>): Promise<string> {
    const { chance } = this;
    const kind = chance.pick(['start', 'tick', 'request', 'request', 'delivery', 'delivery'] as const);
    if (kind === 'start') {
      await moment(chance.below(1_500));
      return kind;
    }
    await ready;
    if (kind === 'tick') {
      await moment(1_000 - (Date.now() % 1_000) + chance.below(80));
      return kind;
    }
    await new Promise<void>((done) => this.#waiting.push({ kind, left: 1 + chance.below(30), done }));
    await moment(chance.below(25));
    return kind;
  }
}

async function kill(replica: Replica, moments: Moments): Promise<string> {
  const { ready, exited } = replica.start();
  const kind = await Promise.race([moments.next(ready), exited.then(() => 'by itself')]);
  replica.process.kill('SIGKILL');
  const { signal } = await exited;
  if (signal !== 'SIGKILL') throw new Error(`a replica ended by itself: ${replica.process.stdout()}${replica.process.stderr()}`);
  return kind;
}

async function connect(t: Test, url: string): Promise<Sql> {
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  t.teardown(() => pool.end());
  return async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await pool.query<Row>(text, values)).rows;
}

t.test('killed again and again, it loses nothing, doubles nothing, and its ledger is the replay', async (t) => {
  const seed = randomBytes(4).readInt32LE();
  t.comment(`seed ${seed}`);
  const chance = new Chance(seed);
  const moments = new Moments(chance.fork());
  const { url } = await createEmptyDatabase(t);
  const receiver = await createReceiver(t, {
    secret: SECRET,
    respond: () => {
      moments.saw('delivery');
      return { status: 200 };
    },
  });
  const environment = {
    DATABASE_URL: url,
    BOOTSTRAP_API_KEY: KEY,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_ALLOW_HTTP: 'true',
    RATE_LIMIT_PER_MINUTE: '0',
    SECRETS_KEY: Buffer.alloc(32, 3).toString('base64'),
    DATABASE_POOL_MAX: '8',
  };
  const replicas = Array.from({ length: REPLICAS }, () => new Replica(t, environment));
  const client = new PersistentClient({
    key: KEY,
    bases: () => replicas.flatMap(({ base }) => base ?? []),
    onSend: () => moments.saw('request'),
  });
  const shop = new Shop({ client, chance: chance.fork() });
  const kinds = new Map<string, number>();
  const killing = replicas.map(async (replica) => {
    for (let kills = 0; kills < KILLS_EACH; kills += 1) {
      const kind = await kill(replica, moments);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    await replica.start().ready;
  });
  const endpoint = { url: `${receiver.url}/hook`, eventTypes: ['*'], secret: SECRET };
  await client.send({ method: 'POST', path: '/v1/webhook-endpoints', body: endpoint, idempotencyKey: 'endpoint' });
  await shop.open();
  await Promise.all(killing);
  await shop.close();
  const sql = await connect(t, url);
  for (const replica of replicas) replica.jump();
  await untilSettled(sql);
  for (const replica of replicas) t.same(await replica.stop(), { code: 0, signal: null }, 'and stops when it is asked to');

  const [tenant] = await sql<{ id: string }>('SELECT id FROM tenants');
  const replayed = await auditReplay({ sql, url, tenantId: tenant?.id ?? '', until: new Date(Date.now() + 86_400_000) });
  t.comment(`kills ${JSON.stringify([...kinds])}, orders ${shop.book.orders.size}, ledger rows ${replayed.rows}`);
  t.comment(`answers ${JSON.stringify([...client.statuses])}, unanswered ${client.unanswered}`);
  t.comment(`deliveries ${receiver.requests.length}, in all ${Math.round(performance.now() / 1000)} s`);
  t.same(client.faults, [], 'no answer was a failure of the inside, and none was waited for in vain');
  t.same(await auditBook(sql, shop.book), [], 'what was answered is there, once, and nothing else is');
  t.same(await auditTables(sql), [], 'sequences, feed, ledger and deliveries are whole');
  t.same(replayed.faults, [], 'the ledger in force is the replay of the facts');
  t.same(await auditReceived(sql, receiver.requests), [], 'what was to be delivered was, and nothing uncommitted');
});
