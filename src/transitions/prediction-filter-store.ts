// Owns how a list of customers is filtered by what was predicted of them. Does not own the predictions (models/)
// nor the list (customer-list-store.ts).

import type { Executor } from '../db/executor.js';

export interface PredictionFilter {
  pAliveBelow?: number;
  pAliveAtLeast?: number;
  expectedOrders90AtLeast?: number;
  /** Minor units of `valueCurrency`. */
  futureValueAtLeast?: number;
  valueCurrency?: string;
}

/** A figure of one customer, looked up by its key: as a join it would be the planner's to read for everybody. */
const figure = (column: string) =>
  `(SELECT ${column} FROM customer_predictions WHERE tenant_id = $1 AND customer_id = c.id)`;

type Condition = (parameter: string, filter: PredictionFilter, add: (value: unknown) => string) => string;

/** One condition a field, for statements with the customer as `c` and the tenant as $1. */
export const PREDICTION_CONDITIONS: Record<Exclude<keyof PredictionFilter, 'valueCurrency'>, Condition> = {
  pAliveBelow: (p) => `${figure('p_alive')} < ${p}`,
  pAliveAtLeast: (p) => `${figure('p_alive')} >= ${p}`,
  expectedOrders90AtLeast: (p) => `${figure('expected_orders_90')} >= ${p}`,
  futureValueAtLeast: (p, { valueCurrency }, add) =>
    `(SELECT future_minor FROM customer_values
       WHERE tenant_id = $1 AND customer_id = c.id AND currency = ${add(valueCurrency)}::char(3)) >= ${p}`,
};

/** So many are sorted for a page; where there are more, a page is soon found by walking through the list. */
export const FEW_MAX = 2_000;

const PREDICTIONS = 'customer_predictions WHERE tenant_id = $1 AND';

/**
 * The customers whom one of the filters lets through, if they are few: undefined where they are not, or where
 * there is no such filter. A list is in the order of creation, which no index of a figure has, so few are
 * looked up and sorted, and of many a page is found in passing. Neither looks at more than a stretch.
 */
export async function findFew(
  executor: Executor,
  tenantId: string,
  filter: PredictionFilter,
): Promise<string[] | undefined> {
  const { pAliveBelow, pAliveAtLeast, expectedOrders90AtLeast, futureValueAtLeast, valueCurrency } = filter;
  const limit = FEW_MAX + 1;
  const ask = async (name: string, from: string, values: unknown[]) => {
    const rows = await executor.rows<{ id: string }>({
      name: `transitions_few:${name}`,
      text: `SELECT customer_id AS id FROM ${from} LIMIT ${limit}`,
      values: [tenantId, ...values],
    });
    return rows.length < limit ? rows.map(({ id }) => id) : undefined;
  };
  if (futureValueAtLeast !== undefined) {
    const from = `customer_values WHERE tenant_id = $1 AND currency = $2::char(3) AND future_minor >= $3
                   ORDER BY future_minor DESC`;
    const few = await ask('value', from, [valueCurrency, futureValueAtLeast]);
    if (few !== undefined) return few;
  }
  if (expectedOrders90AtLeast !== undefined) {
    const from = `${PREDICTIONS} expected_orders_90 >= $2 ORDER BY expected_orders_90 DESC`;
    const few = await ask('orders', from, [expectedOrders90AtLeast]);
    if (few !== undefined) return few;
  }
  if (pAliveBelow === undefined && pAliveAtLeast === undefined) return undefined;
  const from = `${PREDICTIONS} p_alive >= $2 AND p_alive < $3 ORDER BY p_alive`;
  return ask('alive', from, [pAliveAtLeast ?? 0, pAliveBelow ?? 2]);
}
