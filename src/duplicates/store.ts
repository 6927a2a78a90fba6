// Owns the statements of duplicates: keys and pairs. Each is bounded by the batch that it is asked for. Does not own
// those of the walk (walk-store.ts).

import type { Executor, Transaction } from '../db/executor.js';
import { arrayText, recordset } from '../db/recordset.js';
import type { Key, Reason } from './keys.js';

export interface CustomerKey extends Key {
  customer: string;
}

const KEYS = recordset({ kind: 'text', key: 'text', customer: 'uuid', name: 'text' });

/** In the place of all that these customers had. */
export async function replaceKeys(
  tx: Transaction,
  tenantId: string,
  { customerIds, keys }: { customerIds: string[]; keys: readonly CustomerKey[] },
): Promise<void> {
  await Promise.all([
    tx.rows({
      name: 'duplicates_delete_keys',
      text: `DELETE FROM duplicate_keys WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
               SELECT k.place FROM unnest($2::uuid[]) AS c(id) CROSS JOIN LATERAL (
                 SELECT ctid AS place FROM duplicate_keys WHERE tenant_id = $1 AND customer_id = c.id OFFSET 0) k))`,
      values: [tenantId, customerIds],
    }),
    keys.length > 0 &&
      tx.rows({
        name: 'duplicates_insert_keys',
        text: `INSERT INTO duplicate_keys (tenant_id, kind, key, customer_id, name)
               SELECT $1, r.kind, r.key, r.customer, r.name FROM ${KEYS.sql(2, 'r')}
               ORDER BY r.kind, r.key, r.customer`,
        values: [tenantId, ...KEYS.values(keys)],
      }),
  ]);
}

export interface Sharing {
  customer: string;
  other: string;
  kind: Reason;
  name: string | null;
  otherName: string | null;
}

/** A key that more than these share says little; of them the first are compared. */
const SHARERS_MAX = 20;

/** Who else has one of these keys. */
export function sharersOf(tx: Executor, tenantId: string, keys: readonly CustomerKey[]): Promise<Sharing[]> {
  if (keys.length === 0) return Promise.resolve([]);
  return tx.rows({
    name: 'duplicates_sharers',
    text: `SELECT r.customer, k.customer_id AS other, r.kind, r.name, k.name AS "otherName"
             FROM ${KEYS.sql(2, 'r')}
            CROSS JOIN LATERAL (
              SELECT customer_id, name FROM duplicate_keys
               WHERE tenant_id = $1 AND kind = r.kind AND key = r.key AND customer_id <> r.customer
               ORDER BY customer_id LIMIT ${SHARERS_MAX}) k`,
    values: [tenantId, ...KEYS.values(keys)],
  });
}

export interface PairRow {
  id: string;
  firstId: string;
  secondId: string;
  reasons: Reason[];
  score: number;
  foundAt: Date;
  dismissedAt: Date | null;
  dismissedBy: string | null;
}

const COLUMNS = `id, first_id AS "firstId", second_id AS "secondId", reasons, score, found_at AS "foundAt",
  dismissed_at AS "dismissedAt", dismissed_by AS "dismissedBy"`;

/** Of one customer: whom everybody may be is looked at by hand in the likeliest cases first, if at all. */
export const PAIRS_EACH_MAX = 100;

/** All that one customer is part of. */
const ITS_PAIRS = `(
  (SELECT * FROM duplicate_pairs WHERE tenant_id = $1 AND first_id = c.id ORDER BY second_id)
  UNION ALL
  (SELECT * FROM duplicate_pairs WHERE tenant_id = $1 AND second_id = c.id)) each`;

const LIKELIEST_FIRST = 'ORDER BY score DESC, found_at, id';

/** The pairs that these customers are part of and nobody has dismissed: of each of them the likeliest. */
export function pairsOf(executor: Executor, tenantId: string, customerIds: string[]): Promise<PairRow[]> {
  return executor.rows({
    name: 'duplicates_pairs_of',
    text: `SELECT DISTINCT p.* FROM unnest($2::uuid[]) AS c(id) CROSS JOIN LATERAL (
             SELECT ${COLUMNS} FROM ${ITS_PAIRS} WHERE dismissed_at IS NULL
              ${LIKELIEST_FIRST} LIMIT ${PAIRS_EACH_MAX}) p`,
    values: [tenantId, customerIds],
  });
}

/** Everything that is kept of these customers' pairs, dismissed ones included: a customer's are few. */
export function heldPairsOf(executor: Executor, tenantId: string, customerIds: string[]): Promise<PairRow[]> {
  return executor.rows({
    name: 'duplicates_held_pairs_of',
    text: `SELECT DISTINCT p.* FROM unnest($2::uuid[]) AS c(id) CROSS JOIN LATERAL (
             SELECT ${COLUMNS} FROM ${ITS_PAIRS} OFFSET 0) p`,
    values: [tenantId, customerIds],
  });
}

/** Does away with what these customers have beyond the likeliest; what was dismissed is not counted and stays. */
export async function trimPairs(tx: Transaction, tenantId: string, customerIds: string[]): Promise<void> {
  if (customerIds.length === 0) return;
  await tx.rows({
    name: 'duplicates_trim_pairs',
    text: `DELETE FROM duplicate_pairs WHERE tenant_id = $1 AND id = ANY (ARRAY(
             SELECT p.id FROM unnest($2::uuid[]) AS c(id) CROSS JOIN LATERAL (
               SELECT id FROM ${ITS_PAIRS} WHERE dismissed_at IS NULL
                ${LIKELIEST_FIRST} OFFSET ${PAIRS_EACH_MAX}) p))`,
    values: [tenantId, customerIds],
  });
}

/** Every pair that one of these customers is part of. */
export async function deletePairsOf(tx: Transaction, tenantId: string, customerIds: string[]): Promise<void> {
  await tx.rows({
    name: 'duplicates_delete_pairs_of',
    text: `DELETE FROM duplicate_pairs WHERE tenant_id = $1 AND id = ANY (ARRAY(
             SELECT p.id FROM unnest($2::uuid[]) AS c(id) CROSS JOIN LATERAL (
               SELECT id FROM ${ITS_PAIRS} OFFSET 0) p))`,
    values: [tenantId, customerIds],
  });
}

export async function deletePairs(tx: Transaction, tenantId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.rows({
    name: 'duplicates_delete_pairs',
    text: 'DELETE FROM duplicate_pairs WHERE tenant_id = $1 AND id = ANY ($2::uuid[])',
    values: [tenantId, ids],
  });
}

const PAIRS = recordset({
  id: 'uuid',
  firstId: 'uuid',
  secondId: 'uuid',
  reasons: 'text',
  score: 'int4',
  foundAt: 'timestamptz',
});

/** New ones, and ones whose reasons have changed; what was dismissed stays so. */
export async function writePairs(
  tx: Transaction,
  tenantId: string,
  pairs: readonly Omit<PairRow, 'dismissedAt' | 'dismissedBy'>[],
): Promise<void> {
  if (pairs.length === 0) return;
  await tx.rows({
    name: 'duplicates_write_pairs',
    text: `INSERT INTO duplicate_pairs (tenant_id, id, first_id, second_id, reasons, score, found_at)
           SELECT $1, r.id, r."firstId", r."secondId", r.reasons::text[], r.score, r."foundAt"
             FROM ${PAIRS.sql(2, 'r')} ORDER BY r."firstId", r."secondId"
           ON CONFLICT (tenant_id, first_id, second_id)
           DO UPDATE SET reasons = excluded.reasons, score = excluded.score`,
    values: [tenantId, ...PAIRS.values(pairs.map((pair) => ({ ...pair, reasons: arrayText(pair.reasons) })))],
  });
}

export interface PairSlice {
  after: readonly [score: number, id: string] | null;
  limit: number;
}

/** The likeliest first; without those that were dismissed. */
export function listPairs(
  executor: Executor,
  tenantId: string,
  { after, limit }: PairSlice,
): Promise<PairRow[]> {
  return executor.rows({
    name: `duplicates_list:${after !== null}`,
    text: `SELECT ${COLUMNS} FROM duplicate_pairs
            WHERE tenant_id = $1 AND dismissed_at IS NULL
              ${after === null ? '' : 'AND (score, id) < ($3::smallint, $4::uuid)'}
            ORDER BY score DESC, id DESC LIMIT $2`,
    values: [tenantId, limit, ...(after ?? [])],
  });
}

export async function dismissPair(
  tx: Transaction,
  tenantId: string,
  { id, by, now }: { id: string; by: string; now: Date },
): Promise<PairRow | undefined> {
  const [row] = await tx.rows<PairRow>({
    name: 'duplicates_dismiss',
    text: `UPDATE duplicate_pairs
              SET dismissed_at = coalesce(dismissed_at, $3), dismissed_by = coalesce(dismissed_by, $4)
            WHERE tenant_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
    values: [tenantId, id, now, by],
  });
  return row;
}
