// Owns what an order is: as it is stored, as it is said, the fact that it is while it counts, and the print by
// which a repeat is told from a conflict. Pure. Does not own what becomes of one (plan.ts).

import { createHash } from 'node:crypto';
import type { OrderFact } from '../lifecycle/facts.js';
import type { OrderStatus, StoredLine, StoredRefund } from './table.js';

/** A refund as it was said: without a time it is as of when it is recorded. */
export type SaidRefund = Omit<StoredRefund, 'refundedAt'> & { refundedAt?: string };

/** The same refund without what a person has written. */
export function nameless({ reason: _, ...refund }: SaidRefund): SaidRefund {
  return refund;
}

/** What was said of an order, with its customer resolved and its times read. */
export interface OrderContent {
  customerId: string;
  namespace: string | null;
  externalId: string | null;
  status: OrderStatus;
  placedAt: Date;
  amountMinor: number;
  currency: string;
  lines: StoredLine[];
  refunds: SaidRefund[];
  sourceUpdatedAt: Date | null;
}

/** An order as it is stored. */
export interface OrderRow extends OrderContent {
  id: string;
  refundedMinor: number;
  categories: string[];
  refunds: StoredRefund[];
  fingerprint: Buffer;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** The fact that an order is while it counts; undefined while it is pending, cancelled or wholly refunded. */
export function factOf(order: OrderRow): OrderFact | undefined {
  const whollyRefunded = order.amountMinor > 0 && order.refundedMinor === order.amountMinor;
  if (order.status !== 'placed' || whollyRefunded) return undefined;
  return {
    id: order.id,
    at: order.placedAt.getTime(),
    categories: order.categories,
    currency: order.currency,
    amountMinor: order.amountMinor - order.refundedMinor,
  };
}

/** SHA-256 of what an order says, in one spelling, whatever way its customer was named. */
export function fingerprintOf(content: OrderContent): Buffer {
  const { customerId, status, placedAt, amountMinor, currency, lines, refunds } = content;
  const spelled = JSON.stringify([
    customerId,
    status,
    placedAt.getTime(),
    amountMinor,
    currency,
    lines.map((line) => [line.product, line.name, line.category, line.quantity, line.unitPriceMinor]),
    refunds.map((refund) => [
      refund.externalId,
      refund.amountMinor,
      refund.refundedAt === undefined ? null : Date.parse(refund.refundedAt),
      refund.reason,
    ]),
  ]);
  return createHash('sha256').update(spelled).digest();
}
