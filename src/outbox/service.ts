// Owns telling: events into the feed and onto the queue of every endpoint that hears of them, in the
// transaction of the change. Does not own the sending (deliver.ts) nor the endpoints (webhooks/).

import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { type EventDraft, type EventRow, prepareEvents } from './events.js';
import { insertFeed } from './feed-store.js';
import { placeAtOnce } from './number.js';
import { insertEvents } from './store.js';

export type { DraftEvent, EventDraft, EventRow } from './events.js';

export interface OutboxService {
  /** Makes a new tenant's feed. */
  open(tx: Transaction, tenantId: string): Promise<void>;
  /** Gives events their ids and texts; for who writes them in a statement of its own. Pure but for the ids. */
  prepareEvents(context: Pick<Context, 'now'>, drafts: readonly EventDraft[]): EventRow[];
  /**
   * Gives many events their places in the feed as they are written; few are left to the numbering job. For who
   * writes them in a statement of its own, holds their customers, and sends it next.
   */
  placeAtOnce(tx: Transaction, tenantId: string, rows: readonly EventRow[]): Promise<readonly EventRow[]>;
  /** Writes events and their deliveries; for who has nothing else to write with them. */
  publish(tx: Transaction, context: Context, rows: readonly EventRow[]): Promise<void>;
}

export function createOutboxService(): OutboxService {
  return {
    open: insertFeed,
    prepareEvents,
    placeAtOnce,
    async publish(tx, context, rows) {
      if (rows.length === 0) return;
      const deliveries = await insertEvents(tx, context.tenantId, rows);
      if (deliveries > 0) tx.announce('deliveries');
    },
  };
}
