import {
  bigint,
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
import type { MovedCounts, MovedIdentity, ProfileCopy } from './copies.js';

/** One customer merged into another, with what it takes to undo it. */
export const customerMerges = pgTable(
  'customer_merges',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    survivorId: uuid('survivor_id').notNull(),
    mergedId: uuid('merged_id').notNull(),
    /** The survivor's profile before and after, and the other's. Null once one of them was erased. */
    before: json('before').$type<ProfileCopy>(),
    after: json('after').$type<ProfileCopy>(),
    merged: json('merged').$type<ProfileCopy>(),
    /** What the other was known by, all of it given to the survivor. Null once one of them was erased. */
    identities: json('identities').$type<MovedIdentity[]>(),
    moved: json('moved').$type<MovedCounts>().notNull(),
    /** Where the other's events and versions had come to: they go on from there if the merge is undone. */
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    lifecycleVersion: integer('lifecycle_version').notNull(),
    mergedBy: text('merged_by').notNull(),
    reason: text('reason'),
    createdAt: instant('created_at').notNull(),
    undoneBy: text('undone_by'),
    undoReason: text('undo_reason'),
    undoneAt: instant('undone_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.survivorId],
      foreignColumns: [customers.tenantId, customers.id],
    }),
    foreignKey({
      columns: [table.tenantId, table.mergedId],
      foreignColumns: [customers.tenantId, customers.id],
    }),
    index('customer_merges_survivor_idx').on(table.tenantId, table.survivorId, table.createdAt, table.id),
    index('customer_merges_merged_idx').on(table.tenantId, table.mergedId, table.createdAt, table.id),
  ],
);

/** `written`: a dated value that the merge itself gave the survivor, which an undo takes away again. */
export const MERGE_ROW_KINDS = ['order', 'touchpoint', 'move', 'fact', 'written'] as const;

/** Each row that a merge has moved: what an undo gives back, where it is the survivor's still. */
export const customerMergeRows = pgTable(
  'customer_merge_rows',
  {
    tenantId: tenantId(),
    mergeId: uuid('merge_id').notNull(),
    kind: text('kind', { enum: MERGE_ROW_KINDS }).notNull(),
    rowId: uuid('row_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.mergeId, table.kind, table.rowId] }),
    foreignKey({
      columns: [table.tenantId, table.mergeId],
      foreignColumns: [customerMerges.tenantId, customerMerges.id],
    }).onDelete('cascade'),
  ],
);
