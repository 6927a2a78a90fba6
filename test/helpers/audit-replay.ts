// Owns the comparison of a tenant's ledger in force with one replay of the facts in its tables. Does not own
// the other questions (audit.ts).

import { openDatabase } from '../../src/db/database.js';
import { compileTimeline, replay } from '../../src/lifecycle/replay.js';
import { loadHistories, loadTimeline } from '../../src/transitions/history-store.js';
import type { Sql } from './audit.js';

export interface ReplayAudit {
  sql: Sql;
  url: string;
  tenantId: string;
  /** Until when the ledger has been brought. */
  until: Date;
}

interface Row {
  customer: string;
  at: number;
  from: string | null;
  to: string;
  cause: string;
  policy: number;
}

/** Rows of either that the other does not have, as sentences; and how many there are in all. */
export async function auditReplay({
  sql,
  url,
  tenantId,
  until,
}: ReplayAudit): Promise<{ faults: string[]; rows: number }> {
  const inForce = await sql<Row>(
    `SELECT customer_id AS customer, (extract(epoch from effective_at) * 1000)::float8 AS at, from_stage AS "from",
            to_stage AS "to", cause, policy_version AS policy
       FROM transitions WHERE tenant_id = $1 AND superseded_at IS NULL ORDER BY customer_id, effective_at, id`,
    [tenantId],
  );
  const replayed = await replayTables({ sql, url, tenantId, until });
  const spell = ({ customer, at, from, to, cause, policy }: Row) =>
    `${customer}: ${from} to ${to} at ${new Date(at).toISOString()} by ${cause}, policy ${policy}`;
  const recorded = new Set(inForce.map(spell));
  const expected = new Set(replayed.map(spell));
  return {
    rows: inForce.length,
    faults: [
      ...[...expected].filter((row) => !recorded.has(row)).map((row) => `only the replay has ${row}`),
      ...[...recorded].filter((row) => !expected.has(row)).map((row) => `only the ledger has ${row}`),
    ],
  };
}

async function replayTables({ sql, url, tenantId, until }: ReplayAudit): Promise<Row[]> {
  const customers = await sql<{ id: string; created: number }>(
    `SELECT id, (extract(epoch from created_at) * 1000)::float8 AS created FROM customers WHERE tenant_id = $1`,
    [tenantId],
  );
  const database = openDatabase({ url, connectionsMax: 2, onError: () => undefined });
  const context = {
    tenantId,
    actor: { kind: 'system', id: 'audit' },
    now: until,
    requestId: 'audit',
  } as const;
  try {
    return await database.write(context, async (tx) => {
      const timeline = compileTimeline(await loadTimeline(tx, tenantId));
      const histories = await loadHistories(
        tx,
        tenantId,
        customers.map(({ id }) => id),
      );
      return customers.flatMap(({ id, created }) => {
        const history = {
          createdAt: created,
          orders: histories.orders.get(id) ?? [],
          touchpoints: histories.touchpoints.get(id) ?? [],
          moves: histories.moves.get(id) ?? [],
          changes: histories.changes.get(id) ?? [],
        };
        const { transitions } = replay(history, timeline, until.getTime());
        return transitions.map(({ effectiveAt, from, to, cause, policyVersion }) => ({
          ...{ customer: id, at: effectiveAt, from, to, cause, policy: policyVersion },
        }));
      });
    });
  } finally {
    await database.close();
  }
}
