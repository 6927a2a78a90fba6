// Sees what goes through a service's database without changing any of it: the statements, in whose name they
// run, and which transactions were committed. The very object that the services hold is watched, so that
// nothing they do goes past.

import { drizzle } from 'drizzle-orm/node-postgres';
import { APP_ROLE, type Database, FINDER_ROLE } from '../../src/db/database.js';
import type { Executor, Statement, Transaction } from '../../src/db/executor.js';

export interface Seen {
  role: string;
  tenantId: string | null;
  statement: Statement;
  /** What the transaction has told the planner before it. */
  settings: readonly string[];
}

export interface Watch {
  /** The transactions that have written something and were committed. */
  readonly commits: number;
  onStatement: (seen: Seen) => void;
}

/** A lock (`FOR UPDATE`) writes nothing that anybody could read. */
const WRITES = /\b(?:insert\s+into|delete\s+from|update\s+\S+\s+(?:\S+\s+)?set)\b/i;

/** The administrator's work goes on in another tenant's name (db/acting.ts). */
const ACTING = /^SET LOCAL app\.tenant_id = '(.*)'$/;

export function watch(database: Database): Watch {
  let commits = 0;
  const watching: Watch = {
    get commits() {
      return commits;
    },
    onStatement: () => undefined,
  };
  const { read, write, find } = database;
  const see = (role: string, initialTenantId: string | null) => {
    let tenantId = initialTenantId;
    const settings: string[] = [];
    return (statement: Statement): void => {
      const acting = ACTING.exec(statement.text)?.[1];
      if (acting !== undefined) tenantId = acting;
      else if (statement.text.startsWith('SET ')) settings.push(statement.text);
      else watching.onStatement({ role, tenantId, statement, settings: [...settings] });
    };
  };
  database.read = (tenantId, work) =>
    read(tenantId, (executor) => work(executorOf(executor, see(APP_ROLE, tenantId))));
  database.find = (work) => find((executor) => work(executorOf(executor, see(FINDER_ROLE, null))));
  database.write = async (context, work, options) => {
    let hasWritten = false;
    const result = await write(
      context,
      (tx) => {
        // A transaction that lost a race is run again from its beginning.
        hasWritten = false;
        const seen = see(APP_ROLE, context.tenantId);
        const watched = (statement: Statement) => {
          hasWritten ||= WRITES.test(statement.text);
          seen(statement);
        };
        return work(transactionOf(tx, watched));
      },
      options,
    );
    if (hasWritten) commits += 1;
    return result;
  };
  return watching;
}

function executorOf(executor: Executor, see: (statement: Statement) => void): Executor {
  const rows = <Row>(statement: Statement): Promise<Row[]> => {
    see(statement);
    return executor.rows<Row>(statement);
  };
  return { rows, orm: ormOn(rows) };
}

function transactionOf(tx: Transaction, see: (statement: Statement) => void): Transaction {
  return {
    ...executorOf(tx, see),
    lastRows: <Row>(statement: Statement): Promise<Row[]> => {
      see(statement);
      return tx.lastRows<Row>(statement);
    },
    announce: (topic) => tx.announce(topic),
  };
}

/** The query builder sends its statements by a path of its own: here it is led through the watched one. */
function ormOn(rows: Executor['rows']): Executor['orm'] {
  const query = async (config: { text: string }, values?: unknown[]) => ({
    rows: await rows({ ...config, values }),
  });
  return drizzle({ query } as never);
}
