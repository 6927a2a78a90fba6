import { sql } from 'drizzle-orm';
import {
  doublePrecision,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { customers } from '../customers/table.js';
import { amountMinor, currency, instant, tenantId } from '../db/columns.js';
import { DROPOUT_MODELS } from '../lifecycle/models/dropout.js';
import { tenants } from '../tenants/table.js';

export const FIT_STATUSES = ['queued', 'running', 'done', 'failed'] as const;
export const FIT_STAGES = ['reading', 'fitting', 'recording'] as const;

/** A fit that somebody has asked for. What comes of it is a calibration version. */
export const modelFits = pgTable(
  'model_fits',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    status: text('status', { enum: FIT_STATUSES }).notNull(),
    /** How far it is, or was when it failed; null before it has begun and once it is done. */
    stage: text('stage', { enum: FIT_STAGES }),
    calibrationVersion: integer('calibration_version'),
    attempts: integer('attempts').notNull(),
    requestedBy: text('requested_by').notNull(),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    finishedAt: instant('finished_at'),
    /** When it is to be taken up; the end of the lease while it runs, and its token. Null once it is over. */
    dueAt: instant('due_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('model_fits_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
  ],
);

/** The walk over all customers that computes what lists are filtered by: after a fit, and once a day. */
export const predictionWalks = pgTable(
  'prediction_walks',
  {
    tenantId: tenantId().primaryKey(),
    /** When it is to go on or to begin; null while no model is identified. */
    dueAt: instant('due_at'),
    /** The last customer done; null where it is to begin. */
    cursor: uuid('cursor'),
    /** As of when the walk under way predicts; null between two. */
    startedAt: instant('started_at'),
    customersDone: integer('customers_done').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    index('prediction_walks_due_idx').on(table.dueAt, table.tenantId).where(sql`due_at is not null`),
  ],
);

/** What the model says of each customer with an order, as of `computed_at`. */
export const customerPredictions = pgTable(
  'customer_predictions',
  {
    tenantId: tenantId(),
    customerId: uuid('customer_id').notNull(),
    computedAt: instant('computed_at').notNull(),
    calibrationVersion: integer('calibration_version').notNull(),
    model: text('model', { enum: DROPOUT_MODELS }).notNull(),
    pAlive: doublePrecision('p_alive').notNull(),
    expectedOrders30: doublePrecision('expected_orders_30').notNull(),
    expectedOrders90: doublePrecision('expected_orders_90').notNull(),
    expectedOrders365: doublePrecision('expected_orders_365').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.customerId] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('customer_predictions_alive_idx').on(table.tenantId, table.pAlive, table.customerId),
    index('customer_predictions_orders_idx').on(table.tenantId, table.expectedOrders90, table.customerId),
  ],
);

/** The same in money: one row for each currency that the customer has paid in. */
export const customerValues = pgTable(
  'customer_values',
  {
    tenantId: tenantId(),
    customerId: uuid('customer_id').notNull(),
    currency: currency('currency').notNull(),
    historicMinor: amountMinor('historic_minor').notNull(),
    futureMinor: amountMinor('future_minor').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.customerId, table.currency] }),
    foreignKey({
      columns: [table.tenantId, table.customerId],
      foreignColumns: [customers.tenantId, customers.id],
    }).onDelete('cascade'),
    index('customer_values_future_idx').on(
      table.tenantId,
      table.currency,
      table.futureMinor,
      table.customerId,
    ),
  ],
);
