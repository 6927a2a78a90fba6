import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { instant, tenantId } from '../db/columns.js';
import { webhookEndpoints } from '../webhooks/table.js';

/** What happened, as it is told: `body` is the very text that is signed and sent. */
export const events = pgTable(
  'events',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    type: text('type').notNull(),
    customerId: uuid('customer_id'),
    /** Per customer, given under the customer's lock: what ordered delivery goes by. */
    sequence: bigint('sequence', { mode: 'number' }),
    occurredAt: instant('occurred_at').notNull(),
    recordedAt: instant('recorded_at').notNull(),
    correctionId: uuid('correction_id'),
    /** False for what a backfill or an intermediate row brought: it is in the feed, but no webhook goes out. */
    deliver: boolean('deliver').notNull(),
    body: text('body').notNull(),
    /** The place in the feed, given in commit order by whoever has it locked (number.ts); null until then. */
    position: bigint('position', { mode: 'number' }),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('events_position_key').on(table.tenantId, table.position).where(sql`position is not null`),
    index('events_unnumbered_idx').on(table.recordedAt, table.tenantId).where(sql`position is null`),
    // For one tenant's: in the other, all that other tenants have waiting would be gone through.
    index('events_waiting_idx').on(table.tenantId, table.recordedAt).where(sql`position is null`),
    index('events_customer_idx').on(table.tenantId, table.customerId, table.sequence),
  ],
);

/** Each tenant's feed: the last position given, whose row lock keeps numbering to one at a time, and its beginning. */
export const feeds = pgTable('feeds', {
  tenantId: tenantId().primaryKey(),
  position: bigint('position', { mode: 'number' }).notNull(),
  /** The feed begins after this position: what was there has been pruned. */
  prunedTo: bigint('pruned_to', { mode: 'number' }).notNull().default(0),
  /** How far the look over what pruning had to leave behind has come, at or below `prunedTo`. */
  sweptTo: bigint('swept_to', { mode: 'number' }).notNull().default(Number.MIN_SAFE_INTEGER),
});

export const DELIVERY_STATUSES = ['pending', 'succeeded', 'exhausted', 'discarded'] as const;

/** One event to one endpoint: a queue row while pending, a record afterwards. */
export const deliveries = pgTable(
  'deliveries',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    eventId: uuid('event_id').notNull(),
    endpointId: uuid('endpoint_id').notNull(),
    status: text('status', { enum: DELIVERY_STATUSES }).notNull(),
    attempts: integer('attempts').notNull(),
    /** When it may be claimed; a claim moves it to the end of its lease. Null once it is done. */
    dueAt: instant('due_at'),
    claimToken: uuid('claim_token'),
    firstAttemptAt: instant('first_attempt_at'),
    createdAt: instant('created_at').notNull(),
    finishedAt: instant('finished_at'),
    /** With `sequence`: set where the endpoint is told in order, and what it goes by. */
    customerId: uuid('customer_id'),
    sequence: bigint('sequence', { mode: 'number' }),
    /** Set on what is sent again: the replay that queued it, or the delivery that it repeats. */
    replayOf: uuid('replay_of'),
    /** The delivery before it in its order that was given up, so that this one could go. */
    afterDeadLetter: uuid('after_dead_letter'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId, table.eventId], foreignColumns: [events.tenantId, events.id] }),
    foreignKey({
      columns: [table.tenantId, table.endpointId],
      foreignColumns: [webhookEndpoints.tenantId, webhookEndpoints.id],
    }).onDelete('cascade'),
    index('deliveries_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
    index('deliveries_event_idx').on(table.tenantId, table.eventId),
    index('deliveries_endpoint_idx').on(table.tenantId, table.endpointId, table.createdAt, table.id),
    index('deliveries_order_idx')
      .on(table.tenantId, table.endpointId, table.customerId, table.sequence, table.id)
      .where(sql`customer_id is not null and finished_at is null`),
    index('deliveries_dead_idx')
      .on(table.tenantId, table.status, table.createdAt, table.id)
      .where(sql`status in ('exhausted', 'discarded')`),
    index('deliveries_waiting_idx')
      .on(table.tenantId, table.endpointId, table.createdAt)
      .where(sql`finished_at is null`),
  ],
);

export const REPLAY_SCOPES = ['all', 'missed', 'failed'] as const;
export const REPLAY_STATUSES = ['running', 'done', 'cancelled'] as const;

/** Events that are sent to one endpoint again: a walk over the feed, or over what could not be delivered. */
export const replays = pgTable(
  'webhook_replays',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    endpointId: uuid('endpoint_id').notNull(),
    scope: text('scope', { enum: REPLAY_SCOPES }).notNull(),
    eventTypes: text('event_types').array().notNull(),
    recordedFrom: instant('recorded_from').notNull(),
    recordedTo: instant('recorded_to').notNull(),
    status: text('status', { enum: REPLAY_STATUSES }).notNull(),
    /** Where the walk has come to: a position in the feed, or a delivery's id; null before its first step. */
    cursor: text('cursor'),
    eventsSeen: integer('events_seen').notNull(),
    deliveriesQueued: integer('deliveries_queued').notNull(),
    /** When the next step may be taken; null once it is over. A step moves it to the end of its lease. */
    dueAt: instant('due_at'),
    claimToken: uuid('claim_token'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.endpointId],
      foreignColumns: [webhookEndpoints.tenantId, webhookEndpoints.id],
    }).onDelete('cascade'),
    index('webhook_replays_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
    index('webhook_replays_endpoint_idx').on(table.tenantId, table.endpointId, table.createdAt, table.id),
  ],
);

/** One try, with what came back. */
export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    tenantId: tenantId(),
    deliveryId: uuid('delivery_id').notNull(),
    number: integer('number').notNull(),
    endpointId: uuid('endpoint_id').notNull(),
    startedAt: instant('started_at').notNull(),
    durationMs: integer('duration_ms').notNull(),
    /** The response's status; null where none came. */
    status: integer('status'),
    error: text('error'),
    responseBody: text('response_body'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.deliveryId, table.number] }),
    foreignKey({
      columns: [table.tenantId, table.deliveryId],
      foreignColumns: [deliveries.tenantId, deliveries.id],
    }).onDelete('cascade'),
    index('delivery_attempts_endpoint_idx').on(
      table.tenantId,
      table.endpointId,
      table.startedAt,
      table.deliveryId,
      table.number,
    ),
  ],
);
