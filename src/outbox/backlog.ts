// Owns saying how much is waiting to be delivered, across tenants.

import type { Database } from '../db/database.js';
import { countDue } from './queue-store.js';

/** Deliveries due at `now` that nobody has taken up, counted up to `max`. */
export function dueDeliveries(database: Pick<Database, 'find'>, now: Date, max: number): Promise<number> {
  return database.find((finder) => countDue(finder, now, max));
}
