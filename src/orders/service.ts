// Owns the use cases of orders: record, replace, cancel, refund, one or many, in any order of arrival. Does
// not own stages: what an order means for its customer is handed to transitions.

import { versionMismatch } from '../api/etag.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { NotFoundError, PerennialError } from '../errors.js';
import { refuseMerged } from '../transitions/absence.js';
import type { TransitionsService } from '../transitions/service.js';
import type { LockedCustomer } from '../transitions/work.js';
import { nameless, type OrderRow, type SaidRefund } from './order.js';
import { type Plan, planCancel, planRefund } from './plan.js';
import {
  type Expected,
  FoundLate,
  isExpected,
  type OrderInput,
  type Recorded,
  refuseUnsound,
  type SaveDeps,
  type Saved,
  type SaveOptions,
  saveIn,
  unknownCustomer,
} from './saving.js';
import {
  eraseReasons,
  findByExternalIds,
  findById,
  listOrders,
  type OrderFilter,
  type OrderPage,
} from './store.js';
import { Work } from './work.js';

export type { OrderInput, Recorded, Saved } from './saving.js';

export type OrderRef = { kind: 'id'; id: string } | { kind: 'external'; namespace: string; id: string };
export type OrderListFilter = Omit<OrderFilter, 'customerId'> & { customer?: OrderRef };

export interface OrderTarget {
  ref: OrderRef;
  expected: Expected;
}

export interface OrdersService {
  /** Records or replaces many, in their order; each comes to an order or to its own refusal. */
  save(context: Context, inputs: readonly OrderInput[], options: SaveOptions): Promise<Saved[]>;
  cancel(context: Context, target: OrderTarget): Promise<Recorded>;
  refund(context: Context, target: OrderTarget, refund: SaidRefund): Promise<Recorded>;
  get(context: Context, ref: OrderRef): Promise<OrderRow>;
  list(context: Context, filter: OrderListFilter, page: OrderPage): Promise<OrderRow[]>;
  /** Takes what is personal out of a customer's orders; the customer is locked. */
  erase(tx: Transaction, tenantId: string, customerId: string, now: Date): Promise<void>;
}

export interface OrdersDeps extends SaveDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'lock' | 'find' | 'advanceCustomers'>;
}

export function createOrdersService(deps: OrdersDeps): OrdersService {
  const { database } = deps;
  const change = (context: Context, target: OrderTarget, plan: Change['plan']) =>
    database.write(context, (tx) => changeIn(deps, tx, context, { ...target, plan }));
  return {
    save: (context, inputs, options) => save(deps, context, inputs, options),
    cancel: (context, target) => change(context, target, (order) => planCancel(order, context.now)),
    refund: (context, target, refund) =>
      // Money must be right for whomever it is; why it went back may say who they were.
      change(context, target, (order, { snapshot }) =>
        planRefund(order, snapshot.erasedAt === null ? refund : nameless(refund), context.now),
      ),
    erase: eraseReasons,
    get: (context, ref) =>
      database.read(context.tenantId, (executor) => getOrder(executor, context.tenantId, ref)),
    list: (context, { customer, ...filter }, page) =>
      database.read(context.tenantId, async (executor) => {
        const { tenantId } = context;
        if (customer === undefined) return listOrders(executor, tenantId, filter, page);
        const [found] = await deps.transitions.find(executor, tenantId, [customer]);
        if (found === undefined) {
          await refuseMerged(executor, tenantId, customer);
          // An unknown customer, like one without orders, has an empty list: a filter is not an address.
          return [];
        }
        return listOrders(executor, tenantId, { ...filter, customerId: found.snapshot.id }, page);
      }),
  };
}

/** Each round sets an item aside, so there is an end to them; almost always there is one round. */
async function save(
  deps: OrdersDeps,
  context: Context,
  inputs: readonly OrderInput[],
  options: SaveOptions,
): Promise<Saved[]> {
  const refusals = refuseUnsound(inputs, context.now);
  const repeated = new Map<number, string>();
  for (;;) {
    try {
      return await deps.database.write(context, (tx) =>
        saveIn(deps, tx, context, { inputs, options, refusals, repeated }),
      );
    } catch (error) {
      if (!(error instanceof FoundLate)) throw error;
    }
  }
}

interface Change extends OrderTarget {
  plan: (order: OrderRow, customer: LockedCustomer) => Plan | PerennialError;
}

/** Changes one order under its customer's lock; the order is read again once the lock is held. */
async function changeIn(
  deps: OrdersDeps,
  tx: Transaction,
  context: Context,
  { ref, expected, plan }: Change,
) {
  const { tenantId } = context;
  let order = await getOrder(tx, tenantId, ref);
  for (;;) {
    const { customerId } = order;
    const [[customer], fresh] = await Promise.all([
      deps.transitions.lock(tx, tenantId, [{ kind: 'id', id: customerId }]),
      getOrder(tx, tenantId, ref),
    ]);
    order = fresh;
    // Somebody has given the order to another customer in the meantime.
    if (order.customerId !== customerId) continue;
    if (customer === undefined) throw unknownCustomer();
    if (!isExpected(order, expected)) throw versionMismatch();
    const planned = plan(order, customer);
    if (planned instanceof PerennialError) throw planned;
    const work = new Work([]);
    work.hold(customer);
    work.take(planned);
    await work.write(tx, context, deps.transitions, true);
    return { order: planned.order, outcome: planned.outcome };
  }
}

async function getOrder(executor: Executor, tenantId: string, ref: OrderRef): Promise<OrderRow> {
  const order =
    ref.kind === 'id'
      ? await findById(executor, tenantId, ref.id)
      : (await findByExternalIds(executor, tenantId, [{ namespace: ref.namespace, id: ref.id }]))[0];
  if (order === undefined) throw new NotFoundError('order_not_found', 'There is no such order.');
  return order;
}
