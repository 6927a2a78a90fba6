import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { customers } from '../customers/table.js';
import { instant, tenantId } from '../db/columns.js';
import type { Evidence } from '../lifecycle/decide.js';
import type { CustomerState } from '../lifecycle/replay.js';
import type { TransitionCause } from '../lifecycle/transition.js';
import type { Outlook } from './work.js';

/**
 * Where each customer stands: the fold's own state, and when it is to be looked at again. One row a customer,
 * apart from the profile, because it changes with every order; its row lock is the customer's lock.
 */
export const customerLifecycles = pgTable(
  'customer_lifecycles',
  {
    tenantId: tenantId(),
    customerId: uuid('customer_id').notNull(),
    stage: text('stage').notNull(),
    stageSince: instant('stage_since').notNull(),
    lastOrderAt: instant('last_order_at'),
    state: json('state').$type<CustomerState>().notNull(),
    /** The next instant at which the stage changes if no fact arrives. */
    reviewAt: instant('review_at'),
    /** The earliest recorded fact that still lies ahead (a `placedAt` may be up to 5 minutes early). */
    nextFactAt: instant('next_fact_at'),
    /** What the next review would bring and the customer's cadence, as of the last write; reads serve it. */
    outlook: json('outlook').$type<Outlook>().notNull(),
    /** When a tick is to take the customer up: the earlier of the two above, or later after a failure. */
    dueAt: instant('due_at'),
    failures: integer('failures').notNull(),
    /** The last `sequence` that an event of this customer was given. */
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    version: integer('version').notNull(),
    /** The customer's own, so that a list of one stage is a range of one index, in its order. */
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.customerId] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('customer_lifecycles_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
    index('customer_lifecycles_stage_idx').on(table.tenantId, table.stage, table.createdAt, table.customerId),
  ],
);

/** A person's move: a fact, with its reason and its hold. */
export const manualMoves = pgTable(
  'manual_moves',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    customerId: uuid('customer_id').notNull(),
    toStage: text('to_stage').notNull(),
    reason: text('reason').notNull(),
    actor: text('actor').notNull(),
    holdUntil: instant('hold_until'),
    effectiveAt: instant('effective_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('manual_moves_customer_idx').on(table.tenantId, table.customerId, table.effectiveAt, table.id),
  ],
);

/** The two-clock ledger. A row is never changed but for `superseded_at`; those without it are in force. */
export const transitions = pgTable(
  'transitions',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    customerId: uuid('customer_id').notNull(),
    fromStage: text('from_stage'),
    toStage: text('to_stage').notNull(),
    effectiveAt: instant('effective_at').notNull(),
    recordedAt: instant('recorded_at').notNull(),
    supersededAt: instant('superseded_at'),
    cause: text('cause').$type<TransitionCause>().notNull(),
    causeId: text('cause_id'),
    policyVersion: integer('policy_version').notNull(),
    calibrationVersion: integer('calibration_version').notNull(),
    evidence: json('evidence').$type<Evidence>().notNull(),
    actor: text('actor'),
    reason: text('reason'),
    correctionId: uuid('correction_id'),
    /** The event that told of it; null for rows re-recorded in silence after the first was told. */
    eventId: uuid('event_id'),
    /** Whether that event was one for webhooks: a retraction is delivered where the row was. */
    told: boolean('told').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    /**
     * The last three are for questions about the past, which are then answered from the index alone: counting a
     * million rows as of an instant takes a quarter of the time that it takes by way of the rows.
     */
    index('transitions_customer_idx').on(
      table.tenantId,
      table.customerId,
      table.effectiveAt,
      table.id,
      table.recordedAt,
      table.supersededAt,
      table.toStage,
    ),
    index('transitions_feed_idx')
      .on(table.tenantId, table.effectiveAt, table.id)
      .where(sql`superseded_at is null`),
    index('transitions_stage_idx')
      .on(table.tenantId, table.toStage, table.effectiveAt, table.id)
      .where(sql`superseded_at is null`),
  ],
);
