// Shadows in the playground: begun, taken further, interrupted, and read back in the form in which they can be compared
// with what one replay of everything gives.

import type { Database } from '../../src/db/database.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import { compileTimeline, replay } from '../../src/lifecycle/replay.js';
import type { Transition } from '../../src/lifecycle/transition.js';
import { createShadowsService } from '../../src/shadows/service.js';
import { loadHistories, loadTimeline } from '../../src/transitions/history-store.js';
import type { Playground } from '../helpers/playground.js';

export type Tenant = Awaited<ReturnType<Playground['openTenant']>>;

export interface Shadow {
  policyId: string;
  policy: Policy;
  sinceMs: number;
}

const RUNS_MAX = 200;
/** Above every version that a story can make. */
const TOP = 1_000_000;

export function startShadow(tenant: Tenant, shadow: Shadow, nowMs: number, replica = 0): Promise<void> {
  const { database, services } = tenant.world(replica);
  const context = tenant.contextAt(nowMs);
  const { policyId, policy, sinceMs } = shadow;
  return database.write(context, (tx) =>
    services.shadows.start(tx, context, { policyId, policy, since: new Date(sinceMs) }),
  );
}

export function endShadow(tenant: Tenant, how: 'stop' | 'remove', policyId: string, nowMs: number) {
  const { database, services } = tenant.world();
  const context = tenant.contextAt(nowMs);
  return database.write(context, (tx) => services.shadows[how](tx, context, policyId));
}

/** Until nothing is left to do. */
export async function runShadows(tenant: Tenant, nowMs: number, replica = 0): Promise<number> {
  const { shadows } = tenant.world(replica).services;
  let customers = 0;
  for (let runs = 0; runs < RUNS_MAX; runs++) {
    const result = await shadows.advance(new Date(nowMs));
    customers += result.customers;
    if (!result.more) return customers;
  }
  throw new Error('the shadows do not come to rest');
}

/** A run that dies in one of its transactions, its work undone and its lease left behind. */
export async function dieInRun(tenant: Tenant, nowMs: number, inWrite: number): Promise<void> {
  const { database, services } = tenant.world();
  let writes = 0;
  const dying: Database = {
    ...database,
    write: (context, work, options) =>
      database.write(
        context,
        async (tx) => {
          const result = await work(tx);
          writes += 1;
          if (writes >= inWrite) throw new Error('the process is gone');
          return result;
        },
        options,
      ),
  };
  const { transitions } = services;
  const shadows = createShadowsService({ database: dying, transitions, onFailure: () => undefined });
  await shadows.advance(new Date(nowMs));
}

export interface LedgerEntry {
  customer: string;
  at: number;
  from: string | null;
  to: string;
  cause: string;
  isOwn: boolean;
}

export function shadowLedger(tenant: Tenant, policyId: string): Promise<LedgerEntry[]> {
  return tenant.world().database.read(tenant.id, (executor) =>
    executor.rows({
      text: `SELECT i.value AS customer, (extract(epoch from effective_at) * 1000)::bigint AS at,
                    from_stage AS "from", to_stage AS "to", cause, policy_version IS NULL AS "isOwn"
               FROM shadow_transitions JOIN customer_identities i USING (tenant_id, customer_id)
              WHERE tenant_id = $1 AND policy_id = $2 AND superseded_at IS NULL ORDER BY i.value, effective_at`,
      values: [tenant.id, policyId],
    }),
  );
}

export interface Expected {
  ledger: LedgerEntry[];
  standings: { customer: string; live: string; shadow: string; differsSince: number | null }[];
  /** Moves from `since` on, as `ledger from>to` with how many there are. */
  moves: Record<string, number>;
}

/** The shadow as one replay of the facts has it, and the live ledger as one replay has it. */
export async function expected(tenant: Tenant, shadow: Shadow, untilMs: number): Promise<Expected> {
  const { database } = tenant.world();
  return database.read(tenant.id, async (executor) => {
    const customers = await executor.rows<{ id: string; name: string; created: number }>({
      text: `SELECT c.id, i.value AS name, (extract(epoch from c.created_at) * 1000)::bigint AS created
               FROM customers c JOIN customer_identities i ON i.tenant_id = c.tenant_id AND i.customer_id = c.id
              WHERE c.tenant_id = $1 ORDER BY i.value`,
      values: [tenant.id],
    });
    const versions = await loadTimeline(executor, tenant.id);
    const top = { version: TOP, effectiveFrom: shadow.sinceMs, policy: shadow.policy };
    const live = compileTimeline(versions);
    const beside = compileTimeline({ ...versions, policies: [...versions.policies, top] });
    const rows = await loadHistories(
      executor,
      tenant.id,
      customers.map(({ id }) => id),
    );
    const result: Expected = { ledger: [], standings: [], moves: {} };
    for (const { id, name, created } of customers) {
      const history = {
        createdAt: created,
        orders: rows.orders.get(id) ?? [],
        touchpoints: rows.touchpoints.get(id) ?? [],
        moves: rows.moves.get(id) ?? [],
        changes: rows.changes.get(id) ?? [],
      };
      const lived = replay(history, live, untilMs).transitions;
      const shadowed = replay(history, beside, untilMs).transitions;
      const before = shadowed.filter((row) => row.effectiveAt < shadow.sinceMs);
      const own = [...before.slice(-1), ...shadowed.filter((row) => row.effectiveAt >= shadow.sinceMs)];
      for (const { effectiveAt, from, to, cause, policyVersion } of own) {
        result.ledger.push({
          customer: name,
          at: effectiveAt,
          from,
          to,
          cause,
          isOwn: policyVersion === TOP,
        });
      }
      result.standings.push(standingOf(name, lived, shadowed));
      for (const [which, list] of [['live', lived] as const, ['shadow', shadowed] as const]) {
        for (const row of list) {
          if (row.effectiveAt < shadow.sinceMs) continue;
          const move = `${which} ${row.from ?? ''}>${row.to}`;
          result.moves[move] = (result.moves[move] ?? 0) + 1;
        }
      }
    }
    return result;
  });
}

/** Found by looking at every instant at which either changes, which the product does not do. */
function standingOf(customer: string, lived: Transition[], shadowed: Transition[]) {
  const stageAt = (rows: Transition[], at: number) => rows.findLast((row) => row.effectiveAt <= at)?.to;
  const instants = [...lived, ...shadowed].map((row) => row.effectiveAt).sort((a, b) => a - b);
  let differsSince: number | null = null;
  for (const at of instants) {
    if (stageAt(lived, at) === stageAt(shadowed, at)) differsSince = null;
    else differsSince ??= at;
  }
  return { customer, live: lived.at(-1)?.to ?? '', shadow: shadowed.at(-1)?.to ?? '', differsSince };
}

export async function recorded(tenant: Tenant, shadow: Shadow): Promise<Expected> {
  const { database } = tenant.world();
  const ledger = await shadowLedger(tenant, shadow.policyId);
  return database.read(tenant.id, async (executor) => {
    const standings = await executor.rows<Expected['standings'][number]>({
      text: `SELECT i.value AS customer, live_stage AS live, stage AS shadow,
                    (extract(epoch from differs_since) * 1000)::bigint AS "differsSince"
               FROM shadow_customers JOIN customer_identities i USING (tenant_id, customer_id)
              WHERE tenant_id = $1 AND policy_id = $2 ORDER BY i.value`,
      values: [tenant.id, shadow.policyId],
    });
    const counts = await executor.rows<{ move: string; count: number }>({
      text: `SELECT kind || ' ' || from_stage || '>' || to_stage AS move, sum(count)::int AS count FROM shadow_counts
              WHERE tenant_id = $1 AND policy_id = $2 AND kind <> 'standing' GROUP BY 1 HAVING sum(count) <> 0`,
      values: [tenant.id, shadow.policyId],
    });
    return { ledger, standings, moves: Object.fromEntries(counts.map(({ move, count }) => [move, count])) };
  });
}

export async function countRows(tenant: Tenant, table: string): Promise<number> {
  const [row] = await tenant.world().database.read(tenant.id, (executor) =>
    executor.rows<{ count: number }>({
      text: `SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1`,
      values: [tenant.id],
    }),
  );
  return row?.count ?? 0;
}
