// Owns reading all that the ledger and the dated values hold of one customer, a page at a time, for who hands it over.

import type { Executor } from '../db/executor.js';
import { FIRST_ID } from '../db/id-ends.js';

export interface HeldMove {
  id: string;
  to: string;
  reason: string;
  actor: string;
  holdUntil: Date | null;
  effectiveAt: Date;
}

export interface HeldValue {
  id: string;
  field: string;
  value: unknown;
  effectiveAt: Date;
  recordedAt: Date;
}

export interface HeldPage {
  customerId: string;
  /** The last row of the page before. */
  after: readonly [effectiveAt: Date, id: string] | null;
  limit: number;
}

/** Moves by hand, oldest first. */
export function listMoves(executor: Executor, tenantId: string, page: HeldPage): Promise<HeldMove[]> {
  return executor.rows({
    name: `transitions_held_moves:${page.limit}`,
    text: `SELECT id, to_stage AS "to", reason, actor, hold_until AS "holdUntil", effective_at AS "effectiveAt"
             FROM manual_moves ${rangeOf(page)}`,
    values: valuesOf(tenantId, page),
  });
}

/** Every value that a dated field has had, oldest first. */
export function listDatedValues(executor: Executor, tenantId: string, page: HeldPage): Promise<HeldValue[]> {
  return executor.rows({
    name: `transitions_held_values:${page.limit}`,
    text: `SELECT id, field, value, effective_at AS "effectiveAt", recorded_at AS "recordedAt"
             FROM customer_attribute_facts ${rangeOf(page)}`,
    values: valuesOf(tenantId, page),
  });
}

const rangeOf = ({ limit }: HeldPage) => `
  WHERE tenant_id = $1 AND customer_id = $2 AND (effective_at, id) > ($3::timestamptz, $4::uuid)
  ORDER BY effective_at, id LIMIT ${limit}`;

function valuesOf(tenantId: string, { customerId, after }: HeldPage): unknown[] {
  const [effectiveAt, id] = after ?? ['-infinity', FIRST_ID];
  return [tenantId, customerId, effectiveAt, id];
}

/** How many rows the ledger has of these customers, superseded ones included. */
export async function countLedger(executor: Executor, tenantId: string, ids: string[]): Promise<number> {
  const [row] = await executor.rows<{ count: number }>({
    name: 'transitions_count_ledger',
    text: `SELECT count(*)::int AS count FROM unnest($2::uuid[]) AS c(id)
            CROSS JOIN LATERAL (
              SELECT 1 FROM transitions WHERE tenant_id = $1 AND customer_id = c.id
               ORDER BY effective_at, id OFFSET 0) t`,
    values: [tenantId, ids],
  });
  return row?.count ?? 0;
}
