// Owns finding out why nobody was found under a reference: merged into somebody, or moved while the lock was
// waited for.

import type { Executor } from '../db/executor.js';
import { recordset } from '../db/recordset.js';
import type { Ref } from './store.js';

/** However often somebody's heir was merged in turn: a longer line is told of by stages. */
const LINE_MAX = 100;

/** By the id of each who was merged: whose they are now. */
export async function heirsOf(
  executor: Executor,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await executor.rows<{ asked: string; heir: string }>({
    name: 'transitions_heirs',
    text: `WITH RECURSIVE line AS (
             SELECT c.id AS asked, c.merged_into AS heir, 1 AS depth
               FROM unnest($2::uuid[]) AS a(id)
              CROSS JOIN LATERAL (
                SELECT id, merged_into FROM customers WHERE tenant_id = $1 AND id = a.id LIMIT 1) c
              WHERE c.merged_into IS NOT NULL
             UNION ALL
             SELECT line.asked, c.merged_into, line.depth + 1
               FROM line CROSS JOIN LATERAL (
                SELECT merged_into FROM customers WHERE tenant_id = $1 AND id = line.heir LIMIT 1) c
              WHERE c.merged_into IS NOT NULL AND line.depth < ${LINE_MAX})
           SELECT asked, heir FROM line ORDER BY depth`,
    values: [tenantId, ids],
  });
  // The last in the line is the one who holds.
  return new Map(rows.map(({ asked, heir }) => [asked, heir]));
}

const NAMES = recordset({ namespace: 'text', value: 'text' });

/** Whether one of these external ids has a holder by now. */
export async function isHeld(
  executor: Executor,
  tenantId: string,
  refs: readonly Extract<Ref, { kind: 'external' }>[],
): Promise<boolean> {
  const rows = await executor.rows({
    name: 'transitions_is_held',
    text: `SELECT 1 FROM ${NAMES.sql(2, 'r')}
            CROSS JOIN LATERAL (
              SELECT 1 FROM customer_identities
               WHERE tenant_id = $1 AND namespace = r.namespace AND value = r.value LIMIT 1) i LIMIT 1`,
    values: [tenantId, ...NAMES.values(refs.map(({ namespace, id }) => ({ namespace, value: id })))],
  });
  return rows.length > 0;
}
