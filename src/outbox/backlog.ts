// Owns saying how much is waiting to be delivered, across tenants.

import type { Database } from '../db/database.js';
import { oldestDue } from './deliveries-store.js';
import { countDue } from './queue-store.js';
import { countReplaying } from './replays-store.js';

export interface Backlog {
  /** Deliveries due at `now` that nobody has taken up, counted up to `max`. */
  due: number;
  /** How long the oldest of them has been due; 0 without one. */
  overdueMs: number;
  /** Replays under way, counted up to `max`. */
  replays: number;
}

export function backlogOf(database: Pick<Database, 'find'>, now: Date, max: number): Promise<Backlog> {
  return database.find(async (finder) => {
    const [due, oldest, replays] = await Promise.all([
      countDue(finder, now, max),
      oldestDue(finder, now),
      countReplaying(finder, max),
    ]);
    return { due, overdueMs: oldest === undefined ? 0 : now.getTime() - oldest.getTime(), replays };
  });
}
