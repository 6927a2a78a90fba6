// Owns an order as events and the API show it. Pure.

import type { OrderRow } from './order.js';

export function orderPayload(order: OrderRow) {
  return {
    id: order.id,
    customerId: order.customerId,
    externalId:
      order.namespace === null || order.externalId === null
        ? null
        : { namespace: order.namespace, id: order.externalId },
    status: order.status,
    placedAt: order.placedAt.toISOString(),
    amountMinor: order.amountMinor,
    refundedMinor: order.refundedMinor,
    currency: order.currency,
    lines: order.lines,
    refunds: order.refunds,
    version: order.version,
  };
}
