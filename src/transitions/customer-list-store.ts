// Owns listing customers by who they are and where they stand; read-only, joined, by keyset.

import type { Executor } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import { binaryArray } from '../db/recordset.js';
import { findFew, PREDICTION_CONDITIONS, type PredictionFilter } from './prediction-filter-store.js';
import { type ListedRow, listedColumns } from './rows.js';

export interface CustomerFilter extends PredictionFilter {
  stage?: string;
  kind?: string;
  owner?: string;
  channel?: string;
  country?: string;
  tag?: string;
  email?: string;
  phone?: string;
  createdFrom?: Date;
  createdTo?: Date;
  stageSinceFrom?: Date;
  stageSinceTo?: Date;
  lastOrderFrom?: Date;
  lastOrderTo?: Date;
  reviewBefore?: Date;
  /** Those whose personal data was erased as well. */
  erased?: boolean;
}

export interface CustomerPage {
  /** The last row of the page before: its creation (RFC 3339, milliseconds) and its id. */
  after: readonly [createdAt: string, id: string] | null;
  limit: number;
}

/** One condition a filter field; only those that are set reach the statement. */
type OwnField = Exclude<keyof CustomerFilter, keyof PredictionFilter | 'erased'>;
export const CONDITIONS: { [Field in OwnField]: (parameter: string) => string } = {
  stage: (p) => `l.stage = ${p}`,
  kind: (p) => `c.kind = ${p}`,
  owner: (p) => `c.owner = ${p}`,
  channel: (p) => `c.channel = ${p}`,
  country: (p) => `c.country = ${p}`,
  tag: (p) => `g.tenant_id = $1 AND g.tag = ${p}`,
  email: (p) => `c.id IN (SELECT customer_id FROM customer_identities
                           WHERE tenant_id = $1 AND namespace = 'email' AND value = ${p})`,
  phone: (p) => `c.id IN (SELECT customer_id FROM customer_identities
                           WHERE tenant_id = $1 AND namespace = 'phone' AND value = ${p})`,
  createdFrom: (p) => `c.created_at >= ${p}`,
  createdTo: (p) => `c.created_at < ${p}`,
  stageSinceFrom: (p) => `l.stage_since >= ${p}`,
  stageSinceTo: (p) => `l.stage_since < ${p}`,
  lastOrderFrom: (p) => `l.last_order_at >= ${p}`,
  lastOrderTo: (p) => `l.last_order_at < ${p}`,
  reviewBefore: (p) => `l.review_at < ${p}`,
};

/** The same where customers are looked at one by one, and not found by the table of tags. */
export const CONDITIONS_OF_ONE: typeof CONDITIONS = { ...CONDITIONS, tag: (p) => `${p} = ANY(c.tags)` };

/** All three have the time of creation; which of them leads decides whether one index gives the page in order. */
function leading({ tag, stage }: CustomerFilter): [createdAt: string, id: string] {
  if (tag !== undefined) return ['g.created_at', 'g.customer_id'];
  return stage === undefined ? ['c.created_at', 'c.id'] : ['l.created_at', 'l.customer_id'];
}
const PREDICTED = Object.keys(PREDICTION_CONDITIONS) as (keyof typeof PREDICTION_CONDITIONS)[];

/** Each of a few customers by its key; with a join the planner would be free to walk through all. */
const fewOf = (ids: string) => `unnest(${ids}::uuid[]) AS few(id)
  CROSS JOIN LATERAL (SELECT * FROM customers WHERE tenant_id = $1 AND id = few.id OFFSET 0) c
  CROSS JOIN LATERAL (SELECT * FROM customer_lifecycles WHERE tenant_id = $1 AND customer_id = few.id OFFSET 0) l`;

/**
 * Nearly everybody. Said plainly it is taken, before the first ANALYZE, to be true of one in two hundred: few enough
 * to read all and sort them.
 */
export const NOT_ERASED = 'CASE WHEN c.erased_at IS NULL THEN true ELSE false END';

/**
 * Looked up for each customer of the page. As a join it was, before the first ANALYZE, seen to begin at the
 * lifecycles, and to read and sort a whole tenant for a page.
 */
const ITS_LIFECYCLE = `CROSS JOIN LATERAL (
  SELECT * FROM customer_lifecycles WHERE tenant_id = $1 AND customer_id = c.id OFFSET 0) l`;

/** Newest first; (created_at, id) is unique, so a page boundary holds while customers are added. */
export async function listCustomers(
  executor: Executor,
  tenantId: string,
  filter: CustomerFilter,
  page: CustomerPage,
): Promise<ListedRow[]> {
  const values: unknown[] = [tenantId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['c.tenant_id = $1', 'l.tenant_id = $1'];
  if (filter.erased !== true) conditions.push(NOT_ERASED);
  const predicted = PREDICTED.filter((field) => filter[field] !== undefined);
  const few = predicted.length === 0 ? undefined : await findFew(executor, tenantId, filter);
  const conditionOf = few === undefined ? CONDITIONS : CONDITIONS_OF_ONE;
  const [createdAt, id] = few === undefined ? leading(filter) : ['c.created_at', 'c.id'];
  const fields = Object.keys(CONDITIONS) as OwnField[];
  for (const field of fields) {
    if (filter[field] !== undefined) conditions.push(conditionOf[field](parameter(filter[field])));
  }
  for (const field of predicted)
    conditions.push(PREDICTION_CONDITIONS[field](parameter(filter[field]), filter, parameter));
  const source =
    few === undefined
      ? `${filter.tag === undefined ? 'customers c' : 'customer_tags g JOIN customers c ON c.id = g.customer_id'}
         ${filter.stage === undefined || filter.tag !== undefined ? ITS_LIFECYCLE : 'JOIN customer_lifecycles l ON l.customer_id = c.id'}`
      : fewOf(parameter(binaryArray('uuid', few)));
  if (page.after !== null) {
    const [lastCreatedAt, lastId] = page.after;
    conditions.push(
      `(${createdAt}, ${id}) < (${parameter(lastCreatedAt)}::timestamptz, ${parameter(lastId)}::uuid)`,
    );
  }
  const named: string[] = [...fields.filter((field) => filter[field] !== undefined), ...predicted];
  if (few !== undefined) named.push('few');
  return rowsOfPage(executor, page.limit, (rows) => ({
    // One name for each set of fields and page size: its text is the same for all values, so each is prepared
    // once. The limit is part of the text, since to a plan that does not know it a page is a tenth of everything.
    name: `transitions_list:${named.join()}:${page.after !== null}:${filter.erased === true}:${rows}`,
    text: `SELECT ${listedColumns}
             FROM ${source}
            WHERE ${conditions.join(' AND ')}
            ORDER BY ${createdAt} DESC, ${id} DESC LIMIT ${rows}`,
    values,
  }));
}
