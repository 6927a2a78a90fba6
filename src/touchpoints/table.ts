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
import { bytes, instant, tenantId } from '../db/columns.js';
import { SATISFACTION_SCALES } from '../lifecycle/facts.js';

export const TOUCHPOINT_DIRECTIONS = ['inbound', 'outbound'] as const;
export const TOUCHPOINT_KINDS = [
  'call',
  'visit',
  'message',
  'email',
  'chat',
  'complaint',
  'survey_answer',
  'care',
  'return_visit',
] as const;

/** One interaction with a customer; appended, never changed. */
export const touchpoints = pgTable(
  'touchpoints',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    customerId: uuid('customer_id').notNull(),
    namespace: text('namespace'),
    externalId: text('external_id'),
    channel: text('channel').notNull(),
    direction: text('direction', { enum: TOUCHPOINT_DIRECTIONS }).notNull(),
    kind: text('kind', { enum: TOUCHPOINT_KINDS }).notNull(),
    outcome: text('outcome'),
    actor: text('actor'),
    note: text('note'),
    /** Both or neither; of answers to surveys only. */
    satisfactionScale: text('satisfaction_scale', { enum: SATISFACTION_SCALES }),
    satisfactionScore: smallint('satisfaction_score'),
    occurredAt: instant('occurred_at').notNull(),
    fingerprint: bytes('fingerprint').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }),
    uniqueIndex('touchpoints_external_key').on(table.tenantId, table.namespace, table.externalId),
    index('touchpoints_customer_idx').on(table.tenantId, table.customerId, table.occurredAt, table.id),
    index('touchpoints_occurred_idx').on(table.tenantId, table.occurredAt, table.id),
  ],
);
