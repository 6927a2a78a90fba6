import { foreignKey, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId } from '../db/columns.js';
import { tenants } from '../tenants/table.js';

export const ENDPOINT_STATUSES = ['active', 'paused', 'disabled'] as const;

/** Where a partner is told, of what. */
export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    url: text('url').notNull(),
    description: text('description'),
    eventTypes: text('event_types').array().notNull(),
    status: text('status', { enum: ENDPOINT_STATUSES }).notNull(),
    disabledReason: text('disabled_reason'),
    secret: text('secret').notNull(),
    version: integer('version').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('webhook_endpoints_created_idx').on(table.tenantId, table.createdAt, table.id),
  ],
);
