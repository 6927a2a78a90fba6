import { sql } from 'drizzle-orm';
import {
  boolean,
  doublePrecision,
  foreignKey,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { instant, tenantId } from '../db/columns.js';
import type { FittedModels } from '../lifecycle/models/fitted.js';
import type { Policy } from '../lifecycle/policy.js';
import { tenants } from '../tenants/table.js';
import type { PreviewTally } from './preview-tally.js';
import { POLICY_STATUSES, type StatusChange } from './steps.js';

/**
 * The rules, from a draft on. With its activation a policy gets its version and its date, and never changes
 * again but for its status; `effective_from` null then says: from the beginning of time. What decides is the
 * rows with a version, whatever their status. The defaults are for the rows from before there were drafts.
 */
export const policies = pgTable(
  'policies',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull().default(sql`gen_random_uuid()`),
    name: text('name'),
    status: text('status', { enum: POLICY_STATUSES }).notNull().default('retired'),
    version: integer('version'),
    effectiveFrom: instant('effective_from'),
    policy: jsonb('policy').$type<Policy>().notNull(),
    backfill: boolean('backfill').notNull(),
    activatedBy: text('activated_by'),
    statusChanges: jsonb('status_changes').$type<StatusChange[]>().notNull().default([]),
    revision: integer('revision').notNull().default(1),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    uniqueIndex('policies_version_idx').on(table.tenantId, table.version),
    index('policies_created_idx').on(table.tenantId, table.createdAt, table.id),
    index('policies_status_idx').on(table.tenantId, table.status, table.createdAt, table.id),
  ],
);

/** A dated version of what is fitted over all customers of a tenant; written once, never changed. */
export const calibrations = pgTable(
  'calibrations',
  {
    tenantId: tenantId(),
    version: integer('version').notNull(),
    effectiveFrom: instant('effective_from').notNull(),
    r: doublePrecision('r').notNull(),
    alphaDays: doublePrecision('alpha_days').notNull(),
    medianGapDays: doublePrecision('median_gap_days').notNull(),
    completedGaps: integer('completed_gaps').notNull(),
    customers: integer('customers').notNull(),
    method: text('method', { enum: ['mle', 'fallback'] }).notNull(),
    logLikelihood: doublePrecision('log_likelihood'),
    /** The models beside the cadence; null in versions made before there were any. */
    models: jsonb('models').$type<FittedModels>(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.version] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
  ],
);

/** A walk over all customers that a new version asks for: it can stop anywhere and go on from `cursor`. */
export const recomputations = pgTable(
  'recomputations',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    cause: text('cause', { enum: ['policy', 'calibration'] }).notNull(),
    version: integer('version').notNull(),
    /** Whether what it finds is kept from the webhooks. */
    backfill: boolean('backfill').notNull(),
    cursor: uuid('cursor'),
    customersDone: integer('customers_done').notNull(),
    /** When it is to be taken up next; null once it is done. */
    dueAt: instant('due_at'),
    createdAt: instant('created_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('recomputations_due_idx').on(table.dueAt, table.tenantId),
  ],
);

export const PREVIEW_STATUSES = ['running', 'done', 'failed'] as const;

/** What a policy would do if it came into force, counted in the background; nothing but this row is written. */
export const policyPreviews = pgTable(
  'policy_previews',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    policyId: uuid('policy_id').notNull(),
    policyRevision: integer('policy_revision').notNull(),
    /** As it was when the preview was asked for: a draft may be edited meanwhile. */
    policy: jsonb('policy').$type<Policy>().notNull(),
    effectiveFrom: instant('effective_from'),
    backfill: boolean('backfill').notNull(),
    /** The versions in force when it was asked for. */
    policyVersion: integer('policy_version').notNull(),
    calibrationVersion: integer('calibration_version').notNull(),
    status: text('status', { enum: PREVIEW_STATUSES }).notNull(),
    failure: text('failure'),
    cursor: uuid('cursor'),
    tally: json('tally').$type<PreviewTally>().notNull(),
    /** When it is to be taken up next; null once it has ended. */
    dueAt: instant('due_at'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.policyId],
      foreignColumns: [policies.tenantId, policies.id],
    }).onDelete('cascade'),
    index('policy_previews_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
    index('policy_previews_created_idx').on(table.tenantId, table.createdAt, table.id),
    // For the list, each for one of its filters: were there two that fit, statistics would choose.
    index('policy_previews_policy_idx').on(table.tenantId, table.policyId, table.status, table.id),
    index('policy_previews_status_idx').on(table.tenantId, table.status, table.id),
  ],
);

/** When each tenant's calibration is next due, so that replicas fit it once. */
export const calibrationSchedules = pgTable(
  'calibration_schedules',
  {
    tenantId: tenantId().primaryKey(),
    dueAt: instant('due_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('calibration_schedules_due_idx').on(table.dueAt, table.tenantId),
  ],
);
