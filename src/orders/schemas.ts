// Owns the API shapes of orders, and the step from a body to what the service takes. Does not own what may
// become of an order (plan.ts).

import Type, { type Static } from 'typebox';
import { backfill, batchItems } from '../api/batch.js';
import { ItemProblem } from '../api/problem.js';
import { CustomerRef, ExternalId, OrderRef } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import {
  AmountMinor,
  batchResult,
  Currency,
  count,
  page,
  pageQuery,
  Timestamp,
  TimestampInput,
  text,
  Uuid,
  Version,
} from '../api/shapes.js';
import { CustomerInput } from '../customers/schemas.js';
import type { OrderRow, SaidRefund } from './order.js';
import { orderPayload } from './payload.js';
import type { OrderInput as Input } from './saving.js';
import { ORDER_STATUSES } from './table.js';

const LINES_MAX = 1_000;
const REFUNDS_MAX = 200;
/** A customer's spend is a sum of these, and has to stay below 2^53. */
export const ORDER_AMOUNT_MAX_MINOR = 10_000_000_000_000;

const amount = (minimum: number, description: string) =>
  Type.Integer({ format: 'int64', minimum, maximum: ORDER_AMOUNT_MAX_MINOR, description });

const refundId = text({
  max: 256,
  description: 'The refund’s id where it comes from; unique within its order.',
});

export const OrderLine = shared(
  'OrderLine',
  closed({
    product: text({ max: 256, description: 'SKU or product id.' }),
    name: Type.Optional(text({ max: 300 })),
    category: Type.Optional(
      text({ max: 100, description: 'Distinct categories are a fact that policies can read.' }),
    ),
    quantity: count({ min: 1, max: 1_000_000 }),
    unitPriceMinor: amount(0, 'The price of one, in minor units of the order’s currency.'),
  }),
);

export const RefundInput = shared(
  'RefundInput',
  closed({
    externalId: refundId,
    amountMinor: amount(1, 'In minor units of the order’s currency.'),
    refundedAt: Type.Optional(ref(TimestampInput, { description: 'Now unless it is said.' })),
    reason: Type.Optional(text({ max: 500 })),
  }),
);
export type RefundInput = Static<typeof RefundInput>;

const content = {
  customer: Type.Union([ref(CustomerRef), ref(CustomerInput)], {
    description: 'A customer by reference, or inline: found by what they are known by, or created.',
  }),
  status: Type.Optional(
    choice(ORDER_STATUSES, { description: '`placed` unless it is said; only that counts.' }),
  ),
  placedAt: ref(TimestampInput, { description: 'At most 5 minutes ahead.' }),
  amountMinor: amount(0, 'What is paid for the whole order, in minor units.'),
  currency: ref(Currency),
  lines: Type.Optional(Type.Array(ref(OrderLine), { maxItems: LINES_MAX })),
  refunds: Type.Optional(Type.Array(ref(RefundInput), { maxItems: REFUNDS_MAX })),
  sourceUpdatedAt: Type.Optional(
    ref(TimestampInput, { description: 'When the source last changed it: an older PUT changes nothing.' }),
  ),
};

export const OrderInput = shared(
  'OrderInput',
  closed({
    externalId: Type.Optional(ref(ExternalId, { description: 'Makes a repeat harmless.' })),
    ...content,
  }),
);
export type OrderInput = Static<typeof OrderInput>;

export const OrderReplacement = shared(
  'OrderReplacement',
  closed(content, { description: 'The whole order: lines and refunds that are not given are none.' }),
);
export type OrderReplacement = Static<typeof OrderReplacement>;

export const Refund = shared(
  'Refund',
  closed({
    externalId: refundId,
    amountMinor: ref(AmountMinor),
    refundedAt: ref(Timestamp),
    reason: Type.Optional(text({ max: 500 })),
  }),
);

export const Order = shared(
  'Order',
  closed({
    id: ref(Uuid),
    customerId: ref(Uuid),
    externalId: nullable(ref(ExternalId)),
    status: choice(ORDER_STATUSES),
    placedAt: ref(Timestamp),
    amountMinor: ref(AmountMinor),
    refundedMinor: ref(AmountMinor),
    currency: ref(Currency),
    lines: Type.Array(ref(OrderLine), { maxItems: LINES_MAX }),
    refunds: Type.Array(ref(Refund), { maxItems: REFUNDS_MAX }),
    sourceUpdatedAt: nullable(ref(Timestamp)),
    version: ref(Version),
    createdAt: ref(Timestamp),
    updatedAt: ref(Timestamp),
  }),
);
export type Order = Static<typeof Order>;

export const OrderPage = shared('OrderPage', page(ref(Order)));

export const OrderBatch = shared(
  'OrderBatch',
  closed({
    items: batchItems(ref(OrderInput), 'Each succeeds or fails for itself.'),
    backfill,
  }),
);

export const OrderBatchResult = shared(
  'OrderBatchResult',
  batchResult(closed({ id: ref(Uuid), customerId: ref(Uuid), version: ref(Version) }), ref(ItemProblem)),
);

export const orderQuery = closed({
  ...pageQuery,
  customer: Type.Optional(ref(CustomerRef)),
  status: Type.Optional(choice(ORDER_STATUSES)),
  placedFrom: Type.Optional(ref(TimestampInput, { description: 'Placed at this instant or later.' })),
  placedTo: Type.Optional(ref(TimestampInput, { description: 'Placed before this instant.' })),
});
export type OrderQuery = Static<typeof orderQuery>;

export const orderPath = closed({ ref: ref(OrderRef) });

export const ORDER_SCHEMAS: Shared[] = [
  OrderLine,
  RefundInput,
  OrderInput,
  OrderReplacement,
  Refund,
  Order,
  OrderPage,
  OrderBatch,
  OrderBatchResult,
];

export function toApiOrder(order: OrderRow): Order {
  return {
    ...orderPayload(order),
    currency: order.currency as Order['currency'],
    sourceUpdatedAt: order.sourceUpdatedAt?.toISOString() ?? null,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
  };
}

/** `named`: the external id, from the body or from the path. */
export function fromApiOrder(
  body: OrderReplacement,
  named: { namespace: string; id: string } | undefined,
): Input {
  return {
    customer: typeof body.customer === 'string' ? { ref: body.customer } : { inline: body.customer },
    namespace: named?.namespace ?? null,
    externalId: named?.id ?? null,
    status: body.status ?? 'placed',
    placedAt: new Date(body.placedAt),
    amountMinor: body.amountMinor,
    currency: body.currency,
    lines: body.lines ?? [],
    refunds: (body.refunds ?? []).map(fromApiRefund),
    sourceUpdatedAt: body.sourceUpdatedAt === undefined ? null : new Date(body.sourceUpdatedAt),
  };
}

export function fromApiRefund({ externalId, amountMinor, refundedAt, reason }: RefundInput): SaidRefund {
  return {
    externalId,
    amountMinor,
    ...(refundedAt === undefined ? {} : { refundedAt: new Date(refundedAt).toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  };
}
