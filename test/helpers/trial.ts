// Owns a service on trial: processes of it on one database, a shop that keeps telling them things, a partner
// who receives, and the questions that must be answered with nothing in the end. Does not own what is done to
// the service meanwhile.

import pg from 'pg';
import type { Test } from 'tap';
import type { Environment } from '../../src/environment.js';
import { auditBook, auditReceived, auditTables, type Sql } from './audit.js';
import { auditReplay } from './audit-replay.js';
import type { Chance } from './chance.js';
import { PersistentClient } from './persistent-client.js';
import { createReceiver, type Receiver } from './receiver.js';
import { Replica } from './replica.js';
import { untilSettled } from './settle.js';
import { Shop } from './shop.js';

export const KEY = `pk_${'c'.repeat(30)}`;
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const DAY_MS = 86_400_000;

export interface TrialOptions {
  chance: Chance;
  /** Where the database is, and whatever else this trial wants otherwise. */
  environment: Environment;
  replicas?: number;
  patienceMs?: number;
  onSend?: () => void;
  onBooked?: () => void;
  onDelivery?: () => void;
}

export interface Trial {
  replicas: Replica[];
  client: PersistentClient;
  shop: Shop;
  receiver: Receiver;
  /** Registers the partner, makes the first customers, and lets the shop work. */
  open(): Promise<void>;
}

export async function prepareTrial(t: Test, options: TrialOptions): Promise<Trial> {
  const { chance, patienceMs, onSend, onBooked, onDelivery } = options;
  const respond = () => {
    onDelivery?.();
    return { status: 200 };
  };
  const receiver = await createReceiver(t, { secret: SECRET, respond });
  const environment = {
    BOOTSTRAP_API_KEY: KEY,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_ALLOW_HTTP: 'true',
    RATE_LIMIT_PER_MINUTE: '0',
    DATABASE_POOL_MAX: '8',
    SECRETS_KEY: Buffer.alloc(32, 3).toString('base64'),
    ...options.environment,
  };
  const replicas = Array.from({ length: options.replicas ?? 1 }, () => new Replica(t, environment));
  const bases = () => replicas.flatMap(({ base }) => base ?? []);
  const client = new PersistentClient({ key: KEY, bases, onSend, patienceMs });
  t.teardown(() => client.close());
  const shop = new Shop({ client, chance: chance.fork(), onBooked });
  return {
    ...{ replicas, client, shop, receiver },
    async open() {
      const body = { url: `${receiver.url}/hook`, eventTypes: ['*'], secret: SECRET };
      await client.send({ method: 'POST', path: '/v1/webhook-endpoints', body, idempotencyKey: 'endpoint' });
      await shop.open();
    },
  };
}

/** The work, unless a clerk is answered what none may be: then nobody is left for whom it could wait. */
export function whileOpen<T>({ shop }: Trial, work: Promise<T>): Promise<T> {
  return Promise.race([work, shop.day.then(() => work)]);
}

/** Reads as the database's owner, past every wall. */
export function openSql(t: Test, url: string): Sql {
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  pool.on('error', () => undefined);
  t.teardown(() => pool.end());
  return async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await pool.query<Row>(text, values)).rows;
}

/** Closes the shop, lets the service finish, stops it, and asks whether anything is lost, doubled or wrong. */
export async function concludeTrial(
  t: Test,
  { shop, client, receiver, replicas }: Trial,
  url: string,
): Promise<void> {
  await shop.close();
  const sql = openSql(t, url);
  const jump = () => {
    for (const replica of replicas) replica.jump();
  };
  await untilSettled(sql, jump).catch((error) => {
    t.comment(replicas.flatMap((replica) => replica.complaints).join('\n'));
    throw error;
  });
  const [tenant, ...others] = await sql<{ id: string }>('SELECT id FROM tenants');
  t.same(others, [], 'there is one tenant');
  // Nobody has anything due any more, so the replay of any later instant is the replay of this one.
  const until = new Date(Date.now() + DAY_MS);
  const replayed = await auditReplay({ sql, url, tenantId: tenant?.id ?? '', until });
  t.comment(
    `orders ${shop.book.orders.size}, ledger rows ${replayed.rows}, deliveries ${receiver.requests.length}`,
  );
  t.comment(`answers ${JSON.stringify([...client.statuses])}, unanswered ${client.unanswered}`);
  t.same(client.faults, [], 'no answer was a failure of the inside, and none was waited for in vain');
  t.same(await auditBook(sql, shop.book), [], 'what was answered is there, once, and nothing else is');
  t.same(await auditTables(sql), [], 'sequences, feed, ledger and deliveries are whole');
  t.ok(replayed.rows > 0);
  t.same(replayed.faults, [], 'the ledger in force is the replay of the facts');
  t.same(
    await auditReceived(sql, receiver.requests),
    [],
    'what was to be delivered was, and nothing uncommitted',
  );
}
