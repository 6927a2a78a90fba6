// Owns what becomes of an order when something is said of it: recorded, repeated, replaced, cancelled,
// refunded or refused; which events tell of it, and what it means for the customer's history. Pure.

import { ConflictError, type Fault, InvalidError, type PerennialError } from '../errors.js';
import { newId } from '../ids.js';
import type { OrderFact } from '../lifecycle/facts.js';
import type { DraftEvent } from '../transitions/work.js';
import { factOf, fingerprintOf, type OrderContent, type OrderRow, type SaidRefund } from './order.js';
import { orderPayload } from './payload.js';
import type { StoredRefund } from './table.js';

/** How far ahead of the service's clock a source's clock may be. */
export const PLACED_AHEAD_MAX_MS = 5 * 60_000;

export interface Plan {
  outcome: 'created' | 'unchanged' | 'changed';
  order: OrderRow;
  events: DraftEvent[];
  effects: Effect[];
}

/** What it means for one customer: a fact that is new, or a history that is another. */
export interface Effect {
  customerId: string;
  fact?: OrderFact;
  replay?: boolean;
}

/** POST: a repeat is harmless, another content under the same external id is a conflict. */
export function planRecord(
  existing: OrderRow | undefined,
  content: OrderContent,
  now: Date,
): Plan | PerennialError {
  if (existing === undefined) return created(content, now);
  const said = fingerprintOf(content);
  if (said.equals(existing.fingerprint) || said.equals(fingerprintOf(existing))) return unchanged(existing);
  return new ConflictError('order_already_exists', 'Another order was recorded under this external id.', {
    faults: [{ pointer: '/externalId', detail: 'is taken by an order with other content' }],
    members: { orderId: existing.id },
  });
}

/** PUT: replaces the whole order, unless it is older than what is known. */
export function planReplace(
  existing: OrderRow | undefined,
  content: OrderContent,
  now: Date,
): Plan | PerennialError {
  if (existing === undefined) return created(content, now);
  const { sourceUpdatedAt } = content;
  if (
    sourceUpdatedAt !== null &&
    existing.sourceUpdatedAt !== null &&
    sourceUpdatedAt < existing.sourceUpdatedAt
  ) {
    return unchanged(existing);
  }
  const replaced: OrderRow = {
    ...existing,
    ...content,
    ...derived(content),
    refunds: dated(content.refunds, existing.refunds, now),
    sourceUpdatedAt: sourceUpdatedAt ?? existing.sourceUpdatedAt,
  };
  if (fingerprintOf(replaced).equals(fingerprintOf(existing))) {
    const newer = replaced.sourceUpdatedAt?.getTime() !== existing.sourceUpdatedAt?.getTime();
    return newer ? silently(existing, replaced) : unchanged(existing);
  }
  const plan = changed(existing, replaced, now, 'order.updated');
  const also = (type: string) =>
    plan.events.push({ type, occurredAt: now, data: { order: orderPayload(plan.order) } });
  if (replaced.status === 'cancelled' && existing.status !== 'cancelled') also('order.cancelled');
  if (replaced.refundedMinor > existing.refundedMinor) also('order.refunded');
  return plan;
}

export function planCancel(existing: OrderRow, now: Date): Plan {
  if (existing.status === 'cancelled') return unchanged(existing);
  return changed(existing, { ...existing, status: 'cancelled' }, now, 'order.cancelled');
}

export function planRefund(existing: OrderRow, said: SaidRefund, now: Date): Plan | PerennialError {
  const refund = { ...said, refundedAt: said.refundedAt ?? now.toISOString() };
  const known = existing.refunds.find(({ externalId }) => externalId === refund.externalId);
  if (known !== undefined) {
    if (known.amountMinor === refund.amountMinor) return unchanged(existing);
    return new ConflictError('refund_already_exists', 'Another refund was recorded under this external id.', {
      faults: [{ pointer: '/externalId', detail: 'is taken by a refund of another amount' }],
    });
  }
  const remainingMinor = existing.amountMinor - existing.refundedMinor;
  if (refund.amountMinor > remainingMinor) {
    return new ConflictError('refund_exceeds_amount', 'The refunds of an order cannot exceed its amount.', {
      faults: [{ pointer: '/amountMinor', detail: `at most ${remainingMinor} remains to be refunded` }],
      members: { remainingMinor },
    });
  }
  const refunds = [...existing.refunds, refund];
  const refunded = { ...existing, refunds, refundedMinor: existing.refundedMinor + refund.amountMinor };
  return changed(existing, refunded, now, 'order.refunded');
}

/** What is wrong with an order whatever is known of it already; undefined for a sound one. */
export function refusalOf(content: Omit<OrderContent, 'customerId'>, now: Date): InvalidError | undefined {
  const fault = faultOf(content, now);
  return fault && new InvalidError('invalid_order', `${fault.pointer} ${fault.detail}.`, { faults: [fault] });
}

function faultOf(content: Omit<OrderContent, 'customerId'>, now: Date): Fault | undefined {
  if (content.placedAt.getTime() > now.getTime() + PLACED_AHEAD_MAX_MS) {
    return { pointer: '/placedAt', detail: 'lies more than 5 minutes in the future' };
  }
  const ids = new Set<string>();
  let refundedMinor = 0;
  for (const [index, refund] of content.refunds.entries()) {
    if (ids.has(refund.externalId)) {
      return {
        pointer: `/refunds/${index}/externalId`,
        detail: 'is the external id of another refund above',
      };
    }
    ids.add(refund.externalId);
    refundedMinor += refund.amountMinor;
    if (refundedMinor > content.amountMinor) {
      return {
        pointer: `/refunds/${index}/amountMinor`,
        detail: "the refunds' sum exceeds the order's amount",
      };
    }
  }
  return undefined;
}

function derived(content: OrderContent): Pick<OrderRow, 'refundedMinor' | 'categories'> {
  const categories = new Set(
    content.lines.flatMap(({ category }) => (category === undefined ? [] : [category])),
  );
  const refundedMinor = content.refunds.reduce((sum, refund) => sum + refund.amountMinor, 0);
  return { refundedMinor, categories: [...categories].sort() };
}

function created(content: OrderContent, now: Date): Plan {
  const order: OrderRow = {
    ...content,
    ...derived(content),
    refunds: dated(content.refunds, [], now),
    id: newId(),
    fingerprint: fingerprintOf(content),
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  const fact = factOf(order);
  return {
    outcome: 'created',
    order,
    events: [{ type: 'order.recorded', occurredAt: order.placedAt, data: { order: orderPayload(order) } }],
    effects: [{ customerId: order.customerId, ...(fact === undefined ? {} : { fact }) }],
  };
}

/** A refund that is said without a time keeps the one it has, so that saying it again changes nothing. */
function dated(said: readonly SaidRefund[], known: readonly StoredRefund[], now: Date): StoredRefund[] {
  return said.map((refund) => {
    const before = known.find(({ externalId }) => externalId === refund.externalId);
    return { ...refund, refundedAt: refund.refundedAt ?? before?.refundedAt ?? now.toISOString() };
  });
}

function unchanged(order: OrderRow): Plan {
  return { outcome: 'unchanged', order, events: [], effects: [] };
}

/** The source has touched the order without changing it: its time is kept, so that an older PUT is known. */
function silently(existing: OrderRow, replaced: OrderRow): Plan {
  return {
    outcome: 'changed',
    order: { ...existing, sourceUpdatedAt: replaced.sourceUpdatedAt },
    events: [],
    effects: [],
  };
}

function changed(existing: OrderRow, next: OrderRow, now: Date, type: string): Plan {
  const order = { ...next, version: existing.version + 1, updatedAt: now };
  const data = { order: orderPayload(order) };
  const previous = { order: orderPayload(existing) };
  return {
    outcome: 'changed',
    order,
    events: [{ type, occurredAt: now, data, previous }],
    effects: effectsOf(existing, order),
  };
}

/** Whose history is another now. A fact that only begins to count need not replay what came before it. */
function effectsOf(existing: OrderRow, order: OrderRow): Effect[] {
  const before = factOf(existing);
  const after = factOf(order);
  if (existing.customerId !== order.customerId) {
    return [
      { customerId: existing.customerId, replay: before !== undefined },
      { customerId: order.customerId, ...(after === undefined ? {} : { fact: after }) },
    ];
  }
  if (before === undefined)
    return [{ customerId: order.customerId, ...(after === undefined ? {} : { fact: after }) }];
  return [{ customerId: order.customerId, replay: !sameFact(before, after) }];
}

function sameFact(a: OrderFact, b: OrderFact | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
