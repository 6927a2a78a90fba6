import { sql } from 'drizzle-orm';
import { foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId } from '../db/columns.js';
import { tenants } from '../tenants/table.js';
import { CUSTOMER_KINDS, type ExternalId } from './kinds.js';

/** Who a customer is. Where they stand is in `customer_lifecycles`, which changes far more often. */
export const customers = pgTable(
  'customers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    kind: text('kind', { enum: CUSTOMER_KINDS }).notNull(),
    name: text('name'),
    email: text('email'),
    phone: text('phone'),
    country: text('country'),
    channel: text('channel'),
    owner: text('owner'),
    /** A copy of the rows in `customer_tags`, for the same reason as `external_ids`. */
    tags: text('tags').array().notNull().default(sql`'{}'::text[]`),
    attributes: jsonb('attributes').$type<Record<string, unknown>>().notNull(),
    /** A copy of the identities, so that a snapshot of a customer needs no second table. */
    externalIds: jsonb('external_ids').$type<ExternalId[]>().notNull(),
    version: integer('version').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    /** Set on what is left of one who was merged: whose they are now. Such a row has no lifecycle. */
    mergedInto: uuid('merged_into'),
    /** Since when nothing here tells who they are. */
    erasedAt: instant('erased_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('customers_changed_idx').on(table.tenantId, table.updatedAt, table.id),
    index('customers_merged_idx').on(table.tenantId, table.mergedInto).where(sql`merged_into is not null`),
    index('customers_created_idx').on(table.tenantId, table.createdAt, table.id),
    index('customers_owner_idx').on(table.tenantId, table.owner, table.createdAt, table.id),
    index('customers_channel_idx').on(table.tenantId, table.channel, table.createdAt, table.id),
  ],
);

/** What a customer is known by, unique by namespace; `email` and `phone` are namespaces of normal forms. */
export const customerIdentities = pgTable(
  'customer_identities',
  {
    tenantId: tenantId(),
    namespace: text('namespace').notNull(),
    value: text('value').notNull(),
    customerId: uuid('customer_id').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.namespace, table.value] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('customer_identities_customer_idx').on(table.tenantId, table.customerId),
  ],
);

/**
 * Who has a tag, in the order of a list: an index of an array cannot give that order, and under row-level
 * security none of its kind is used at all, its operators not being leakproof.
 */
export const customerTags = pgTable(
  'customer_tags',
  {
    tenantId: tenantId(),
    tag: text('tag').notNull(),
    /** The customer's own, which never changes. */
    createdAt: instant('created_at').notNull(),
    customerId: uuid('customer_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.tag, table.createdAt, table.customerId] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('customer_tags_customer_idx').on(table.tenantId, table.customerId),
  ],
);

/**
 * Every value that the country, the channel, the owner, a tag (`tag:<tag>`, true or false) or an attribute
 * (`attributes.<key>`) ever had, and when: facts for dated rules.
 */
export const customerAttributeFacts = pgTable(
  'customer_attribute_facts',
  {
    tenantId: tenantId(),
    customerId: uuid('customer_id').notNull(),
    id: uuid('id').notNull(),
    field: text('field').notNull(),
    value: jsonb('value'),
    effectiveAt: instant('effective_at').notNull(),
    recordedAt: instant('recorded_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.customerId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('customer_attribute_facts_history_idx').on(
      table.tenantId,
      table.customerId,
      table.effectiveAt,
      table.id,
    ),
  ],
);
