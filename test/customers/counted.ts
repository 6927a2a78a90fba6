// A database that counts the statements that pass through it, and leaves them as they are.

import type { Database } from '../../src/db/database.js';
import type { Transaction } from '../../src/db/executor.js';

export interface Counted {
  database: Database;
  statements(): number;
}

/** Only the statements of `write` are counted, without those that open and end the transaction. */
export function counted(database: Database): Counted {
  let statements = 0;
  const watched = (tx: Transaction): Transaction => ({
    rows(statement) {
      statements++;
      return tx.rows(statement);
    },
    lastRows(statement) {
      statements++;
      return tx.lastRows(statement);
    },
    announce: (topic) => tx.announce(topic),
    orm: tx.orm,
  });
  return {
    database: {
      ...database,
      write: (context, work, options) => database.write(context, (tx) => work(watched(tx)), options),
    },
    statements: () => statements,
  };
}
