// Owns the statements on touchpoints. A thousand of them are written, or looked up, by one statement.

import type { Executor, Transaction } from '../db/executor.js';
import { recordset } from '../db/recordset.js';
import type { SatisfactionScale } from '../lifecycle/facts.js';
import type { Touchpoint } from './schemas.js';

/** A touchpoint as it is kept; instants in RFC 3339, the fingerprint in hex. */
export interface TouchpointRow {
  id: string;
  customerId: string;
  channel: string;
  direction: Touchpoint['direction'];
  kind: Touchpoint['kind'];
  outcome: string | null;
  actor: string | null;
  note: string | null;
  satisfactionScale: SatisfactionScale | null;
  satisfactionScore: number | null;
  occurredAt: Date;
  namespace: string | null;
  externalId: string | null;
  fingerprint: string;
  createdAt: Date;
}

const COLUMNS = `t.id, t.customer_id AS "customerId", t.channel, t.direction, t.kind, t.outcome, t.actor, t.note,
  t.satisfaction_scale AS "satisfactionScale", t.satisfaction_score AS "satisfactionScore",
  t.occurred_at AS "occurredAt", t.namespace, t.external_id AS "externalId",
  encode(t.fingerprint, 'hex') AS fingerprint, t.created_at AS "createdAt"`;

const EXTERNAL_IDS = recordset({ namespace: 'text', id: 'text' });

/**
 * Those that are recorded already, of a list of external ids. Each is looked up by itself: a join would be
 * planned by the table's statistics, and by stale ones (a first import) it reads all of the tenant.
 */
export function findByExternalIds(
  executor: Executor,
  tenantId: string,
  externalIds: readonly { namespace: string; id: string }[],
): Promise<TouchpointRow[]> {
  if (externalIds.length === 0) return Promise.resolve([]);
  return executor.rows({
    name: 'touchpoints_find_external',
    text: `SELECT ${COLUMNS}
             FROM ${EXTERNAL_IDS.sql(2, 'r')}
            CROSS JOIN LATERAL (SELECT * FROM touchpoints
                                 WHERE tenant_id = $1 AND namespace = r.namespace AND external_id = r.id LIMIT 1) t`,
    values: [tenantId, ...EXTERNAL_IDS.values(externalIds)],
  });
}

export async function findTouchpoint(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<TouchpointRow | undefined> {
  const [row] = await executor.rows<TouchpointRow>({
    name: 'touchpoints_find',
    text: `SELECT ${COLUMNS} FROM touchpoints t WHERE t.tenant_id = $1 AND t.id = $2`,
    values: [tenantId, id],
  });
  return row;
}

const TOUCHPOINTS = recordset({
  id: 'uuid',
  customerId: 'uuid',
  namespace: 'text',
  externalId: 'text',
  channel: 'text',
  direction: 'text',
  kind: 'text',
  outcome: 'text',
  actor: 'text',
  note: 'text',
  satisfactionScale: 'text',
  satisfactionScore: 'int4',
  occurredAt: 'timestamptz',
  fingerprint: 'text',
  createdAt: 'timestamptz',
});

/** In one order everywhere: two batches with the same external ids then wait in line, not for each other. */
export async function insertTouchpoints(
  tx: Transaction,
  tenantId: string,
  rows: TouchpointRow[],
): Promise<void> {
  await tx.rows({
    name: 'touchpoints_insert',
    text: `INSERT INTO touchpoints (tenant_id, id, customer_id, namespace, external_id, channel, direction, kind,
                                    outcome, actor, note, satisfaction_scale, satisfaction_score, occurred_at, fingerprint,
                                    created_at)
           SELECT $1, r.id, r."customerId", r.namespace, r."externalId", r.channel, r.direction, r.kind, r.outcome,
                  r.actor, r.note, r."satisfactionScale", r."satisfactionScore", r."occurredAt", decode(r.fingerprint, 'hex'), r."createdAt"
             FROM ${TOUCHPOINTS.sql(2, 'r')}
            ORDER BY r.namespace, r."externalId"`,
    values: [tenantId, ...TOUCHPOINTS.values(rows)],
  });
}

export interface TouchpointFilter {
  customerId?: string;
  kind?: string;
  channel?: string;
  direction?: string;
  from?: Date;
  to?: Date;
}

/** One condition a filter field; only those that are set reach the statement. */
const CONDITIONS: { [Field in keyof Required<TouchpointFilter>]: (parameter: string) => string } = {
  customerId: (p) => `t.customer_id = ${p}`,
  kind: (p) => `t.kind = ${p}`,
  channel: (p) => `t.channel = ${p}`,
  direction: (p) => `t.direction = ${p}`,
  from: (p) => `t.occurred_at >= ${p}`,
  to: (p) => `t.occurred_at < ${p}`,
};

export interface TouchpointSlice {
  filter: TouchpointFilter;
  /** The last row of the page before: when it occurred, and its id. */
  after: readonly [occurredAt: string, id: string] | null;
  limit: number;
}

/** Newest first. */
export function listTouchpoints(
  executor: Executor,
  tenantId: string,
  { filter, after, limit }: TouchpointSlice,
): Promise<TouchpointRow[]> {
  const values: unknown[] = [tenantId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['t.tenant_id = $1'];
  const fields = (Object.keys(CONDITIONS) as (keyof TouchpointFilter)[]).filter(
    (field) => filter[field] !== undefined,
  );
  for (const field of fields) conditions.push(CONDITIONS[field](parameter(filter[field])));
  if (after !== null) {
    const [occurredAt, id] = after;
    conditions.push(
      `(t.occurred_at, t.id) < (${parameter(occurredAt)}::timestamptz, ${parameter(id)}::uuid)`,
    );
  }
  return executor.rows({
    // The text is the same for all values of one set of fields, so it is prepared once for each set.
    name: `touchpoints_list:${fields.join()}:${after !== null}`,
    text: `SELECT ${COLUMNS} FROM touchpoints t WHERE ${conditions.join(' AND ')}
            ORDER BY t.occurred_at DESC, t.id DESC LIMIT ${parameter(limit)}`,
    values,
  });
}

/** How many occurred after each of the instants, and not after `now`; an index range of one customer. */
export async function countTouchpoints(
  executor: Executor,
  tenantId: string,
  { customerId, since, now }: { customerId: string; since: Date[]; now: Date },
): Promise<number[]> {
  const rows = await executor.rows<{ count: number }>({
    name: 'touchpoints_count',
    text: `SELECT count(t.id)::int AS count
             FROM unnest($3::timestamptz[]) WITH ORDINALITY AS w(since, place)
             LEFT JOIN touchpoints t ON t.tenant_id = $1 AND t.customer_id = $2
                                    AND t.occurred_at > w.since AND t.occurred_at <= $4
            GROUP BY w.place ORDER BY w.place`,
    values: [tenantId, customerId, since, now],
  });
  return rows.map(({ count }) => count);
}

/** What was said, by whom, and under which name: that somebody was in touch, how and when stays. */
export async function eraseTouchpoints(tx: Transaction, tenantId: string, customerId: string): Promise<void> {
  await tx.rows({
    name: 'touchpoints_erase',
    text: `UPDATE touchpoints
              SET outcome = NULL, actor = NULL, note = NULL, namespace = NULL, external_id = NULL, fingerprint = ''
            WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
              SELECT ctid FROM touchpoints WHERE tenant_id = $1 AND customer_id = $2 ORDER BY occurred_at, id))`,
    values: [tenantId, customerId],
  });
}
