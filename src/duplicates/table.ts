import { sql } from 'drizzle-orm';
import {
  foreignKey,
  index,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { customers } from '../customers/table.js';
import { instant, tenantId } from '../db/columns.js';
import { tenants } from '../tenants/table.js';

/** What customers may be the same by: whoever shares a key is compared. Made anew when a profile changes. */
export const duplicateKeys = pgTable(
  'duplicate_keys',
  {
    tenantId: tenantId(),
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    customerId: uuid('customer_id').notNull(),
    /** For keys that tell only together with it. */
    name: text('name'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.kind, table.key, table.customerId] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('duplicate_keys_customer_idx').on(table.tenantId, table.customerId),
  ],
);

/** Two customers who may be one; `first_id` is the lesser. One that was dismissed stays so. */
export const duplicatePairs = pgTable(
  'duplicate_pairs',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    firstId: uuid('first_id').notNull(),
    secondId: uuid('second_id').notNull(),
    reasons: text('reasons').array().notNull(),
    /** From 1 to 100. */
    score: smallint('score').notNull(),
    foundAt: instant('found_at').notNull(),
    dismissedAt: instant('dismissed_at'),
    dismissedBy: text('dismissed_by'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.firstId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    foreignKey({
      columns: [table.tenantId, table.secondId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    uniqueIndex('duplicate_pairs_customers_key').on(table.tenantId, table.firstId, table.secondId),
    index('duplicate_pairs_second_idx').on(table.tenantId, table.secondId),
    index('duplicate_pairs_open_idx')
      .on(table.tenantId, table.score, table.id)
      .where(sql`dismissed_at is null`),
  ],
);

/** How far each tenant's changed customers have been looked at, and when they are next. */
export const duplicateWalks = pgTable(
  'duplicate_walks',
  {
    tenantId: tenantId().primaryKey(),
    changedAt: instant('changed_at').notNull(),
    customerId: uuid('customer_id').notNull(),
    dueAt: instant('due_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('duplicate_walks_due_idx').on(table.dueAt, table.tenantId),
  ],
);
