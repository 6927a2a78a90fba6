// Owns how long after its commit an event reached the receiver: the database itself tells when each order was
// committed, to the microsecond. Does not own the stream that is measured.

import type { Receipt } from '../../receiver.js';
import { NAMESPACE } from '../../sales.js';
import type { Stage } from '../../stage.js';

/** What a stage needs for it. */
export const COMMITS = { track_commit_timestamp: 'on' };

/** When each order was committed, in epoch milliseconds, by its external id. */
export async function readCommits({ query }: Pick<Stage, 'query'>): Promise<Map<string, number>> {
  const rows = await query<{ id: string; at: string }>(
    `SELECT external_id AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at
       FROM orders WHERE namespace = $1`,
    [NAMESPACE],
  );
  return new Map(rows.map(({ id, at }) => [id, Number(at)]));
}

/** Milliseconds from the commit to the first byte, of each receipt. */
export function latenciesOf(
  receipts: readonly Receipt[],
  committedAtMs: ReadonlyMap<string, number>,
): number[] {
  return receipts.map(({ atMs, body }) => {
    const { data } = JSON.parse(body) as { data: { order: { externalId: { id: string } } } };
    const committed = committedAtMs.get(data.order.externalId.id);
    if (committed === undefined) throw new Error('a webhook tells of an order that was never committed');
    return atMs - committed;
  });
}
