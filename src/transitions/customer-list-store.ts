// Owns listing customers by who they are and where they stand; read-only, joined, by keyset.

import type { Executor } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import { type ListedRow, listedColumns } from './rows.js';

export interface CustomerFilter {
  stage?: string;
  kind?: string;
  owner?: string;
  channel?: string;
  country?: string;
  email?: string;
  phone?: string;
  createdFrom?: Date;
  createdTo?: Date;
  stageSinceFrom?: Date;
  stageSinceTo?: Date;
  lastOrderFrom?: Date;
  lastOrderTo?: Date;
  reviewBefore?: Date;
}

export interface CustomerPage {
  /** The last row of the page before: its creation (RFC 3339, milliseconds) and its id. */
  after: readonly [createdAt: string, id: string] | null;
  limit: number;
}

/** One condition a filter field; only those that are set reach the statement. */
const CONDITIONS: { [Field in keyof Required<CustomerFilter>]: (parameter: string) => string } = {
  stage: (p) => `l.stage = ${p}`,
  kind: (p) => `c.kind = ${p}`,
  owner: (p) => `c.owner = ${p}`,
  channel: (p) => `c.channel = ${p}`,
  country: (p) => `c.country = ${p}`,
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

/** Newest first; (created_at, id) is unique, so a page boundary holds while customers are added. */
export function listCustomers(
  executor: Executor,
  tenantId: string,
  filter: CustomerFilter,
  page: CustomerPage,
): Promise<ListedRow[]> {
  const values: unknown[] = [tenantId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['c.tenant_id = $1', 'l.tenant_id = $1'];
  // Both have the time of creation; which of them leads decides whether one index gives the page in order.
  const [createdAt, id] =
    filter.stage === undefined ? ['c.created_at', 'c.id'] : ['l.created_at', 'l.customer_id'];
  const fields = Object.keys(CONDITIONS) as (keyof CustomerFilter)[];
  for (const field of fields) {
    if (filter[field] !== undefined) conditions.push(CONDITIONS[field](parameter(filter[field])));
  }
  if (page.after !== null) {
    const [lastCreatedAt, lastId] = page.after;
    conditions.push(
      `(${createdAt}, ${id}) < (${parameter(lastCreatedAt)}::timestamptz, ${parameter(lastId)}::uuid)`,
    );
  }
  return rowsOfPage(executor, page.limit, (rows) => ({
    // One name for each set of fields and page size: its text is the same for all values, so each is prepared
    // once. The limit is part of the text, since to a plan that does not know it a page is a tenth of everything.
    name: `transitions_list:${fields.filter((field) => filter[field] !== undefined).join()}:${page.after !== null}:${rows}`,
    text: `SELECT ${listedColumns}
             FROM customers c
             JOIN customer_lifecycles l ON l.customer_id = c.id
            WHERE ${conditions.join(' AND ')}
            ORDER BY ${createdAt} DESC, ${id} DESC LIMIT ${rows}`,
    values,
  }));
}
