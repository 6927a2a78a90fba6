// Owns the statements of duplicates: keys, pairs, and the walk over changed customers. Each is bounded by the batch
// that it is asked for.

import type { Executor, Transaction } from '../db/executor.js';
import { arrayText, recordset } from '../db/recordset.js';
import type { Described, Key, Reason } from './keys.js';

export async function openWalk(tx: Transaction, tenantId: string, now: Date): Promise<void> {
  await tx.rows({
    text: `INSERT INTO duplicate_walks (tenant_id, changed_at, customer_id, due_at)
           VALUES ($1, '-infinity', '00000000-0000-0000-0000-000000000000', $2)`,
    values: [tenantId, now],
  });
}

const SCAN_MAX = 1_000;

/** Runs as the finder. */
export async function tenantsDue(finder: Executor, now: Date): Promise<string[]> {
  const rows = await finder.rows<{ tenantId: string }>({
    name: 'duplicates_tenants_due',
    text: `SELECT tenant_id AS "tenantId" FROM duplicate_walks WHERE due_at <= $1 ORDER BY due_at LIMIT ${SCAN_MAX}`,
    values: [now],
  });
  return rows.map(({ tenantId }) => tenantId);
}

/** Holds the walk for this transaction; false where it is not due or somebody else has it. */
export async function claimWalk(tx: Transaction, tenantId: string, now: Date): Promise<boolean> {
  const rows = await tx.rows({
    name: 'duplicates_claim_walk',
    text: 'SELECT 1 FROM duplicate_walks WHERE tenant_id = $1 AND due_at <= $2 FOR UPDATE SKIP LOCKED',
    values: [tenantId, now],
  });
  return rows.length > 0;
}

export interface Changed extends Described {
  id: string;
  /** Merged into another, or erased. */
  isGone: boolean;
}

/** The next customers whose profile has changed, up to a time; the walk moves on behind them. */
export async function nextChanged(
  tx: Transaction,
  tenantId: string,
  { until, limit }: { until: Date; limit: number },
): Promise<Changed[]> {
  return tx.rows<Changed>({
    name: `duplicates_next:${limit}`,
    text: `WITH page AS MATERIALIZED (
             SELECT c.* FROM duplicate_walks w CROSS JOIN LATERAL (
               SELECT id, name, email, phone, country, external_ids, attributes, updated_at,
                      merged_into IS NOT NULL OR erased_at IS NOT NULL AS gone
                 FROM customers
                WHERE tenant_id = $1 AND (updated_at, id) > (w.changed_at, w.customer_id) AND updated_at <= $2
                ORDER BY updated_at, id LIMIT ${limit}) c
              WHERE w.tenant_id = $1
           ), last AS (SELECT updated_at, id FROM page ORDER BY updated_at DESC, id DESC LIMIT 1
           ), moved AS (
             UPDATE duplicate_walks SET changed_at = last.updated_at, customer_id = last.id FROM last
              WHERE tenant_id = $1)
           SELECT id, name, email, phone, country, external_ids AS "externalIds", attributes, gone AS "isGone"
             FROM page`,
    values: [tenantId, until],
  });
}

export async function scheduleWalk(tx: Transaction, tenantId: string, dueAt: Date): Promise<void> {
  await tx.rows({
    name: 'duplicates_schedule',
    text: 'UPDATE duplicate_walks SET due_at = $2 WHERE tenant_id = $1',
    values: [tenantId, dueAt],
  });
}

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
