// Owns recording and replacing orders, one or many, in their order, whatever is known of them already. Does not
// own the transaction (service.ts) nor what becomes of an order (plan.ts).

import { versionMismatch } from '../api/etag.js';
import type { Context } from '../context.js';
import type { CustomerInput } from '../customers/schemas.js';
import type { CustomerMention, CustomersService } from '../customers/service.js';
import type { Transaction } from '../db/executor.js';
import { NotFoundError, PerennialError } from '../errors.js';
import { customerErased, pointedAt } from '../transitions/absence.js';
import type { TransitionsService } from '../transitions/service.js';
import type { OrderContent, OrderRow } from './order.js';
import { type Plan, planRecord, planReplace, refusalOf } from './plan.js';
import { findByExternalIds } from './store.js';
import { Work } from './work.js';

/** One order as it was sent; the customer is still a name. */
export interface OrderInput extends Omit<OrderContent, 'customerId'> {
  customer: { ref: string } | { inline: CustomerInput };
}

export interface Recorded {
  order: OrderRow;
  outcome: Plan['outcome'];
}

export type Saved = Recorded | PerennialError;

/** The version that the caller has seen; null for any that exists, undefined where it does not matter. */
export type Expected = number | null | undefined;

export interface SaveOptions {
  how: 'record' | 'replace';
  /** Everything enters the feed, nothing is delivered. */
  backfill: boolean;
  expected?: Expected;
}

export interface SaveDeps {
  customers: Pick<CustomersService, 'resolveOrAdmit'>;
  transitions: Pick<TransitionsService, 'lock' | 'advanceCustomers'>;
}

export interface Save {
  inputs: readonly OrderInput[];
  options: SaveOptions;
  /** By place: items that were refused before, which take no part. Grows as items are refused. */
  refusals: Map<number, PerennialError>;
  /** By place: the customers of orders that their items say nothing new of. Grows likewise. */
  repeated: Map<number, string>;
}

/**
 * Items that change nothing have changed the customers that they brought along: all of it is undone, and done
 * again without that.
 */
export class FoundLate extends Error {}

/** Refuses what is wrong whatever is known; for before the transaction. */
export function refuseUnsound(inputs: readonly OrderInput[], now: Date): Map<number, PerennialError> {
  const refusals = new Map<number, PerennialError>();
  for (const [place, input] of inputs.entries()) {
    const refusal = refusalOf(input, now);
    if (refusal !== undefined) refusals.set(place, refusal);
  }
  return refusals;
}

/** Throws FoundLate where `save.refusals` or `save.repeated` has grown and the work must be done again. */
export async function saveIn(
  deps: SaveDeps,
  tx: Transaction,
  context: Context,
  save: Save,
): Promise<Saved[]> {
  const { inputs, options, refusals, repeated } = save;
  const { customers, admitted, known, work } = await gather(deps, tx, context, save);
  const book = new Map(known.map((order) => [keyOf(order), order]));
  const old = new Set(known.map(({ id }) => id));
  const plan = options.how === 'record' ? planRecord : planReplace;
  let mustUndo = false;
  const results = inputs.map((input, place): Saved => {
    const customer = customers.get(place);
    const refusal = refusals.get(place) ?? (customer instanceof PerennialError ? customer : undefined);
    if (refusal !== undefined) return refusal;
    if (customer === undefined || customer instanceof PerennialError) return unknownCustomer();
    const { customer: mention, ...said } = input;
    const existing = book.get(keyOf(input));
    const planned = !isExpected(existing, options.expected)
      ? versionMismatch()
      : (refusalOfErased(work, existing) ??
        plan(existing, { ...said, customerId: customer.snapshot.id }, context.now));
    if (planned instanceof PerennialError) {
      // A refused item changes nothing, and so not the customer that it brought along either.
      mustUndo ||= 'inline' in mention;
      refusals.set(place, planned);
      return planned;
    }
    if (planned.outcome === 'unchanged' && 'inline' in mention && !repeated.has(place)) {
      // Nor does a repeat: what it says of the customer may have been changed since it was first sent.
      if (old.has(planned.order.id) && admitted.has(customer.snapshot.id)) {
        mustUndo = true;
        repeated.set(place, planned.order.customerId);
      }
    }
    if (input.externalId !== null) book.set(keyOf(planned.order), planned.order);
    work.take(planned);
    return { order: planned.order, outcome: planned.outcome };
  });
  if (mustUndo) throw new FoundLate();
  await work.write(tx, context, deps.transitions, !options.backfill);
  return results;
}

/**
 * What is kept of one whose data was erased stays as it is: were their order taken again, it would bring whoever
 * sends it back to be a customer anew.
 */
function refusalOfErased(work: Work, existing: OrderRow | undefined): PerennialError | undefined {
  const holder = existing === undefined ? undefined : work.held(existing.customerId);
  if (holder === undefined || holder.snapshot.erasedAt === null) return undefined;
  return pointedAt('/externalId', customerErased(holder.snapshot.id));
}

/** Locks everybody whom the items are about and reads what is known, in that order. */
async function gather(deps: SaveDeps, tx: Transaction, context: Context, save: Save) {
  const { tenantId } = context;
  const { inputs } = save;
  const mentions = mentionsOf(save);
  const keys = inputs.flatMap(({ namespace, externalId }) =>
    namespace === null || externalId === null ? [] : [{ namespace, id: externalId }],
  );
  const read = () => (keys.length === 0 ? [] : findByExternalIds(tx, tenantId, keys));
  // Orders must be read after their customers are locked. Customers that are only named take one statement,
  // so the reading can travel behind it; inline ones may take several.
  const resolving = deps.customers.resolveOrAdmit(tx, context, mentions);
  if (mentions.some((mention) => 'inline' in mention)) await resolving;
  const [{ customers, admitted }, first] = await Promise.all([resolving, read()]);
  const work = new Work(admitted);
  for (const customer of customers.values()) if (!(customer instanceof PerennialError)) work.hold(customer);
  let known = first;
  // An order may have been another customer's: that history changes too, so it is locked, and what was read
  // before the lock is read again.
  for (let others = work.unheld(known); others.length > 0; others = work.unheld(known)) {
    const [locked, again] = await Promise.all([
      deps.transitions.lock(tx, tenantId, others.map(byId)),
      read(),
    ]);
    for (const customer of locked) if (customer !== undefined) work.hold(customer);
    // Who has been merged meanwhile has left their orders to another. An order cannot outlive its customer; were
    // one to, waiting for the lock would never end.
    if (again.some(({ customerId }) => others.includes(customerId) && work.held(customerId) === undefined))
      throw new Error('an order names a customer that does not exist');
    known = again;
  }
  const changed = new Set(admitted.map(({ customer }) => customer.snapshot.id));
  return { customers, admitted: changed, known, work };
}

function mentionsOf({ inputs, refusals, repeated }: Save): CustomerMention[] {
  return inputs.flatMap(({ customer }, index) => {
    if (refusals.has(index)) return [];
    const ref = repeated.get(index);
    return [{ index, ...(ref === undefined ? customer : { ref }) }];
  });
}

const byId = (id: string) => ({ kind: 'id', id }) as const;

export function isExpected(order: OrderRow | undefined, expected: Expected): boolean {
  if (expected === undefined) return true;
  return order !== undefined && (expected === null || order.version === expected);
}

function keyOf({ namespace, externalId }: { namespace: string | null; externalId: string | null }): string {
  return `${namespace}:${externalId}`;
}

export function unknownCustomer(): NotFoundError {
  return new NotFoundError('customer_not_found', 'There is no such customer.', {
    faults: [{ pointer: '/customer', detail: 'names no known customer' }],
  });
}
