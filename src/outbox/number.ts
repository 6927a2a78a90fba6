// Owns giving events their places in the feed, in the order in which they were committed. Ids and database
// sequences are given before a commit, so a reader who went by them would miss what commits late; a position
// is given only to what can be seen, by one at a time, and so nothing can come in below it any more.

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import type { EventRow } from './events.js';
import { hasUnnumbered, lockFeed, numberBatch, reservePlaces, tenantsUnnumbered } from './feed-store.js';

/** Bounds the transaction that holds the feed; what a customer's order adds comes on top. */
export const NUMBERED_AT_ONCE_MAX = 5_000;

export interface NumberRequest {
  tenantId: string;
  now: Date;
  /** No unnumbered event of the tenant was recorded before, as far as the caller has seen. */
  since?: Date;
  /** Waits for whoever is numbering just now; without it, that one will do. */
  wait?: boolean;
  limit?: number;
}

/** Numbers one batch of a tenant's events and says how many. */
export function numberEvents(database: Database, request: NumberRequest): Promise<number> {
  const { tenantId, now, since = null, wait = false, limit = NUMBERED_AT_ONCE_MAX } = request;
  const id = 'number-events';
  const context: Context = { tenantId, actor: { kind: 'system', id }, now, requestId: id };
  return database.write(context, async (tx) => {
    const position = await lockFeed(tx, tenantId, wait);
    return position === undefined ? 0 : numberBatch(tx, tenantId, { position, since, limit, isLast: true });
  });
}

/** One batch for each tenant that has new events. */
export async function numberNew(database: Database, now: Date): Promise<number> {
  let numbered = 0;
  for (const { tenantId, since } of await database.find(tenantsUnnumbered)) {
    numbered += await numberEvents(database, { tenantId, now, since });
  }
  return numbered;
}

/** What others have left waiting: more of them are the numbering job's, not a request's that holds customers. */
export const NUMBERED_ON_THE_WAY_MAX = 500;
/** Fewer are not worth holding the feed for until the commit: the numbering job is soon there. */
export const PLACED_AT_ONCE_MIN = 20;

/**
 * Gives many events that a transaction is about to write their places as they are written: to write each of them
 * again afterwards cost more than the rest of a batch. Whoever has the feed to the end of the transaction gives
 * its places in the order of commits, as the numbering job does; all that could be seen before has been given
 * its places first, which the customers' own order asks for. Where somebody else has the feed, or more is waiting
 * than one batch, the events go without and are left to the job.
 *
 * The caller holds the lock on the events' customers, and its next statement is the one that writes the events.
 */
export async function placeAtOnce(
  tx: Transaction,
  tenantId: string,
  rows: readonly EventRow[],
): Promise<readonly EventRow[]> {
  if (rows.length < PLACED_AT_ONCE_MIN) return rows;
  // One message; the second looks once the first has the feed.
  const [position, isBehind] = await Promise.all([
    lockFeed(tx, tenantId, false),
    hasUnnumbered(tx, tenantId),
  ]);
  if (position === undefined) return rows;
  const limit = NUMBERED_ON_THE_WAY_MAX;
  const numbering = { position, since: null, limit, isLast: false };
  const numbered = isBehind ? await numberBatch(tx, tenantId, numbering) : 0;
  if (numbered >= limit) return rows;
  const first = position + numbered + 1;
  reservePlaces(tx, tenantId, position + numbered + rows.length);
  return rows.map((row, index) => ({ ...row, position: first + index }));
}
