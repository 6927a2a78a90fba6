import {
  boolean,
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
import type { Policy } from '../lifecycle/policy.js';
import { tenants } from '../tenants/table.js';

/** A dated version of the rules; written once, never changed. `effective_from` null: the beginning of time. */
export const policies = pgTable(
  'policies',
  {
    tenantId: tenantId(),
    version: integer('version').notNull(),
    effectiveFrom: instant('effective_from'),
    policy: jsonb('policy').$type<Policy>().notNull(),
    backfill: boolean('backfill').notNull(),
    activatedBy: text('activated_by').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.version] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
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
