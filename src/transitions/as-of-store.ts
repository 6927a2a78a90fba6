// Owns asking the ledger what was in effect at an instant, as it was known at an instant: for the customers of a
// page, for one, and for how many were in each stage. Read-only. Goes by the ledger and the customers alone and
// not by where they stand now, so that what has been merged since is found as it was.

import type { Instants } from '../api/as-of.js';
import type { Executor } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import {
  CONDITIONS_OF_ONE,
  type CustomerFilter,
  type CustomerPage,
  NOT_ERASED,
} from './customer-list-store.js';
import { type LedgerView, ledgerColumns } from './feed-store.js';
import { type ListedRow, profileColumns } from './rows.js';
import type { Ref } from './store.js';

/** Filters of a list that ask about the profile, which is the one of today whatever the instant. */
const PROFILE_FIELDS = [
  ...(['kind', 'owner', 'channel', 'country', 'tag'] as const),
  ...(['email', 'phone', 'createdFrom', 'createdTo'] as const),
] as const;

/** All that a list of the past can be filtered by; `stage` is the one that the customer was in. */
export const PAST_FIELDS = ['stage', 'erased', ...PROFILE_FIELDS] as const;
export type PastFilter = Pick<CustomerFilter, (typeof PAST_FIELDS)[number]>;

/**
 * Rows that were in force in what was known at `$n`. Said so that the partial indexes of the feed do not fit, for
 * the reason given at `inForceOfCustomer`.
 */
const known = (at: string) => `recorded_at <= ${at} AND coalesce(superseded_at, 'infinity') > ${at}`;

/**
 * Newest customers first; each is looked up in the ledger by one index. Those who had no stage yet are passed
 * over; nobody has rows from before they were created themselves, so whoever came after `knownAt` is not looked at.
 */
export function listAsOf(
  executor: Executor,
  tenantId: string,
  { asOf, knownAt, stage, erased, ...profile }: PastFilter & Instants,
  page: CustomerPage,
): Promise<ListedRow[]> {
  const values: unknown[] = [tenantId, asOf, knownAt];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['c.tenant_id = $1', 'c.created_at <= $3'];
  if (erased !== true) conditions.push(NOT_ERASED);
  const fields = PROFILE_FIELDS.filter((field) => profile[field] !== undefined);
  for (const field of fields) conditions.push(CONDITIONS_OF_ONE[field](parameter(profile[field])));
  if (stage !== undefined) conditions.push(`s.stage = ${parameter(stage)}`);
  if (page.after !== null) {
    const [createdAt, id] = page.after;
    conditions.push(`(c.created_at, c.id) < (${parameter(createdAt)}::timestamptz, ${parameter(id)}::uuid)`);
  }
  return rowsOfPage(executor, page.limit, (rows) => ({
    name: `transitions_as_of:${fields.join()}:${stage !== undefined}:${page.after !== null}:${erased === true}:${rows}`,
    text: `SELECT ${profileColumns}, s.stage, s.stage_since, ${LIFECYCLE_VERSION} AS lifecycle_version
             FROM customers c
             CROSS JOIN LATERAL (
               SELECT to_stage AS stage, effective_at AS stage_since FROM transitions
                WHERE tenant_id = $1 AND customer_id = c.id AND effective_at <= $2 AND ${known('$3')}
                ORDER BY effective_at DESC, id DESC LIMIT 1) s
            WHERE ${conditions.join(' AND ')}
            ORDER BY c.created_at DESC, c.id DESC LIMIT ${rows}`,
    values,
  }));
}

/** Who has been merged into another has none. */
const LIFECYCLE_VERSION = `COALESCE(
  (SELECT l.version FROM customer_lifecycles l WHERE l.tenant_id = $1 AND l.customer_id = c.id), 0)`;

export interface KnownCustomer {
  id: string;
  version: number;
  /** Whether anything had been recorded of them by then. */
  known: boolean;
}

export async function findKnown(
  executor: Executor,
  tenantId: string,
  ref: Ref,
  knownAt: Date,
): Promise<KnownCustomer | undefined> {
  const [id, named] =
    ref.kind === 'id'
      ? ['$3::uuid', [ref.id]]
      : [
          `(SELECT customer_id FROM customer_identities WHERE tenant_id = $1 AND namespace = $3 AND value = $4)`,
          [ref.namespace, ref.id],
        ];
  const [row] = await executor.rows<KnownCustomer>({
    name: `transitions_known_${ref.kind}`,
    text: `SELECT c.id, c.version + ${LIFECYCLE_VERSION} AS version,
                  EXISTS (SELECT 1 FROM transitions t
                           WHERE t.tenant_id = $1 AND t.customer_id = c.id AND t.recorded_at <= $2) AS known
             FROM customers c WHERE c.tenant_id = $1 AND c.id = ${id}`,
    values: [tenantId, knownAt, ...named],
  });
  return row;
}

/** The row in effect, the one before it and the one after it, in no order. */
export function rowsAround(
  executor: Executor,
  tenantId: string,
  customerId: string,
  { asOf, knownAt }: Instants,
): Promise<LedgerView[]> {
  const rows = (range: string) => `(
    SELECT ${ledgerColumns} FROM transitions
     WHERE tenant_id = $1 AND customer_id = $2 AND ${known('$4')} AND effective_at ${range})`;
  return executor.rows({
    name: 'transitions_around',
    text: `${rows('<= $3 ORDER BY effective_at DESC, id DESC LIMIT 2')} UNION ALL
           ${rows('> $3 ORDER BY effective_at, id LIMIT 1')}`,
    values: [tenantId, customerId, asOf, knownAt],
  });
}

export interface StageCount {
  stage: string;
  customers: number;
}

/** As everybody stands now. */
export function countStages(executor: Executor, tenantId: string): Promise<StageCount[]> {
  return executor.rows({
    name: 'transitions_stage_counts',
    text: `SELECT stage, count(*)::int AS customers FROM customer_lifecycles WHERE tenant_id = $1 GROUP BY stage`,
    values: [tenantId],
  });
}

/** One pass over the index, backwards: the first row that it meets of each customer is the one in effect. */
export function countStagesAsOf(
  executor: Executor,
  tenantId: string,
  { asOf, knownAt }: Instants,
): Promise<StageCount[]> {
  return executor.rows({
    name: 'transitions_stage_counts_as_of',
    text: `SELECT stage, count(*)::int AS customers
             FROM (SELECT DISTINCT ON (customer_id) to_stage AS stage FROM transitions
                    WHERE tenant_id = $1 AND effective_at <= $2 AND ${known('$3')}
                    ORDER BY customer_id DESC, effective_at DESC, id DESC) in_effect
            GROUP BY stage`,
    values: [tenantId, asOf, knownAt],
  });
}

/** So many customers came into a stage before or at a point of a series, and after the point before it. */
export interface StageMoves {
  stage: string;
  /** Which they left for it; null where they had none. */
  left: string | null;
  /** The point's index. */
  point: number;
  customers: number;
}

/**
 * One pass over the index for a series of any length: a row adds one to its stage at the first point that it is in
 * effect at, and takes one away from the stage of the row before it. A point counts what became true at its own
 * millisecond; `width_bucket` counts thresholds up to and including, so those are the milliseconds after the
 * points. To look for the point at which a row ends as well took twice the time.
 */
export function countStageMoves(
  executor: Executor,
  tenantId: string,
  points: readonly Date[],
  knownAt: Date,
): Promise<StageMoves[]> {
  const thresholds = points.map((point) => new Date(point.getTime() + 1));
  return executor.rows({
    name: 'transitions_stage_moves',
    text: `SELECT stage, "left", point, count(*)::int AS customers
             FROM (SELECT to_stage AS stage,
                          lag(to_stage) OVER (PARTITION BY customer_id ORDER BY effective_at, id) AS "left",
                          width_bucket(effective_at, $4::timestamptz[]) AS point
                     FROM transitions
                    WHERE tenant_id = $1 AND effective_at <= $2 AND ${known('$3')}) moves
            GROUP BY stage, "left", point`,
    values: [tenantId, points.at(-1), knownAt, thresholds],
  });
}

/**
 * The policy version in force at `asOf`, of those that there were at `knownAt`: the highest that is dated at or
 * before it. 0 before the first.
 */
export async function policyVersionAsOf(
  executor: Executor,
  tenantId: string,
  { asOf, knownAt }: Instants,
): Promise<number> {
  const [row] = await executor.rows<{ version: number }>({
    name: 'transitions_policy_as_of',
    text: `SELECT version FROM policies
            WHERE tenant_id = $1 AND version IS NOT NULL AND (effective_from IS NULL OR effective_from <= $2)
              AND EXISTS (SELECT FROM jsonb_array_elements(status_changes) change
                           WHERE change->>'status' = 'active' AND (change->>'at')::timestamptz <= $3)
            ORDER BY version DESC LIMIT 1`,
    values: [tenantId, asOf, knownAt],
  });
  return row?.version ?? 0;
}
