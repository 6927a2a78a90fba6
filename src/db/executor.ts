// Owns how statements reach Postgres: which role and tenant they run as, and how few messages it takes.
// Does not own what the statements say (each module's store) or when a transaction is opened (services).

import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { PoolClient } from 'pg';
import { type Answer, Batch, type Item, type PgQuery } from './batch.js';
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

/** Postgres tells prepared statements apart by their first 63 bytes. */
const NAME_LENGTH_MAX = 63;
const shortNames = new Map<string, string>();

function queryOf(statement: Statement): PgQuery {
  const { name } = statement;
  if (name === undefined || name.length <= NAME_LENGTH_MAX) return statement;
  let short = shortNames.get(name);
  if (short === undefined) {
    // Counted, not cut: two lists that filter by nearly the same fields would pass for one statement.
    short = `${name.slice(0, NAME_LENGTH_MAX - 8)}#${shortNames.size}`;
    shortNames.set(name, short);
  }
  return { ...statement, name: short };
}

const COMMIT: PgQuery = { name: 'perennial_commit', text: 'COMMIT' };
const ROLLBACK: PgQuery = { name: 'perennial_rollback', text: 'ROLLBACK' };

const ignore = () => undefined;

/** Of what nobody asks after: where it fails, those behind it in the message fail with the same error. */
function unwatched(query: PgQuery): Item {
  return { query, resolve: ignore, reject: ignore };
}

abstract class ClientExecutor implements Executor {
  #orm: NodePgDatabase | undefined;
  #ready: Item[] = [];

  constructor(
    private readonly client: PoolClient,
    protected readonly prelude: readonly PgQuery[],
  ) {}

  /** Takes one statement in the executor's way. */
  protected abstract send(query: PgQuery): Promise<Answer>;

  async rows<Row>(statement: Statement): Promise<Row[]> {
    const { rows } = await this.send(queryOf(statement));
    return rows as Row[];
  }

  get orm(): NodePgDatabase {
    // Drizzle asks of its client no more than query(config, values), so it can be led through `send`.
    const query = (config: PgQuery, values?: unknown[]) => this.send({ ...config, values: values ?? [] });
    this.#orm ??= drizzle({ query } as never);
    return this.#orm;
  }

  /** Goes out with all that the code at hand asks for before it next waits for an answer. */
  protected enqueue(query: PgQuery): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#ready.push({ query, resolve, reject });
      // After the promises that are settled by now have been followed up, in whichever order they were.
      if (this.#ready.length === 1) queueMicrotask(() => process.nextTick(() => this.#flush()));
    });
  }

  /** The whole message, of the statements that are ready. */
  protected abstract around(items: Item[]): Item[];

  #flush(): void {
    const items = this.#ready;
    this.#ready = [];
    this.client.query(new Batch(this.around(items)) as never);
  }
}

/**
 * BEGIN, the role, the tenant, the statements that are ready together and COMMIT leave in one message. For
 * reads, where statements that are not sent together need not see one snapshot.
 */
export class ReadExecutor extends ClientExecutor {
  #last: Promise<boolean> = Promise.resolve(true);
  #isEnding = false;

  protected send(query: PgQuery): Promise<Answer> {
    return this.enqueue(query);
  }

  protected around(items: Item[]): Item[] {
    if (this.#isEnding) return items;
    const committed = new Promise<boolean>((resolve) => {
      items.push({ query: COMMIT, resolve: () => resolve(true), reject: () => resolve(false) });
    });
    this.#last = Promise.all([this.#last, committed]).then(([before, now]) => before && now);
    return [...this.prelude.map(unwatched), ...items];
  }

  /** Resolves when the client can be given to somebody else: nothing is in flight, no transaction is open. */
  async end(): Promise<void> {
    const wereCommitted = await this.#last;
    if (wereCommitted) return;
    this.#isEnding = true;
    await this.enqueue(ROLLBACK);
  }
}

/** One transaction, opened in the same message as its first statements. */
export class TransactionExecutor extends ClientExecutor implements Transaction {
  #begun = false;
  #ended: 'no' | 'committed' | 'rolled back' = 'no';
  #inFlight = new Set<Promise<unknown>>();
  #failed: unknown;
  readonly announced = new Set<Topic>();

  constructor(
    client: PoolClient,
    prelude: readonly PgQuery[],
    /** False while something must still be written after the caller's last statement. */
    private readonly mayCommitEarly: boolean,
  ) {
    super(client, prelude);
  }

  protected send(query: PgQuery): Promise<Answer> {
    if (this.#ended !== 'no') throw new Error('a statement came after the transaction had ended');
    return this.#watch(this.enqueue(query));
  }

  protected around(items: Item[]): Item[] {
    if (this.#begun) return items;
    this.#begun = true;
    return [...this.prelude.map(unwatched), ...items];
  }

  async lastRows<Row>(statement: Statement): Promise<Row[]> {
    if (!this.mayCommitEarly) return this.rows<Row>(statement);
    const last = this.send(queryOf(statement));
    const committed = this.send(COMMIT);
    this.#ended = 'committed';
    const [{ rows }] = await Promise.all([last, committed]);
    await this.settled();
    return rows as Row[];
  }

  announce(topic: Topic): void {
    this.announced.add(topic);
  }

  async commit(): Promise<void> {
    await this.settled();
    if (this.#ended !== 'no' || !this.#begun) return;
    const committed = this.send(COMMIT);
    this.#ended = 'committed';
    const { command } = await committed;
    if (command !== 'COMMIT') throw new Error('the transaction had failed and was rolled back');
  }

  async rollback(): Promise<void> {
    await Promise.allSettled([...this.#inFlight]);
    if (!this.#begun || this.#ended === 'rolled back') return;
    // After a failed COMMIT this is a harmless warning; the connection is clean either way.
    this.#ended = 'rolled back';
    await this.enqueue(ROLLBACK);
  }

  /**
   * What went wrong first: once a statement has failed, those sent after it fail as well, and with an error
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
