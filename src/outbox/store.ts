// Owns the SQL that writes events for who writes nothing else. Does not own the SQL of the feed
// (feed-store.ts), of the queue's work (queue-store.ts) or of looking at deliveries (deliveries-store.ts).

import type { Executor } from '../db/executor.js';
import type { EventRow } from './events.js';
import { EVENTS, PUBLISH } from './publish.js';

/** Writes events and a delivery for each endpoint that hears of them; says how many deliveries. */
export async function insertEvents(
  tx: Executor,
  tenantId: string,
  rows: readonly EventRow[],
): Promise<number> {
  const [result] = await tx.rows<{ queued: number }>({
    ...PUBLISH,
    values: [tenantId, ...EVENTS.values(rows)],
  });
  return result?.queued ?? 0;
}
