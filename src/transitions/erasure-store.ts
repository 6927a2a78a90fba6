// Owns taking the personal data of one customer, and of those who were merged into them, out of profiles and
// ledger. What counts, when, and for how much stays. The caller holds the customer's lock.

import type { Executor, Transaction } from '../db/executor.js';
import { FIRST_ID } from '../db/id-ends.js';

/** More than this many were never merged into one person. */
const LINE_MAX = 10_000;

/** Everybody who was merged into the customer, and into those in turn. */
export async function mergedInto(
  executor: Executor,
  tenantId: string,
  customerId: string,
): Promise<string[]> {
  const rows = await executor.rows<{ id: string }>({
    name: 'transitions_merged_into',
    text: `WITH RECURSIVE line AS (
             SELECT $2::uuid AS id, 0 AS depth
             UNION ALL
             SELECT c.id, line.depth + 1 FROM line
              CROSS JOIN LATERAL (
                SELECT id FROM customers
                 WHERE tenant_id = $1 AND merged_into = line.id AND merged_into IS NOT NULL OFFSET 0) c
              WHERE line.depth < 1000)
           SELECT id FROM line WHERE depth > 0 LIMIT ${LINE_MAX}`,
    values: [tenantId, customerId],
  });
  return rows.map(({ id }) => id);
}

/** What stands in the place of a reason: a move has one. */
export const ERASED_TEXT = '[erased]';

export interface Erasing {
  customerId: string;
  /** The same, and those who were merged into them. */
  ids: string[];
  now: Date;
}

/** Why somebody moved them by hand; every dated value but where they are from and how they came. */
export async function eraseHistory(
  tx: Transaction,
  tenantId: string,
  { customerId, ids, now }: Erasing,
): Promise<void> {
  const tombstones = ids.filter((id) => id !== customerId);
  await Promise.all([
    tx.rows({ name: 'transitions_erase_moves', text: MOVES, values: [tenantId, ids, ERASED_TEXT] }),
    tx.rows({ name: 'transitions_erase_reasons', text: REASONS, values: [tenantId, ids, ERASED_TEXT] }),
    tx.rows({ name: 'transitions_erase_values', text: VALUES, values: [tenantId, ids] }),
    tx.rows({ name: 'transitions_erase_identities', text: IDENTITIES, values: [tenantId, customerId] }),
    tx.rows({ name: 'transitions_erase_tombstones', text: TOMBSTONES, values: [tenantId, tombstones, now] }),
    tx.rows({
      name: 'transitions_mark_erased',
      text: 'UPDATE customers SET erased_at = $3 WHERE tenant_id = $1 AND id = $2',
      values: [tenantId, customerId, now],
    }),
  ]);
}

/** The rows of each of the ids, one customer after the other and by their places. */
const placesOf = (table: string, order: string, condition: string) => `
  ctid = ANY (ARRAY(
    SELECT f.place FROM unnest($2::uuid[]) AS c(id)
     CROSS JOIN LATERAL (
       SELECT ctid AS place, * FROM ${table} WHERE tenant_id = $1 AND customer_id = c.id
        ORDER BY ${order} OFFSET 0) f
     WHERE ${condition}))`;

const MOVES = `UPDATE manual_moves SET reason = $3
  WHERE tenant_id = $1 AND ${placesOf('manual_moves', 'effective_at, id', 'true')}`;

const REASONS = `UPDATE transitions SET reason = $3
  WHERE tenant_id = $1 AND ${placesOf('transitions', 'effective_at, id', 'f.reason IS NOT NULL')}`;

const VALUES = `DELETE FROM customer_attribute_facts
  WHERE tenant_id = $1 AND ${placesOf('customer_attribute_facts', 'effective_at, id', "f.field NOT IN ('country', 'channel')")}`;

const IDENTITIES = `DELETE FROM customer_identities
  WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
    SELECT ctid FROM customer_identities WHERE tenant_id = $1 AND customer_id = $2))`;

/** Those who were merged are found by nobody; what they were goes with the one whom they became. */
const TOMBSTONES = `UPDATE customers
   SET name = NULL, email = NULL, phone = NULL, owner = NULL, tags = '{}', attributes = '{}'::jsonb,
       external_ids = '[]'::jsonb, erased_at = $3
 WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`;

/** Somebody who had the data for a time: they were merged into them, and parted again. */
export interface Host {
  customerId: string;
  recorded: { from: Date; to: Date };
}

const HOST_REASONS = `UPDATE transitions SET reason = $6
  WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
    SELECT t.place FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS s(id, since, until)
     CROSS JOIN LATERAL (
       SELECT ctid AS place, cause_id, recorded_at FROM transitions
        WHERE tenant_id = $1 AND customer_id = s.id AND reason IS NOT NULL ORDER BY effective_at, id OFFSET 0) t
     WHERE t.recorded_at BETWEEN s.since AND s.until
       AND t.cause_id IN (
         SELECT m.id::text FROM unnest($5::uuid[]) AS c(id)
          CROSS JOIN LATERAL (
            SELECT id FROM manual_moves WHERE tenant_id = $1 AND customer_id = c.id
             ORDER BY effective_at, id OFFSET 0) m)))`;

/** Why somebody moved one of `ids` by hand, in what the ledgers of hosts said meanwhile. */
export async function eraseHostReasons(
  tx: Transaction,
  tenantId: string,
  { ids, hosts }: { ids: string[]; hosts: readonly Host[] },
): Promise<void> {
  if (hosts.length === 0) return;
  await tx.rows({
    name: 'transitions_erase_host_reasons',
    text: HOST_REASONS,
    values: [
      tenantId,
      hosts.map(({ customerId }) => customerId),
      hosts.map(({ recorded }) => recorded.from.toISOString()),
      hosts.map(({ recorded }) => recorded.to.toISOString()),
      ids,
      ERASED_TEXT,
    ],
  });
}

export interface EvidenceRow {
  id: string;
  evidence: unknown;
}

/**
 * The next ledger rows of a customer, after a place in it. Of a host those are meant that were recorded in between and
 * are superseded: what still is in force there is so without the other.
 */
export function evidenceOf(
  executor: Executor,
  tenantId: string,
  {
    customerId,
    recorded,
    after,
    limit,
  }: {
    customerId: string;
    recorded: Host['recorded'] | null;
    after: readonly [number, string] | null;
    limit: number;
  },
): Promise<(EvidenceRow & { at: number; isIn: boolean })[]> {
  return executor.rows({
    name: `transitions_evidence:${limit}`,
    text: `SELECT id, evidence, (extract(epoch from effective_at) * 1000)::bigint AS at,
                  $5::timestamptz IS NULL
                    OR (superseded_at IS NOT NULL AND recorded_at BETWEEN $5 AND $6::timestamptz) AS "isIn"
             FROM transitions
            WHERE tenant_id = $1 AND customer_id = $2 AND (effective_at, id) > ($3::timestamptz, $4::uuid)
            ORDER BY effective_at, id LIMIT ${limit}`,
    values: [
      ...[tenantId, customerId, after === null ? '-infinity' : new Date(after[0])],
      after?.[1] ?? FIRST_ID,
      ...[recorded?.from ?? null, recorded?.to ?? null],
    ],
  });
}

export async function saveEvidence(
  tx: Transaction,
  tenantId: string,
  rows: readonly EvidenceRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.rows({
    name: 'transitions_save_evidence',
    text: `UPDATE transitions SET evidence = (($3::text[])[array_position($2::uuid[], id)])::json
            WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
    values: [tenantId, rows.map(({ id }) => id), rows.map(({ evidence }) => JSON.stringify(evidence))],
  });
}
