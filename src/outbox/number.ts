// Owns giving events their places in the feed, in the order in which they were committed. Ids and database
// sequences are given before a commit, so a reader who went by them would miss what commits late; a position
// is given only to what can be seen, by one at a time, and so nothing can come in below it any more.

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { lockFeed, numberBatch, tenantsUnnumbered } from './feed-store.js';

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
    return position === undefined ? 0 : numberBatch(tx, tenantId, { position, since, limit });
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
