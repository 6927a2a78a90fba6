// Owns handing over what was told of a customer: the texts themselves, and to which endpoints they went. Does not
// own taking anything out of them (erasure-service.ts).

import type { Executor } from '../db/executor.js';
import { type EventText, eventsOfCustomer } from './erasure-store.js';
import { countTold, deliveriesOf, type HeldDelivery, type ToldCounts } from './held-store.js';

export interface Told {
  /** The next events of a customer, in the order of their sequence. */
  events(
    executor: Executor,
    tenantId: string,
    page: { customerId: string; after: number; limit: number },
  ): Promise<EventText[]>;
  deliveries(executor: Executor, tenantId: string, eventIds: string[]): Promise<HeldDelivery[]>;
  count(executor: Executor, tenantId: string, customerIds: string[]): Promise<ToldCounts>;
}

export function createTold(): Told {
  return {
    events: (executor, tenantId, page) => eventsOfCustomer(executor, tenantId, { ...page, recorded: null }),
    deliveries: deliveriesOf,
    count: countTold,
  };
}
