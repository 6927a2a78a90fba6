// Owns how statements reach Postgres: which role and tenant they run as, and how few messages it takes.
// Does not own what the statements say (each module's store) or when a transaction is opened (services).

import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { PoolClient, QueryResult } from 'pg';
import { unwrap } from './failures.js';

/** A statement; with a `name` it is prepared once per connection. Values are never spliced into the text. */
export interface Statement {
  name?: string;
  text: string;
  values?: readonly unknown[];
}

/** What every store function takes first. Statements sent without awaiting travel together. */
export interface Executor {
  rows<Row>(statement: Statement): Promise<Row[]>;
  /** The query builder on the same executor, for statements that are not hot. */
  readonly orm: NodePgDatabase;
}

export interface Transaction extends Executor {
  /**
   * The last statement of the transaction: COMMIT travels in the same message, which saves a round trip.
   * After it the transaction takes no further statement.
   */
  lastRows<Row>(statement: Statement): Promise<Row[]>;
  /** Tells this process's listeners, once the commit is done, that there is work of a kind. */
  announce(topic: Topic): void;
}

/** Work that a transaction can leave behind for this process's own jobs. */
export type Topic = 'deliveries';

const IN_FAILED_TRANSACTION = '25P02';

interface PgQuery {
  text: string;
  name?: string;
  values?: unknown[];
}

/** Postgres tells prepared statements apart by their first 63 bytes. */
const NAME_LENGTH_MAX = 63;
const shortNames = new Map<string, string>();

function queryOf(statement: Statement): PgQuery {
  const { name } = statement;
  if (name === undefined || name.length <= NAME_LENGTH_MAX) return statement as PgQuery;
  let short = shortNames.get(name);
  if (short === undefined) {
    // Counted, not cut: two lists that filter by nearly the same fields would pass for one statement.
    short = `${name.slice(0, NAME_LENGTH_MAX - 8)}#${shortNames.size}`;
    shortNames.set(name, short);
  }
  return { ...(statement as PgQuery), name: short };
}

/** With a callback a client's query returns nothing, which its type does not say. */
interface Calling {
  query(query: PgQuery | string, callback: (error: Error | null, result: QueryResult) => void): void;
}

interface Corkable {
  connection: { stream: { cork(): void; uncork(): void } };
}

/**
 * Lets several statements leave in one packet. The pool's clients are in pipeline mode, so a statement is
 * written at once without waiting for the one before it; corking joins the writes.
 */
function together<T>(client: PoolClient, send: () => T): T {
  const { stream } = (client as unknown as Corkable).connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

abstract class ClientExecutor implements Executor {
  #orm: NodePgDatabase | undefined;

  constructor(protected readonly client: PoolClient) {}

  /** Sends one statement in the executor's way (with or without a transaction of its own). */
  protected abstract send(query: PgQuery): Promise<QueryResult>;

  async rows<Row>(statement: Statement): Promise<Row[]> {
    const result = await this.send(queryOf(statement));
    return result.rows as Row[];
  }

  get orm(): NodePgDatabase {
    // Drizzle asks of its client no more than query(config, values), so it can be led through `send`.
    const query = (config: PgQuery, values?: unknown[]) => this.send({ ...config, values });
    this.#orm ??= drizzle({ query } as never);
    return this.#orm;
  }
}

/**
 * Every statement is a transaction of its own, and BEGIN, the role, the tenant, the statement and COMMIT
 * leave in one message. For reads, where several statements need not see one snapshot.
 */
export class ReadExecutor extends ClientExecutor {
  constructor(
    client: PoolClient,
    private readonly prelude: string,
  ) {
    super(client);
  }

  protected send(query: PgQuery): Promise<QueryResult> {
    const { prelude } = this;
    const client = this.client as unknown as Calling;
    // Callbacks and one promise: this is the way of every read. All three are waited for even when one fails,
    // so that the client goes back to the pool with nothing in flight.
    return new Promise((resolve, reject) => {
      let failure: Error | undefined;
      let result: QueryResult;
      const noted = (error: Error | null) => {
        failure ??= error ?? undefined;
      };
      together(this.client, () => {
        client.query(prelude, noted);
        client.query(query, (error, answer) => {
          noted(error);
          result = answer;
        });
        client.query('COMMIT', (error) => {
          noted(error);
          if (failure === undefined) resolve(result);
          else reject(failure);
        });
      });
    });
  }
}

/** One transaction, opened in the same message as its first statement. */
export class TransactionExecutor extends ClientExecutor implements Transaction {
  #begun: Promise<QueryResult> | undefined;
  #ended: 'no' | 'committed' | 'rolled back' = 'no';
  #inFlight = new Set<Promise<unknown>>();
  #failed: unknown;
  readonly announced = new Set<Topic>();

  constructor(
    client: PoolClient,
    private readonly prelude: string,
    /** False while something must still be written after the caller's last statement. */
    private readonly mayCommitEarly: boolean,
  ) {
    super(client);
  }

  protected send(query: PgQuery): Promise<QueryResult> {
    if (this.#ended !== 'no') throw new Error('a statement came after the transaction had ended');
    return together(this.client, () => {
      this.#begin();
      return this.#watch(this.client.query(query));
    });
  }

  async lastRows<Row>(statement: Statement): Promise<Row[]> {
    if (!this.mayCommitEarly) return this.rows<Row>(statement);
    const [result, committed] = together(this.client, () => {
      this.#begin();
      const last = this.#watch(this.client.query(queryOf(statement)));
      return [last, this.#watch(this.client.query('COMMIT'))];
    });
    this.#ended = 'committed';
    const [outcome] = await Promise.all([result as Promise<QueryResult>, committed]);
    await this.settled();
    return outcome.rows as Row[];
  }

  announce(topic: Topic): void {
    this.announced.add(topic);
  }

  async commit(): Promise<void> {
    if (this.#ended !== 'no') return this.settled();
    await this.settled();
    if (this.#begun === undefined) return;
    this.#ended = 'committed';
    const result = await this.client.query('COMMIT');
    if (result.command !== 'COMMIT') throw new Error('the transaction had failed and was rolled back');
  }

  async rollback(): Promise<void> {
    if (this.#begun === undefined || this.#ended === 'rolled back') return;
    await Promise.allSettled([...this.#inFlight]);
    // After a failed COMMIT this is a harmless warning; the connection is clean either way.
    this.#ended = 'rolled back';
    await this.client.query('ROLLBACK');
  }

  /**
   * What went wrong first: once a statement has failed, those sent behind it fail as well, and with an error
   * that says no more than that. Which of them is awaited first is chance.
   */
  firstFailure(error: unknown): unknown {
    const isAftermath = (unwrap(error) as { code?: string } | null)?.code === IN_FAILED_TRANSACTION;
    return isAftermath ? (this.#failed ?? error) : error;
  }

  /** Waits for statements that nobody awaited and fails if any of them did. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#inFlight]);
    if (this.#failed !== undefined) throw this.#failed;
  }

  #begin(): void {
    if (this.#begun !== undefined) return;
    this.#begun = this.#watch(this.client.query(this.prelude));
  }

  #watch<T>(promise: Promise<T>): Promise<T> {
    this.#inFlight.add(promise);
    promise.then(
      () => this.#inFlight.delete(promise),
      (error) => {
        this.#inFlight.delete(promise);
        this.#failed ??= error;
      },
    );
    return promise;
  }
}
