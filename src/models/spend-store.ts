// Owns the statement that sums up what some customers have spent, by currency and purchase days: what a
// prediction needs and their facts do not keep. Reads the table of orders; writes nothing.

import type { Executor } from '../db/executor.js';
import { binaryArray } from '../db/recordset.js';
import type { CurrencyDays } from '../lifecycle/models/prediction.js';

export interface SpendRange {
  tenantId: string;
  /** Null: that of the policy in force, whatever it is. */
  timeZone: string | null;
  now: Date;
}

/**
 * Days are counted as the fits count them. Each customer is looked up on its own, so that no plan reads the
 * orders of everybody.
 */
const SPENT = `
  SELECT each.id AS customer, spent.currency, spent.days, spent."repeatDays", spent."repeatMinor"
    FROM unnest($4::uuid[]) AS each(id)
   CROSS JOIN (SELECT coalesce($2, (
     SELECT policy->>'timeZone' FROM policies WHERE tenant_id = $1 ORDER BY version DESC LIMIT 1), 'UTC') AS name
     OFFSET 0) zone
   CROSS JOIN LATERAL (
     SELECT currency, count(*)::int AS days, count(*) FILTER (WHERE day > first)::int AS "repeatDays",
            coalesce(sum(minor) FILTER (WHERE day > first), 0)::bigint AS "repeatMinor"
       FROM (SELECT currency, timezone(zone.name, placed_at)::date AS day, sum(amount_minor - refunded_minor) AS minor,
                    min(timezone(zone.name, placed_at)::date) OVER () AS first
               FROM (SELECT * FROM orders WHERE tenant_id = $1 AND customer_id = each.id AND placed_at <= $3
                        AND status = 'placed' AND (refunded_minor < amount_minor OR amount_minor = 0)
                      OFFSET 0) counting
              GROUP BY 1, 2) days
      GROUP BY currency) spent`;

/** By customer; who has no counting order is not there. */
export async function readSpends(
  executor: Executor,
  { tenantId, timeZone, now }: SpendRange,
  ids: readonly string[],
): Promise<Map<string, CurrencyDays[]>> {
  const rows = await executor.rows<CurrencyDays & { customer: string }>({
    name: 'models_spends',
    text: SPENT,
    values: [tenantId, timeZone, now, binaryArray('uuid', ids)],
  });
  const spends = new Map<string, CurrencyDays[]>();
  for (const { customer, ...spent } of rows) {
    const own = spends.get(customer);
    if (own === undefined) spends.set(customer, [spent]);
    else own.push(spent);
  }
  return spends;
}
