// Owns the statements that make one customer's facts another's, and give them back: they span the tables of
// several modules and are bounded by what the one customer has. The caller holds the locks of both.

import type { Executor, Transaction } from '../db/executor.js';

/** From one customer to another, of one merge. */
export interface Passage {
  from: string;
  to: string;
  mergeId: string;
  now: Date;
}

const KINDS = ['order', 'touchpoint', 'move', 'fact'] as const;
type MovedKind = (typeof KINDS)[number];
export type MovedRows = Record<MovedKind, number>;

interface Facts {
  table: string;
  /** The order that leads to the customer's own index, and to no other. */
  order: string;
  /** What else changes in a row that changes hands. */
  set: string;
}

/** An order shows whose it is, so its version grows. */
const FACTS: Record<MovedKind, Facts> = {
  order: { table: 'orders', order: 'placed_at, id', set: ', version = version + 1, updated_at = $5' },
  touchpoint: { table: 'touchpoints', order: 'occurred_at, id', set: '' },
  move: { table: 'manual_moves', order: 'effective_at, id', set: '' },
  fact: { table: 'customer_attribute_facts', order: 'id', set: '' },
};

/** Moves all facts and keeps which rows they were; says how many of each kind. */
export function moveFacts(tx: Transaction, tenantId: string, passage: Passage): Promise<MovedRows> {
  return passAll(tx, tenantId, passage, { name: 'transitions_merge', textOf: moving });
}

async function passAll(
  tx: Transaction,
  tenantId: string,
  { from, to, mergeId, now }: Passage,
  { name, textOf }: { name: string; textOf: (kind: MovedKind) => string },
): Promise<MovedRows> {
  const counts = await Promise.all(
    KINDS.map((kind) =>
      tx.rows<{ count: number }>({
        name: `${name}_${kind}`,
        text: textOf(kind),
        values: kind === 'order' ? [tenantId, from, to, mergeId, now] : [tenantId, from, to, mergeId],
      }),
    ),
  );
  return countsOf(counts);
}

/** By their places: who writes a fact of a customer holds the customer's lock, so no row moves meanwhile. */
const moving = (kind: MovedKind) => {
  const { table, order, set } = FACTS[kind];
  return `
    WITH moved AS (
      UPDATE ${table} SET customer_id = $3${set}
       WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
         SELECT ctid FROM ${table} WHERE tenant_id = $1 AND customer_id = $2 ORDER BY ${order}))
      RETURNING id
    ), kept AS (
      INSERT INTO customer_merge_rows (tenant_id, merge_id, kind, row_id)
      SELECT $1, $4, '${kind}', id FROM moved RETURNING 1)
    SELECT count(*)::int AS count FROM kept`;
};

/** Gives back what a merge has moved, as far as it still is `from`'s. */
export function returnFacts(tx: Transaction, tenantId: string, passage: Passage): Promise<MovedRows> {
  return passAll(tx, tenantId, passage, { name: 'transitions_unmerge', textOf: returning });
}

/** A dated value is found by its customer and its id, all others by their id. */
const returning = (kind: MovedKind) => {
  const { table, set } = FACTS[kind];
  const found =
    kind === 'fact'
      ? 'tenant_id = $1 AND customer_id = $2 AND id = r.row_id'
      : 'tenant_id = $1 AND id = r.row_id';
  return `
    WITH moved AS (
      UPDATE ${table} SET customer_id = $3${set}
       WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
         SELECT f.place FROM customer_merge_rows r
          CROSS JOIN LATERAL (
            SELECT ctid AS place, customer_id FROM ${table} WHERE ${found} LIMIT 1) f
          WHERE r.tenant_id = $1 AND r.merge_id = $4 AND r.kind = '${kind}' AND f.customer_id = $2))
      RETURNING 1)
    SELECT count(*)::int AS count FROM moved`;
};

function countsOf(counts: { count: number }[][]): MovedRows {
  const entries = KINDS.map((kind, place) => [kind, counts[place]?.[0]?.count ?? 0]);
  return Object.fromEntries(entries) as MovedRows;
}

/** How many rows a merge would move, of each kind. */
export async function countFacts(
  executor: Executor,
  tenantId: string,
  customerId: string,
): Promise<MovedRows> {
  const counts = await Promise.all(
    KINDS.map((kind) =>
      executor.rows<{ count: number }>({
        name: `transitions_count_${kind}`,
        text: `SELECT count(*)::int AS count FROM (
                 SELECT 1 FROM ${FACTS[kind].table} WHERE tenant_id = $1 AND customer_id = $2
                  ORDER BY ${FACTS[kind].order}) f`,
        values: [tenantId, customerId],
      }),
    ),
  );
  return countsOf(counts);
}

/** How many rows an undo would give back. */
export async function countReturning(
  executor: Executor,
  tenantId: string,
  { from, mergeId }: Pick<Passage, 'from' | 'mergeId'>,
): Promise<MovedRows> {
  const counts = await Promise.all(
    KINDS.map((kind) => {
      const found = kind === 'fact' ? 'AND customer_id = $2 AND id = r.row_id' : 'AND id = r.row_id';
      return executor.rows<{ count: number }>({
        name: `transitions_count_returning_${kind}`,
        text: `SELECT count(*)::int AS count FROM customer_merge_rows r
                CROSS JOIN LATERAL (
                  SELECT customer_id FROM ${FACTS[kind].table} WHERE tenant_id = $1 ${found} LIMIT 1) f
                WHERE r.tenant_id = $1 AND r.merge_id = $3 AND r.kind = '${kind}' AND f.customer_id = $2`,
        values: [tenantId, from, mergeId],
      });
    }),
  );
  return countsOf(counts);
}

export interface LastValue {
  field: string;
  value: unknown;
}

/** The last value that each dated field of these customers has taken on, theirs taken together. */
export function lastValues(
  executor: Executor,
  tenantId: string,
  customerIds: string[],
): Promise<LastValue[]> {
  return executor.rows({
    name: 'transitions_last_values',
    text: `SELECT DISTINCT ON (field) field, value
             FROM unnest($2::uuid[]) AS c(id)
            CROSS JOIN LATERAL (
              SELECT field, value, effective_at, f.id FROM customer_attribute_facts f
               WHERE tenant_id = $1 AND customer_id = c.id ORDER BY f.id OFFSET 0) f
            ORDER BY field, effective_at DESC, f.id DESC`,
    values: [tenantId, customerIds],
  });
}
