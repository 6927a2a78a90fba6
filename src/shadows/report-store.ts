// Owns the SQL by which a shadow is looked at: how much is left to do, where it differs, and its ledger. Writes nothing.

import type { Executor } from '../db/executor.js';
import { rowsOfPage } from '../db/page.js';
import type { Transition } from '../lifecycle/transition.js';
import type { Basis } from './reckon.js';

export interface Backlog {
  marks: number;
  oldestMarkAt: Date | null;
  due: number;
}

/** What is waiting, each counted up to `max`: it must not cost more the more there is. */
export async function readBacklog(
  executor: Executor,
  tenantId: string,
  { policyId, now, max }: { policyId: string; now: Date; max: number },
): Promise<Backlog> {
  const [row] = await executor.rows<Backlog>({
    name: `shadows_backlog:${max}`,
    text: `SELECT (SELECT count(*)::int FROM (
                     SELECT FROM shadow_marks WHERE tenant_id = $1 AND policy_id = $2 LIMIT ${max}) m) AS marks,
                  (SELECT marked_at FROM shadow_marks WHERE tenant_id = $1 AND policy_id = $2
                    ORDER BY marked_at LIMIT 1) AS "oldestMarkAt",
                  (SELECT count(*)::int FROM (
                     SELECT FROM shadow_customers WHERE tenant_id = $1 AND policy_id = $2 AND due_at <= $3
                      LIMIT ${max}) d) AS due`,
    values: [tenantId, policyId, now],
  });
  return row ?? { marks: 0, oldestMarkAt: null, due: 0 };
}

export interface Disagreement {
  customerId: string;
  liveStage: string;
  liveSince: Date;
  shadowStage: string;
  shadowSince: Date;
  differsSince: Date;
  basis: Basis;
  asOf: Date;
}

export interface DisagreementPage {
  policyId: string;
  liveStage: string | undefined;
  shadowStage: string | undefined;
  /** The last row of the page before. */
  after: readonly [liveStage: string, shadowStage: string, customerId: string] | null;
  limit: number;
}

/** By the two stages and then by customer: one cell of the report after the other. */
export function listDisagreements(
  executor: Executor,
  tenantId: string,
  { policyId, liveStage, shadowStage, after, limit }: DisagreementPage,
): Promise<Disagreement[]> {
  const values: unknown[] = [tenantId, policyId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['tenant_id = $1', 'policy_id = $2', 'differs'];
  if (liveStage !== undefined) conditions.push(`live_stage = ${parameter(liveStage)}`);
  if (shadowStage !== undefined) conditions.push(`stage = ${parameter(shadowStage)}`);
  // Where one of the stages is given, what is left of the order is that of an index which begins with it.
  const order = [
    ...(liveStage === undefined ? ['live_stage'] : []),
    ...(shadowStage === undefined ? ['stage'] : []),
    'customer_id',
  ];
  if (after !== null) {
    const [live, shadow, customer] = after;
    const given: Record<string, string> = { live_stage: live, stage: shadow, customer_id: customer };
    const places = order.map((column) => {
      return `${parameter(given[column])}::${column === 'customer_id' ? 'uuid' : 'text'}`;
    });
    conditions.push(`(${order.join(', ')}) > (${places.join(', ')})`);
  }
  const kind = `${liveStage !== undefined}:${shadowStage !== undefined}:${after !== null}`;
  return rowsOfPage(executor, limit, (rows) => ({
    name: `shadows_differ:${kind}:${rows}`,
    text: `SELECT customer_id AS "customerId", live_stage AS "liveStage", live_since AS "liveSince",
                  stage AS "shadowStage", stage_since AS "shadowSince", differs_since AS "differsSince", basis,
                  as_of AS "asOf"
             FROM shadow_customers WHERE ${conditions.join(' AND ')} ORDER BY ${order.join(', ')} LIMIT ${rows}`,
    values,
  }));
}

export interface ShadowTransition extends Omit<Transition, 'policyVersion'> {
  id: string;
  policyId: string;
  customer: string;
  /** Null where the shadow's own policy has decided. */
  policyVersion: number | null;
  recordedAt: Date;
  supersededAt: Date | null;
}

/** Of a policy that was deleted, nothing is shown any more while it is being taken away. */
const SHOWN = `EXISTS (SELECT FROM shadows s
  WHERE s.tenant_id = $1 AND s.policy_id = t.policy_id AND s.status <> 'removed')`;

export interface LedgerPage {
  customerId: string;
  policyId: string | undefined;
  superseded: boolean;
  after: readonly [effectiveAt: string, id: string] | null;
  limit: number;
}

/** How many rows `listShadowLedger` has of these customers, superseded ones included. */
export async function countShadowLedger(
  executor: Executor,
  tenantId: string,
  customerIds: readonly string[],
): Promise<number> {
  const [row] = await executor.rows<{ count: number }>({
    name: 'shadows_count_ledger',
    text: `SELECT count(*)::int AS count FROM unnest($2::uuid[]) AS c(id)
            CROSS JOIN LATERAL (
              SELECT policy_id FROM shadow_transitions WHERE tenant_id = $1 AND customer_id = c.id
               ORDER BY effective_at, id OFFSET 0) t
            WHERE ${SHOWN}`,
    values: [tenantId, customerIds],
  });
  return row?.count ?? 0;
}

/** Newest first by when it would have become true. */
export function listShadowLedger(
  executor: Executor,
  tenantId: string,
  { customerId, policyId, superseded, after, limit }: LedgerPage,
): Promise<ShadowTransition[]> {
  const values: unknown[] = [tenantId, customerId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['t.tenant_id = $1', 't.customer_id = $2', SHOWN];
  if (policyId !== undefined) conditions.push(`t.policy_id = ${parameter(policyId)}`);
  if (!superseded) conditions.push('t.superseded_at IS NULL');
  if (after !== null) {
    const [effectiveAt, id] = after;
    conditions.push(
      `(t.effective_at, t.id) < (${parameter(effectiveAt)}::timestamptz, ${parameter(id)}::uuid)`,
    );
  }
  const kind = `${policyId !== undefined}:${superseded}:${after !== null}`;
  return rowsOfPage(executor, limit, (rows) => ({
    name: `shadows_ledger:${kind}:${rows}`,
    text: `SELECT t.id, t.policy_id AS "policyId", t.customer_id AS customer,
                  (extract(epoch from t.effective_at) * 1000)::bigint AS "effectiveAt", t.from_stage AS "from",
                  t.to_stage AS "to", t.cause, t.cause_id AS "causeId", t.policy_version AS "policyVersion",
                  t.calibration_version AS "calibrationVersion", t.evidence, t.actor, t.reason,
                  t.recorded_at AS "recordedAt", t.superseded_at AS "supersededAt"
             FROM shadow_transitions t WHERE ${conditions.join(' AND ')}
            ORDER BY t.effective_at DESC, t.id DESC LIMIT ${rows}`,
    values,
  }));
}
