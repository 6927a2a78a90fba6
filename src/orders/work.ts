// Owns what a transaction of orders is about to do, gathered over its items: the rows, and one advancement for
// each customer. Does not own what becomes of an order (plan.ts).

import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import type { OrderFact } from '../lifecycle/facts.js';
import type { TransitionsService } from '../transitions/service.js';
import type { Advancement, DraftEvent, LockedCustomer } from '../transitions/work.js';
import type { OrderRow } from './order.js';
import type { Plan } from './plan.js';
import { writeOrders } from './store.js';

export class Work {
  readonly #orders = new Map<string, OrderRow>();
  /** Whether any of them was known before. */
  #changes = false;
  readonly #held = new Map<string, LockedCustomer>();
  readonly #advancements = new Map<string, Advancement & { orders: OrderFact[]; events: DraftEvent[] }>();

  constructor(admitted: Advancement[]) {
    for (const advancement of admitted) {
      const { snapshot } = advancement.customer;
      this.#held.set(snapshot.id, advancement.customer);
      this.#advancements.set(snapshot.id, { orders: [], events: [], ...advancement });
    }
  }

  hold(customer: LockedCustomer): void {
    if (!this.#held.has(customer.snapshot.id)) this.#held.set(customer.snapshot.id, customer);
  }

  held(customerId: string): LockedCustomer | undefined {
    return this.#held.get(customerId);
  }

  /** The customers of these orders that are not locked yet, in the order in which locks are taken. */
  unheld(orders: readonly OrderRow[]): string[] {
    const ids = new Set(orders.map(({ customerId }) => customerId));
    return [...ids].filter((id) => !this.#held.has(id)).sort();
  }

  take({ outcome, order, events, effects }: Plan): void {
    if (outcome === 'unchanged') return;
    this.#changes ||= outcome === 'changed' && !this.#orders.has(order.id);
    this.#orders.set(order.id, order);
    for (const { customerId, fact, replay } of effects) {
      const advancement = this.#advancementOf(customerId);
      if (fact !== undefined) advancement.orders.push(fact);
      if (replay === true) advancement.replay = true;
    }
    if (events.length > 0) this.#advancementOf(order.customerId).events.push(...events);
  }

  async write(
    tx: Transaction,
    context: Context,
    transitions: Pick<TransitionsService, 'advanceCustomers'>,
    deliver: boolean,
  ): Promise<void> {
    const { tenantId } = context;
    const advancements = [...this.#advancements.values()];
    await Promise.all([
      this.#orders.size > 0
        ? writeOrders(tx, tenantId, { orders: [...this.#orders.values()], areNew: !this.#changes })
        : undefined,
      advancements.length > 0
        ? transitions.advanceCustomers(tx, context, advancements, { mode: 'write', deliver })
        : undefined,
    ]);
  }

  #advancementOf(customerId: string): Advancement & { orders: OrderFact[]; events: DraftEvent[] } {
    const known = this.#advancements.get(customerId);
    if (known !== undefined) return known;
    const customer = this.#held.get(customerId);
    if (customer === undefined) throw new Error('an order changed without its customer being locked');
    const advancement = { customer, orders: [], events: [] };
    this.#advancements.set(customerId, advancement);
    return advancement;
  }
}
