// Owns the use cases of orders: record, replace, cancel, refund, one or many, in any order of arrival. Does
// not own stages: what an order means for its customer is handed to transitions.

import { versionMismatch } from '../api/etag.js';
import type { Context } from '../context.js';
import type { CustomerInput } from '../customers/schemas.js';
import type { CustomersService } from '../customers/service.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { NotFoundError, PerennialError } from '../errors.js';
import type { OrderFact } from '../lifecycle/facts.js';
import type { TransitionsService } from '../transitions/service.js';
import type { Advancement, DraftEvent, LockedCustomer } from '../transitions/work.js';
import { type OrderContent, type OrderRow, type Plan, planCancel, planRecord, planRefund, planReplace } from './plan.js';
import { findByExternalIds, findById, insertOrders, listOrders, type OrderFilter, type OrderPage, updateOrders } from './store.js';
import type { StoredRefund } from './table.js';

/** One order as it was sent; the customer is still a name. */
export interface OrderInput extends Omit<OrderContent, 'customerId'> {
  customer: { ref: string } | { inline: CustomerInput };
}

export interface Recorded {
  order: OrderRow;
  outcome: Plan['outcome'];
}

export type OrderRef = { kind: 'id'; id: string } | { kind: 'external'; namespace: string; id: string };

export interface RecordOptions {
  how: 'record' | 'replace';
  /** Everything enters the feed, nothing is delivered. */
  backfill: boolean;
  expected?: Expected;
}

/** The version that the caller has seen; null for any that exists, undefined where it does not matter. */
export type Expected = number | null | undefined;

export interface OrderTarget {
  ref: OrderRef;
  expected: Expected;
}

export interface OrdersService {
  /** Records or replaces many, in their order; each comes to an order or to its own refusal. */
  save(context: Context, inputs: OrderInput[], options: RecordOptions): Promise<(Recorded | PerennialError)[]>;
  cancel(context: Context, target: OrderTarget): Promise<Recorded>;
  refund(context: Context, target: OrderTarget, refund: StoredRefund): Promise<Recorded>;
  get(context: Context, ref: OrderRef): Promise<OrderRow>;
  list(context: Context, filter: OrderListFilter, page: OrderPage): Promise<OrderRow[]>;
}

export type OrderListFilter = Omit<OrderFilter, 'customerId'> & { customer?: OrderRef };

export interface OrdersDeps {
  database: Database;
  customers: Pick<CustomersService, 'resolveOrAdmit'>;
  transitions: Pick<TransitionsService, 'lock' | 'find' | 'advanceCustomers'>;
}

export function createOrdersService({ database, customers, transitions }: OrdersDeps): OrdersService {
  async function saveIn(tx: Transaction, context: Context, inputs: OrderInput[], options: RecordOptions) {
    const { tenantId, now } = context;
    const named = inputs.map(({ customer }, index) => ({ index, ...customer, pointer: '/customer' }));
    const keys = inputs.flatMap(({ namespace, externalId }) =>
      namespace === null || externalId === null ? [] : [{ namespace, id: externalId }],
    );
    // Orders must be read after their customers are locked. Customers that are only named take one statement,
    // so the reading can travel behind it; inline ones may take several.
    const resolving = customers.resolveOrAdmit(tx, context, named);
    if (inputs.some(({ customer }) => 'inline' in customer)) await resolving;
    const [resolved, known] = await Promise.all([
      resolving,
      keys.length === 0 ? [] : findByExternalIds(tx, tenantId, keys),
    ]);
    const work = new Work(resolved.admitted);
    const foreign = await lockOthers(tx, tenantId, known, resolved.customers);
    for (const customer of foreign) work.hold(customer);
    const book = new Map(known.map((order) => [keyOf(order), order]));
    const plan = options.how === 'record' ? planRecord : planReplace;
    const results = inputs.map((input, index): Recorded | PerennialError => {
      const customer = resolved.customers.get(index);
      if (customer === undefined || customer instanceof PerennialError) return customer ?? unknownCustomer();
      work.hold(customer);
      const { customer: _, ...said } = input;
      const existing = book.get(keyOf(input));
      if (!isExpected(existing, options.expected)) return versionMismatch();
      const planned = plan(existing, { ...said, customerId: customer.snapshot.id }, now);
      if (planned instanceof PerennialError) return planned;
      if (input.externalId !== null) book.set(keyOf(planned.order), planned.order);
      work.take(planned);
      return { order: planned.order, outcome: planned.outcome };
    });
    await work.write(tx, context, transitions, !options.backfill);
    return results;
  }

  /** A customer may be another than the order's was: both histories change, so both are locked. */
  async function lockOthers(
    tx: Transaction,
    tenantId: string,
    known: OrderRow[],
    resolved: Map<number, LockedCustomer | PerennialError>,
  ): Promise<LockedCustomer[]> {
    const held = new Set<string>();
    for (const customer of resolved.values()) {
      if (!(customer instanceof PerennialError)) held.add(customer.snapshot.id);
    }
    const others = [...new Set(known.map(({ customerId }) => customerId))].filter((id) => !held.has(id)).sort();
    if (others.length === 0) return [];
    const locked = await transitions.lock(
      tx,
      tenantId,
      others.map((id) => ({ kind: 'id', id })),
    );
    return locked.filter((customer) => customer !== undefined);
  }

  /** Changes one order under its customer's lock; the order is read again once the lock is held. */
  function change(
    context: Context,
    { ref, expected }: OrderTarget,
    plan: (order: OrderRow) => Plan | PerennialError,
  ): Promise<Recorded> {
    return database.write(context, async (tx) => {
      const { tenantId } = context;
      let order = await find(tx, tenantId, ref);
      for (;;) {
        const [[customer], fresh] = await Promise.all([
          transitions.lock(tx, tenantId, [{ kind: 'id', id: order.customerId }]),
          find(tx, tenantId, ref),
        ]);
        const moved = fresh.customerId !== order.customerId;
        order = fresh;
        if (moved) continue;
        if (customer === undefined) throw unknownCustomer();
        if (!isExpected(order, expected)) throw versionMismatch();
        const planned = plan(order);
        if (planned instanceof PerennialError) throw planned;
        const work = new Work([]);
        work.hold(customer);
        work.take(planned);
        await work.write(tx, context, transitions, true);
        return { order: planned.order, outcome: planned.outcome };
      }
    });
  }

  return {
    save: (context, inputs, options) => database.write(context, (tx) => saveIn(tx, context, inputs, options)),
    cancel: (context, target) => change(context, target, (order) => planCancel(order, context.now)),
    refund: (context, target, refund) => change(context, target, (order) => planRefund(order, refund, context.now)),
    get: (context, ref) => database.read(context.tenantId, (executor) => find(executor, context.tenantId, ref)),
    list: (context, { customer, ...filter }, page) =>
      database.read(context.tenantId, async (executor) => {
        const { tenantId } = context;
        if (customer === undefined) return listOrders(executor, tenantId, filter, page);
        const [found] = await transitions.find(executor, tenantId, [customer]);
        // An unknown customer, like one without orders, has an empty list: a filter is not an address.
        return found === undefined
          ? []
          : listOrders(executor, tenantId, { ...filter, customerId: found.snapshot.id }, page);
      }),
  };
}

/** What a transaction is about to do, gathered over its items, one advancement for each customer. */
class Work {
  readonly #inserted = new Map<string, OrderRow>();
  readonly #updated = new Map<string, OrderRow>();
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

  take({ outcome, order, events, effects }: Plan): void {
    if (outcome === 'unchanged') return;
    // An order that this very batch has recorded is still to be inserted, however often it changes.
    if (outcome === 'created' || this.#inserted.has(order.id)) this.#inserted.set(order.id, order);
    else this.#updated.set(order.id, order);
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
      this.#inserted.size > 0 ? insertOrders(tx, tenantId, [...this.#inserted.values()]) : undefined,
      this.#updated.size > 0 ? updateOrders(tx, tenantId, [...this.#updated.values()]) : undefined,
      advancements.length > 0 ? transitions.advanceCustomers(tx, context, advancements, { mode: 'write', deliver }) : undefined,
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

async function find(executor: Parameters<typeof findById>[0], tenantId: string, ref: OrderRef): Promise<OrderRow> {
  const order =
    ref.kind === 'id'
      ? await findById(executor, tenantId, ref.id)
      : (await findByExternalIds(executor, tenantId, [{ namespace: ref.namespace, id: ref.id }]))[0];
  if (order === undefined) throw new NotFoundError('order_not_found', 'There is no such order.');
  return order;
}

function isExpected(order: OrderRow | undefined, expected: Expected): boolean {
  if (expected === undefined) return true;
  return order !== undefined && (expected === null || order.version === expected);
}

function keyOf({ namespace, externalId }: { namespace: string | null; externalId: string | null }): string {
  return `${namespace}:${externalId}`;
}

function unknownCustomer(): NotFoundError {
  const detail = 'names no known customer';
  return new NotFoundError('customer_not_found', 'There is no such customer.', {
    faults: [{ pointer: '/customer', detail }],
  });
}
