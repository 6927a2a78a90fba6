// Owns all SQL of orders. Every writer holds the lock of the order's customer, which is what makes reading
// an order and then changing it safe.

import type { Executor, Transaction } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import { arrayText, recordset } from '../db/recordset.js';
import type { OrderRow } from './order.js';

const COLUMNS = `
  id, customer_id AS "customerId", namespace, external_id AS "externalId", status, placed_at AS "placedAt",
  amount_minor AS "amountMinor", refunded_minor AS "refundedMinor", currency, categories, lines, refunds,
  fingerprint, source_updated_at AS "sourceUpdatedAt", version, created_at AS "createdAt", updated_at AS "updatedAt"`;

export interface ExternalKey {
  namespace: string;
  id: string;
}

/**
 * By the first one at or after it, because of all the indexes only the right one has that order: on equality
 * alone a table that was empty when the statement was planned gives them all the same cost, and the wrong
 * one, once chosen, stays.
 */
const AT_OR_AFTER = (namespace: string, id: string) => `
  SELECT * FROM orders WHERE tenant_id = $1 AND namespace = ${namespace} AND external_id >= ${id}
   ORDER BY external_id LIMIT 1`;

const KEYS = recordset({ namespace: 'text', id: 'text' });

/** Each is looked up on its own; see NAMED in transitions/store.ts. */
export function findByExternalIds(
  executor: Executor,
  tenantId: string,
  keys: readonly ExternalKey[],
): Promise<OrderRow[]> {
  const [first] = keys;
  if (keys.length === 1 && first !== undefined) return findByExternalId(executor, tenantId, first);
  return executor.rows({
    name: 'orders_by_external_ids',
    text: `SELECT ${COLUMNS}
             FROM (SELECT DISTINCT * FROM ${KEYS.sql(2, 'k')}) AS k(in_namespace, named)
             CROSS JOIN LATERAL (${AT_OR_AFTER('k.in_namespace', 'k.named')}) o
            WHERE o.external_id = k.named`,
    values: [tenantId, ...KEYS.values(keys)],
  });
}

/** For one: an array of one would be planned anew each time, because its length is seen as a reason to. */
function findByExternalId(executor: Executor, tenantId: string, key: ExternalKey): Promise<OrderRow[]> {
  return executor.rows({
    name: 'orders_by_external_id',
    text: `SELECT ${COLUMNS} FROM (${AT_OR_AFTER('$2', '$3')}) o WHERE external_id = $3`,
    values: [tenantId, key.namespace, key.id],
  });
}

export async function findById(
  executor: Executor,
  tenantId: string,
  id: string,
): Promise<OrderRow | undefined> {
  const rows = await executor.rows<OrderRow>({
    name: 'orders_by_id',
    text: `SELECT ${COLUMNS} FROM orders WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id],
  });
  return rows[0];
}

const ORDERS = recordset({
  id: 'uuid',
  customerId: 'uuid',
  namespace: 'text',
  externalId: 'text',
  status: 'text',
  placedAt: 'timestamptz',
  amountMinor: 'int8',
  refundedMinor: 'int8',
  currency: 'text',
  categories: 'text',
  lines: 'json',
  refunds: 'json',
  fingerprint: 'bytea',
  sourceUpdatedAt: 'timestamptz',
  version: 'int4',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
});

const CHANGEABLE = [
  ...[
    'customer_id',
    'status',
    'placed_at',
    'amount_minor',
    'refunded_minor',
    'currency',
    'categories',
    'lines',
  ],
  ...['refunds', 'source_updated_at', 'version', 'updated_at'],
];

const INSERT = `INSERT INTO orders (tenant_id, id, customer_id, namespace, external_id, status, placed_at, amount_minor,
                               refunded_minor, currency, categories, lines, refunds, fingerprint,
                               source_updated_at, version, created_at, updated_at)
           SELECT $1, id, "customerId", namespace, "externalId", status, "placedAt", "amountMinor",
                  "refundedMinor", currency, categories::text[], lines, refunds, fingerprint,
                  "sourceUpdatedAt", version, "createdAt", "updatedAt"
             FROM ${ORDERS.sql(2, 'r')}`;

const WRITE = `${INSERT}
           ON CONFLICT (tenant_id, id) DO UPDATE
              SET ${CHANGEABLE.map((column) => `${column} = excluded.${column}`).join(', ')}`;

/**
 * Writes orders whole, new ones and changed ones. A changed one is found by its key; an external id that
 * another transaction has taken in the meantime is a unique violation, on which the work is done again.
 */
export function writeOrders(
  tx: Transaction,
  tenantId: string,
  { orders, areNew }: { orders: readonly OrderRow[]; areNew: boolean },
): Promise<unknown[]> {
  return tx.rows({
    name: areNew ? 'orders_insert' : 'orders_write',
    text: areNew ? INSERT : WRITE,
    values: [
      tenantId,
      ...ORDERS.values(orders.map((order) => ({ ...order, categories: arrayText(order.categories) }))),
    ],
  });
}

export interface OrderFilter {
  customerId?: string;
  status?: string;
  placedFrom?: Date;
  placedTo?: Date;
}

export interface OrderPage {
  after: readonly [placedAt: string, id: string] | null;
  limit: number;
}

const CONDITIONS: { [Field in keyof Required<OrderFilter>]: (parameter: string) => string } = {
  customerId: (p) => `customer_id = ${p}`,
  status: (p) => `status = ${p}`,
  placedFrom: (p) => `placed_at >= ${p}`,
  placedTo: (p) => `placed_at < ${p}`,
};

/** Newest first. */
export function listOrders(
  executor: Executor,
  tenantId: string,
  filter: OrderFilter,
  page: OrderPage,
): Promise<OrderRow[]> {
  const values: unknown[] = [tenantId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const fields = (Object.keys(CONDITIONS) as (keyof OrderFilter)[]).filter(
    (field) => filter[field] !== undefined,
  );
  const conditions = [
    'tenant_id = $1',
    ...fields.map((field) => CONDITIONS[field](parameter(filter[field]))),
  ];
  if (page.after !== null) {
    const [placedAt, id] = page.after;
    conditions.push(`(placed_at, id) < (${parameter(placedAt)}::timestamptz, ${parameter(id)}::uuid)`);
  }
  return rowsOfPage(executor, page.limit, (rows) => ({
    name: `orders_list:${fields.join()}:${page.after !== null}:${rows}`,
    text: `SELECT ${COLUMNS} FROM orders WHERE ${conditions.join(' AND ')}
            ORDER BY placed_at DESC, id DESC LIMIT ${rows}`,
    values,
  }));
}

/** Why refunds were given. Amounts and times stay, and the external id, by which an order that is sent again is known. */
export async function eraseReasons(
  tx: Transaction,
  tenantId: string,
  customerId: string,
  now: Date,
): Promise<void> {
  await tx.rows({
    name: 'orders_erase_reasons',
    text: `UPDATE orders
              SET refunds = (SELECT json_agg(r.value - 'reason' ORDER BY r.ordinality)
                               FROM jsonb_array_elements(refunds::jsonb) WITH ORDINALITY r),
                  version = version + 1, updated_at = $3
            WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
              SELECT o.place FROM (
                SELECT ctid AS place, refunds FROM orders WHERE tenant_id = $1 AND customer_id = $2
                 ORDER BY placed_at, id OFFSET 0) o
               WHERE o.refunds::text LIKE '%"reason"%'))`,
    values: [tenantId, customerId, now],
  });
}
