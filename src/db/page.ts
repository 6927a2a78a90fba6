// Owns how many rows a list's statement asks for. Does not own the page that is made of them.

import type { Executor, Statement } from './executor.js';

const SIZES = [21, 51, 101, 201];

/**
 * The rows of a list, at most `limit`. The statement is made for that many or a few more, and so in few texts: the
 * number stands in the text, where the planner sees it, and every text is prepared on every connection.
 */
export async function rowsOfPage<Row>(
  executor: Executor,
  limit: number,
  statementFor: (rows: number) => Statement,
): Promise<Row[]> {
  const size = SIZES.find((each) => each >= limit) ?? limit;
  const rows = await executor.rows<Row>(statementFor(size));
  return rows.slice(0, limit);
}
