// Owns the pool and the three ways to use it: as one tenant to read, as one tenant to write, and as the
// finder that sees which tenants have something due. Does not own any statement of the product.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Context } from '../context.js';
import type { PgQuery } from './batch.js';
import {
  type Executor,
  ReadExecutor,
  type Topic,
  type Transaction,
  TransactionExecutor,
} from './executor.js';
import { isRetryable, translate } from './failures.js';
import { openClaim, settleClaim } from './idempotency.js';
import { TYPES } from './types.js';

/** The role that serves requests: it owns nothing, and row-level security binds it. */
export const APP_ROLE = 'perennial_app';
/** The role that may see, across tenants, credentials and what is due, and nothing else. */
export const FINDER_ROLE = 'perennial_finder';

const ATTEMPTS_MAX = 4;
const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** A server that has gone answers no goodbye. */
const SOCKETS_CLOSE_MAX_MS = 1_000;

export interface WriteOptions {
  /**
   * Waits until no other write of the tenant is under way and holds them off: for a change of what every
   * decision is made by (a policy or calibration version), so that none is made by the old one after it.
   */
  exclusive?: boolean;
}

export interface Database {
  /** Reads as one tenant; each statement is a transaction of its own, in one message. */
  read<T>(tenantId: string, work: (executor: Executor) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction as the context's tenant, again on a deadlock or a lost race, and keeps
   * the response with its idempotency key, if the context carries one, in the same transaction.
   * Throws IdempotentReplay when that key has already been answered.
   */
  write<T>(context: Context, work: (tx: Transaction) => Promise<T>, options?: WriteOptions): Promise<T>;
  /** Reads across tenants, by the few columns that the finder may see. */
  find<T>(work: (executor: Executor) => Promise<T>): Promise<T>;
  /** Calls back after each commit that announced the topic; it only shortens the wait of a polling job. */
  onCommit(topic: Topic, listener: () => void): void;
  /** Pool figures for the metrics: connections in all, idle, and callers waiting. */
  usage(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  connectionsMax?: number;
  onError: (error: Error) => void;
}

/**
 * Every statement of ours has its index, and its plan must not depend on statistics: a prepared statement that
 * was planned while a table was small would go on reading all of it through a first import, until somebody
 * analyses the table. Where there is no other way, Postgres still takes a sequential scan. For the same reason
 * one plan serves all values: planning anew for each took longer than the commonest statements themselves.
 */
const SESSION = [
  'SET enable_seqscan = off',
  'SET plan_cache_mode = force_generic_plan',
  "SET TimeZone = 'UTC'",
].join(';');

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function openDatabase(options: DatabaseOptions): Database {
  const config: pg.PoolConfig & { pipeline: boolean } = {
    connectionString: options.url,
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: 'perennial',
    types: TYPES as pg.CustomTypesConfig,
    pipeline: true,
  };
  const pool = new pg.Pool(config);
  pool.on('error', options.onError);
  const open = new Set<Promise<void>>();
  pool.on('connect', (client) => {
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    open.add(ended);
    void ended.then(() => open.delete(ended));
    // The pool listens only while a client is idle. A connection lost with a statement under way would end the
    // process for want of a listener; whoever awaits the statement is told by its failure.
    client.on('error', () => undefined);
    // Goes out ahead of whatever the connection was opened for.
    client.query(SESSION).catch(() => undefined);
  });
  const listeners = new Map<Topic, (() => void)[]>();
  const committed = (topics: ReadonlySet<Topic>) => {
    for (const topic of topics) for (const listener of listeners.get(topic) ?? []) listener();
  };
  return {
    read: (tenantId, work) => withReader(pool, prelude(APP_ROLE, tenantId), work),
    find: (work) => withReader(pool, prelude(FINDER_ROLE), work),
    write: (context, work, writeOptions) =>
      writeRetrying({ pool, committed, context, work, options: writeOptions }),
    onCommit: (topic, listener) => {
      listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
    },
    usage: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    async close() {
      // The pool's own end does not wait for the sockets: an embedded server that stops meanwhile would be
      // taken for one that was lost.
      await pool.end();
      await Promise.race([Promise.all(open), sleep(SOCKETS_CLOSE_MAX_MS, undefined, { ref: false })]);
    },
  };
}

const BEGIN: PgQuery = { name: 'perennial_begin', text: 'BEGIN' };
const ROLES: Record<string, PgQuery> = Object.fromEntries(
  [APP_ROLE, FINDER_ROLE].map((role) => [
    role,
    { name: `perennial_as_${role}`, text: `SET LOCAL ROLE ${role}` },
  ]),
);
const GATES = {
  shared: 'SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))',
  exclusive: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
};

/** `SET LOCAL`, not `set_config()`: a distributed Postgres propagates only the former. */
function prelude(role: string, tenantId?: string, gate?: keyof typeof GATES): PgQuery[] {
  const queries = [BEGIN, ROLES[role] as PgQuery];
  if (tenantId === undefined) return queries;
  // SET takes no parameters. The id is checked against the alphabet of a UUID before it is spliced in.
  if (!UUID.test(tenantId)) throw new Error('a tenant id must be a lower-case UUID');
  queries.push({ text: `SET LOCAL app.tenant_id = '${tenantId}'`, isSilent: true });
  if (gate !== undefined) {
    queries.push({ name: `perennial_gate_${gate}`, text: GATES[gate], values: [tenantId] });
  }
  return queries;
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw translate(error);
  }
}

async function withReader<T>(
  pool: pg.Pool,
  opening: PgQuery[],
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  const executor = new ReadExecutor(client, opening);
  let broken: unknown;
  try {
    return await work(executor);
  } catch (error) {
    throw translate(error);
  } finally {
    await executor.end().catch((failure) => {
      broken = failure;
    });
    // A connection that could not even be rolled back is not given to the next caller.
    client.release(broken instanceof Error ? broken : undefined);
  }
}

interface Write<T> {
  pool: pg.Pool;
  committed: (topics: ReadonlySet<Topic>) => void;
  context: Context;
  work: (tx: Transaction) => Promise<T>;
  options: WriteOptions | undefined;
}

async function writeRetrying<T>(write: Write<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(write);
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !isRetryable(error)) throw translate(error);
    }
  }
}

async function writeOnce<T>({ pool, committed, context, work, options }: Write<T>): Promise<T> {
  const client = await connect(pool);
  const { idempotency } = context;
  const opening = prelude(APP_ROLE, context.tenantId, options?.exclusive === true ? 'exclusive' : 'shared');
  const tx = new TransactionExecutor(client, opening, idempotency === undefined);
  let broken: unknown;
  try {
    if (idempotency !== undefined) await openClaim(tx, context.tenantId, idempotency);
    const result = await work(tx);
    if (idempotency !== undefined) await settleClaim(tx, context, idempotency, result);
    await tx.commit();
    committed(tx.announced);
    return result;
  } catch (error) {
    await tx.rollback().catch((failure) => {
      broken = failure;
    });
    throw tx.firstFailure(error);
  } finally {
    // A connection that could not even be rolled back is not given to the next caller.
    client.release(broken instanceof Error ? broken : undefined);
  }
}
