// Owns the statements that sum up a tenant's orders for the fits: equal customers together, so that what is read
// grows with the kinds of history and not with the customers. Reads the table of orders; writes nothing.

import type { Executor } from '../db/executor.js';
import type { HistoryColumns, SpendColumns } from '../lifecycle/models/fits.js';

/** Kinds of history in memory at once: some 50 MB while they are read. */
export const GROUPS_MAX = 250_000;

export interface SampleRange {
  tenantId: string;
  /** Whose calendar days are purchase days. */
  timeZone: string;
  /** What comes after is not looked at. */
  now: Date;
}

/**
 * Counting orders up to now. $1 tenant, $2 time zone, $3 now. What is asked of them follows the order of their
 * index by customer, so that nothing has to be hashed or sorted as a whole: for 100,000 customers that spilled.
 */
const COUNTING = `orders
  WHERE tenant_id = $1 AND placed_at <= $3 AND status = 'placed' AND (refunded_minor < amount_minor OR amount_minor = 0)`;
const DAY = '(placed_at AT TIME ZONE $2)::date';

/**
 * Repeat purchase days, days from the first to the last, days from the first to today, and how many customers
 * they are true of. Undefined where there are more kinds than a fit may hold: then days are taken in coarser
 * steps.
 */
export async function readHistoryGroups(
  executor: Executor,
  { tenantId, timeZone, now }: SampleRange,
  grainDays: number,
): Promise<HistoryColumns | undefined> {
  const rows = await executor.rows<{ x: number; span: number; age: number; customers: number }>({
    text: `SELECT x, (round(span / $4::float8) * $4)::int AS span, (round(age / $4::float8) * $4)::int AS age,
                  count(*)::int AS customers
             FROM (SELECT count(DISTINCT ${DAY})::int - 1 AS x, max(${DAY}) - min(${DAY}) AS span,
                          ($3::timestamptz AT TIME ZONE $2)::date - min(${DAY}) AS age
                     FROM ${COUNTING} GROUP BY customer_id) each
            GROUP BY 1, 2, 3 LIMIT ${GROUPS_MAX + 1}`,
    values: [tenantId, timeZone, now, grainDays],
  });
  if (rows.length > GROUPS_MAX) return undefined;
  return {
    repeats: Int32Array.from(rows, (row) => row.x),
    spanDays: Int32Array.from(rows, (row) => row.span),
    ageDays: Int32Array.from(rows, (row) => row.age),
    customers: Int32Array.from(rows, (row) => row.customers),
  };
}

/** The median gap between purchase days over all customers; null where nobody has come back. */
export async function readMedianGap(
  executor: Executor,
  { tenantId, timeZone, now }: SampleRange,
): Promise<number | null> {
  const [row] = await executor.rows<{ median: number | null }>({
    text: `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median FROM (
             SELECT ${DAY} - lag(${DAY}) OVER (PARTITION BY customer_id ORDER BY placed_at) AS gap
               FROM ${COUNTING}) gaps WHERE gap > 0`,
    values: [tenantId, timeZone, now],
  });
  return row?.median ?? null;
}

/**
 * The mean spend of repeat purchase days: those after the customer's first. By currency, whole minor units, to
 * so many significant digits; customers who spent nothing on them are left out. Undefined where there are more
 * kinds than a fit may hold.
 */
export async function readSpendGroups(
  executor: Executor,
  { tenantId, timeZone, now }: SampleRange,
  digits: number,
): Promise<Map<string, SpendColumns> | undefined> {
  const rows = await executor.rows<{ currency: string; x: number; mean: number; customers: number }>({
    text: `WITH repeats AS (
             SELECT currency, count(*)::int AS x, sum(minor)::float8 / count(*) AS mean FROM (
               SELECT customer_id, currency, ${DAY} AS day, sum(amount_minor - refunded_minor) AS minor,
                      min(${DAY}) OVER (PARTITION BY customer_id) AS first
                 FROM ${COUNTING} GROUP BY 1, 2, 3) days
              WHERE day > first GROUP BY customer_id, currency)
           SELECT currency, x, round(mean / unit) * unit AS mean, count(*)::int AS customers
             FROM (SELECT *, power(10::float8, floor(log(mean)) + 1 - $4::float8) AS unit
                     FROM repeats WHERE mean > 0) sized
            GROUP BY 1, 2, 3 ORDER BY 1 LIMIT ${GROUPS_MAX + 1}`,
    values: [tenantId, timeZone, now, digits],
  });
  return rows.length > GROUPS_MAX ? undefined : byCurrency(rows);
}

function byCurrency(rows: { currency: string; x: number; mean: number; customers: number }[]) {
  const groups = new Map<string, SpendColumns>();
  for (let from = 0; from < rows.length; ) {
    const currency = rows[from]?.currency ?? '';
    let to = from;
    while (rows[to]?.currency === currency) to += 1;
    const own = rows.slice(from, to);
    groups.set(currency, {
      repeats: Int32Array.from(own, (row) => row.x),
      meanMinor: Float64Array.from(own, (row) => row.mean),
      customers: Int32Array.from(own, (row) => row.customers),
    });
    from = to;
  }
  return groups;
}
