import { sql } from 'drizzle-orm';
import {
  boolean,
  foreignKey,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { customers } from '../customers/table.js';
import { instant, tenantId } from '../db/columns.js';
import type { Evidence } from '../lifecycle/decide.js';
import type { Policy } from '../lifecycle/policy.js';
import type { TransitionCause } from '../lifecycle/transition.js';
import { tenants } from '../tenants/table.js';
import type { Basis, Flows } from './reckon.js';
import { COUNT_KINDS, SHADOW_FILLS, SHADOW_STATUSES } from './statuses.js';

/** A policy that decides beside the live one from `since` on. Its row lock is the shadow's lock. */
export const shadows = pgTable(
  'shadows',
  {
    tenantId: tenantId(),
    policyId: uuid('policy_id').notNull(),
    /** As it was when the shadow began. */
    policy: jsonb('policy').$type<Policy>().notNull(),
    since: instant('since').notNull(),
    status: text('status', { enum: SHADOW_STATUSES }).notNull(),
    startedBy: text('started_by').notNull(),
    startedAt: instant('started_at').notNull(),
    stoppedAt: instant('stopped_at'),
    fill: text('fill', { enum: SHADOW_FILLS }).notNull(),
    /** The last customer that the walk over all of them, or the clearing up, has dealt with. */
    cursor: uuid('cursor'),
    customersFilled: integer('customers_filled').notNull(),
    /** When the walk over all customers was last done; null while it is under way. */
    filledAt: instant('filled_at'),
    /** The newest versions that the walk has been made under. */
    policySeen: integer('policy_seen').notNull(),
    calibrationSeen: integer('calibration_seen').notNull(),
    /** When it is to be taken up next, or how long it is leased; null once nothing is left to do. */
    dueAt: instant('due_at'),
    claimToken: uuid('claim_token'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.policyId] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('shadows_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
    // Looked at under every lock of a customer, so it holds those alone that concern it.
    index('shadows_running_idx').on(table.tenantId, table.policyId).where(sql`status = 'running'`),
  ],
);

/** Where each customer stands under a shadow, and under the live policy as the shadow has last seen it. */
export const shadowCustomers = pgTable(
  'shadow_customers',
  {
    tenantId: tenantId(),
    customerId: uuid('customer_id').notNull(),
    policyId: uuid('policy_id').notNull(),
    stage: text('stage').notNull(),
    stageSince: instant('stage_since').notNull(),
    liveStage: text('live_stage').notNull(),
    liveSince: instant('live_since').notNull(),
    differs: boolean('differs').notNull(),
    differsSince: instant('differs_since'),
    /** Why each of the two stages, where they differ: the list of them reads one table. */
    basis: json('basis').$type<Basis>(),
    /** What the customer adds to the counts, so that it can be taken out of them again. */
    flows: json('flows').$type<Flows>().notNull(),
    /** When the shadow's stage changes if no fact arrives, or a known fact comes to count. */
    dueAt: instant('due_at'),
    /** The instant up to which all this was decided. */
    asOf: instant('as_of').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.customerId, table.policyId] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('shadow_customers_due_idx')
      .on(table.tenantId, table.policyId, table.dueAt)
      .where(sql`due_at is not null`),
    index('shadow_customers_differs_idx')
      .on(table.tenantId, table.policyId, table.liveStage, table.stage, table.customerId)
      .where(sql`differs`),
    index('shadow_customers_stage_idx')
      .on(table.tenantId, table.policyId, table.stage, table.liveStage, table.customerId)
      .where(sql`differs`),
  ],
);

/** The shadow's own two-clock ledger, from the row that stood at `since` on. It has no events. */
export const shadowTransitions = pgTable(
  'shadow_transitions',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    policyId: uuid('policy_id').notNull(),
    customerId: uuid('customer_id').notNull(),
    fromStage: text('from_stage'),
    toStage: text('to_stage').notNull(),
    effectiveAt: instant('effective_at').notNull(),
    recordedAt: instant('recorded_at').notNull(),
    supersededAt: instant('superseded_at'),
    cause: text('cause').$type<TransitionCause>().notNull(),
    causeId: text('cause_id'),
    /** Null for what the shadow's own policy has decided: it has no place among the dated versions. */
    policyVersion: integer('policy_version'),
    calibrationVersion: integer('calibration_version').notNull(),
    evidence: json('evidence').$type<Evidence>().notNull(),
    actor: text('actor'),
    reason: text('reason'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('shadow_transitions_customer_idx').on(
      table.tenantId,
      table.customerId,
      table.effectiveAt,
      table.id,
    ),
  ],
);

/**
 * Customers who have changed, one row for each change: written with the change and never updated, so that a
 * writer waits for nobody, and taken away by the run that had read it. For the same reason it has no foreign keys.
 */
export const shadowMarks = pgTable(
  'shadow_marks',
  {
    tenantId: tenantId(),
    policyId: uuid('policy_id').notNull(),
    markedAt: instant('marked_at').notNull(),
    customerId: uuid('customer_id').notNull(),
    version: integer('version').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'shadow_marks_pk',
      columns: [table.tenantId, table.policyId, table.markedAt, table.customerId, table.version],
    }),
  ],
);

/** Sums over the customers of a shadow, kept as they change: a report costs the same for any number of them. */
export const shadowCounts = pgTable(
  'shadow_counts',
  {
    tenantId: tenantId(),
    policyId: uuid('policy_id').notNull(),
    kind: text('kind', { enum: COUNT_KINDS }).notNull(),
    /** Of `standing` the live stage; of transitions where they come from, empty for a first row. */
    fromStage: text('from_stage').notNull(),
    toStage: text('to_stage').notNull(),
    /** Of transitions the event that tells of them; empty for `standing`. */
    eventType: text('event_type').notNull(),
    count: integer('count').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'shadow_counts_pk',
      columns: [table.tenantId, table.policyId, table.kind, table.fromStage, table.toStage, table.eventType],
    }),
  ],
);
