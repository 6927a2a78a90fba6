import {
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { instant, tenantId } from '../db/columns.js';
import { tenants } from '../tenants/table.js';

export const ENDPOINT_STATUSES = ['active', 'paused', 'disabled'] as const;
export const ORDERINGS = ['none', 'per_customer'] as const;

/** A secret that another has taken the place of, and that signs beside it until its end. */
export interface RetiredSecret {
  /** Sealed. */
  secret: string;
  /** ISO text. */
  until: string;
}

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
    disabledAt: instant('disabled_at'),
    /** Sealed: `whsec_…` signs `v1`, `whsk_…` signs `v1a`. */
    secret: text('secret').notNull(),
    retiredSecrets: jsonb('retired_secrets').$type<RetiredSecret[]>().notNull().default([]),
    /** As it was sent, and as the insert of deliveries asks it (a jsonpath predicate). */
    filter: jsonb('filter').$type<object>(),
    filterPath: text('filter_path'),
    ordering: text('ordering', { enum: ORDERINGS }).notNull().default('none'),
    rateLimitPerS: integer('rate_limit_per_s'),
    headers: jsonb('headers').$type<Record<string, string>>().notNull().default({}),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
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

/**
 * What the sending has learnt of an endpoint, shared by all processes and written only when it changes. Apart
 * from the endpoint, whose row the insert of each delivery refers to.
 */
export const endpointHealth = pgTable(
  'webhook_endpoint_health',
  {
    tenantId: tenantId(),
    endpointId: uuid('endpoint_id').notNull(),
    /** Failures since the last success. */
    failures: integer('failures').notNull(),
    failingSince: instant('failing_since'),
    /** Times that the breaker has opened since the last success, and until when it is open. */
    openings: integer('openings').notNull(),
    openUntil: instant('open_until'),
    /** When the next request may start under the endpoint's rate limit, in epoch milliseconds of the database. */
    nextSlotMs: doublePrecision('next_slot_ms'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.endpointId] }),
    foreignKey({
      columns: [table.tenantId, table.endpointId],
      foreignColumns: [webhookEndpoints.tenantId, webhookEndpoints.id],
    }).onDelete('cascade'),
  ],
);
