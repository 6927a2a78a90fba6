// Owns keeping an event out of the feed. Does not own the feed (feed-store.ts).

import type { Transaction } from '../db/executor.js';

/**
 * A negative position, in the transaction that has written the event: the numbering passes over what has one,
 * and no reader's range begins below nought. It is made of the id's random end, as far as a double is exact;
 * should it be taken, the transaction is run again with another id.
 */
export async function keepOutOfFeed(tx: Transaction, tenantId: string, eventId: string): Promise<void> {
  await tx.rows({
    name: 'outbox_keep_out_of_feed',
    text: `UPDATE events SET position = -1 - ('x' || right(replace(id::text, '-', ''), 12))::bit(48)::bigint
            WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, eventId],
  });
}
