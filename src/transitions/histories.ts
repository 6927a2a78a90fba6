// Owns reading what the ledger of some customers is a function of, for those who ask "what if": backtests,
// shadows, previews. Locks nothing and writes nothing. Does not own the deciding (lifecycle/replay.ts).

import type { Executor } from '../db/executor.js';
import type { History } from '../lifecycle/replay.js';
import type { Timeline } from '../lifecycle/timeline.js';
import { loadHistories, loadTimeline, newestVersions, type Versions } from './history-store.js';
import { fromDbCustomer } from './rows.js';
import { listNext } from './store.js';
import type { LedgerRow, LockedCustomer } from './work.js';

/** A customer as they stand, and the facts that their ledger is made of. */
export interface CustomerHistory {
  customer: LockedCustomer;
  history: History;
  /** The ledger in force as it is recorded, oldest first. */
  inForce: readonly LedgerRow[];
}

export interface HistoryReading {
  /** The next customers in the order of their ids; fewer than `limit` at the end. */
  next(
    executor: Executor,
    tenantId: string,
    page: { after: string | null; limit: number },
  ): Promise<CustomerHistory[]>;
  /** Of these customers, who were found or locked by the caller. */
  of(executor: Executor, tenantId: string, customers: readonly LockedCustomer[]): Promise<CustomerHistory[]>;
  /** The tenant's dated versions as they stand, to be compiled with others or as they are. */
  timeline(executor: Executor, tenantId: string): Promise<Timeline>;
  /** The numbers of the newest of them. */
  versions(executor: Executor, tenantId: string): Promise<Versions>;
}

export function createHistoryReading(): HistoryReading {
  async function of(executor: Executor, tenantId: string, customers: readonly LockedCustomer[]) {
    if (customers.length === 0) return [];
    const ids = customers.map(({ snapshot }) => snapshot.id);
    const rows = await loadHistories(executor, tenantId, ids);
    return customers.map((customer): CustomerHistory => {
      const { id, createdAt } = customer.snapshot;
      const orders = rows.orders.get(id) ?? [];
      const touchpoints = rows.touchpoints.get(id) ?? [];
      const moves = rows.moves.get(id) ?? [];
      const changes = rows.changes.get(id) ?? [];
      const history = { createdAt: createdAt.getTime(), orders, touchpoints, moves, changes };
      return { customer, history, inForce: rows.inForce.get(id) ?? [] };
    });
  }
  return {
    of,
    async next(executor, tenantId, { after, limit }) {
      const rows = await listNext(executor, tenantId, after, limit);
      return of(executor, tenantId, rows.map(fromDbCustomer));
    },
    timeline: loadTimeline,
    versions: newestVersions,
  };
}
