import { sql } from 'drizzle-orm';
import { foreignKey, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, instant, tenantId } from '../db/columns.js';
import { tenants } from '../tenants/table.js';

export const BACKTEST_STATUSES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;

/** A policy tried on the tenant's own history: what is asked, how far it is, and in the end its report. */
export const backtests = pgTable(
  'backtests',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** What names the policy for good, whatever becomes of it: no key to a table. */
    policyKey: text('policy_key').notNull(),
    policyVersion: integer('policy_version'),
    horizonDays: integer('horizon_days').notNull(),
    segmentBy: text('segment_by'),
    /** JSON: the cuts, as instants. */
    cuts: text('cuts').notNull(),
    /** JSON: the policy and the versions that it is compared with, as they were when it was asked for. */
    policies: text('policies').notNull(),
    /** JSON: the calibrations of the first cuts, as far as they have been fitted. */
    calibrations: text('calibrations').notNull(),
    status: text('status', { enum: BACKTEST_STATUSES }).notNull(),
    /** The last customer that is in `tally`. */
    cursor: uuid('cursor'),
    customersDone: integer('customers_done').notNull(),
    /** Null until it has begun. */
    customersTotal: integer('customers_total'),
    /** The sums so far, deflated; null before the first stretch and after the last. */
    tally: bytes('tally'),
    /** JSON. */
    report: text('report'),
    /** How often in a row a stretch of it has failed. */
    failures: integer('failures').notNull(),
    /** When the next stretch may be taken; null once it is over. A stretch moves it to the end of its lease. */
    dueAt: instant('due_at'),
    claimToken: uuid('claim_token'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('backtests_policy_idx').on(table.tenantId, table.policyKey, table.id),
    index('backtests_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
    index('backtests_open_idx').on(table.tenantId, table.dueAt).where(sql`due_at is not null`),
  ],
);
