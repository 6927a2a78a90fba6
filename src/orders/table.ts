import { sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { customers } from '../customers/table.js';
import { amountMinor, bytes, currency, instant, tenantId } from '../db/columns.js';

export const ORDER_STATUSES = ['pending', 'placed', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export interface StoredLine {
  product: string;
  name?: string;
  category?: string;
  quantity: number;
  unitPriceMinor: number;
}

export interface StoredRefund {
  externalId: string;
  amountMinor: number;
  refundedAt: string;
  reason?: string;
}

/**
 * A purchase with its lines and refunds. Both are read and replaced only as a whole, with their order and
 * under its lock, so they live in its row: a batch writes one row an order instead of one a line.
 */
export const orders = pgTable(
  'orders',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    customerId: uuid('customer_id').notNull(),
    namespace: text('namespace'),
    externalId: text('external_id'),
    status: text('status', { enum: ORDER_STATUSES }).notNull(),
    placedAt: instant('placed_at').notNull(),
    amountMinor: amountMinor('amount_minor').notNull(),
    refundedMinor: amountMinor('refunded_minor').notNull(),
    currency: currency('currency').notNull(),
    categories: text('categories').array().notNull(),
    lines: json('lines').$type<StoredLine[]>().notNull(),
    refunds: json('refunds').$type<StoredRefund[]>().notNull(),
    /** SHA-256 of what was sent, by which a repeat is told from a conflict. */
    fingerprint: bytes('fingerprint').notNull(),
    sourceUpdatedAt: instant('source_updated_at'),
    version: integer('version').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }),
    uniqueIndex('orders_external_key').on(table.tenantId, table.namespace, table.externalId),
    index('orders_customer_idx').on(table.tenantId, table.customerId, table.placedAt, table.id),
    index('orders_placed_idx').on(table.tenantId, table.placedAt, table.id),
    check('orders_refunded_within', sql`refunded_minor between 0 and amount_minor`),
  ],
);
