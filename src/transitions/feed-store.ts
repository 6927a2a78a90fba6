// Owns reading the ledger: one customer's history, and the tenant's feed of what is in force.

import type { Executor } from '../db/executor.js';
import { inForceOfCustomer } from './rows.js';
import type { LedgerRow } from './work.js';

/** A ledger row with both of its clocks. */
export interface LedgerView extends LedgerRow {
  recordedAt: Date;
  supersededAt: Date | null;
}

export interface LedgerFilter {
  customerId?: string;
  stage?: string;
  cause?: string;
  effectiveFrom?: Date;
  effectiveTo?: Date;
  superseded?: boolean;
}

export interface LedgerPage {
  after: readonly [effectiveAt: string, id: string] | null;
  limit: number;
}

export const ledgerColumns = `
  id, customer_id AS customer, (extract(epoch from effective_at) * 1000)::bigint AS "effectiveAt",
  from_stage AS "from", to_stage AS "to", cause, cause_id AS "causeId", policy_version AS "policyVersion",
  calibration_version AS "calibrationVersion", evidence, actor, reason, correction_id AS "correctionId",
  event_id AS "eventId", told, recorded_at AS "recordedAt", superseded_at AS "supersededAt"`;

/** Newest first by when it became true. */
export function listLedger(
  executor: Executor,
  tenantId: string,
  filter: LedgerFilter,
  page: LedgerPage,
): Promise<LedgerView[]> {
  const values: unknown[] = [tenantId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['tenant_id = $1'];
  if (filter.superseded !== true) {
    conditions.push(filter.customerId === undefined ? 'superseded_at IS NULL' : inForceOfCustomer);
  }
  if (filter.customerId !== undefined) conditions.push(`customer_id = ${parameter(filter.customerId)}`);
  if (filter.stage !== undefined) conditions.push(`to_stage = ${parameter(filter.stage)}`);
  if (filter.cause !== undefined) conditions.push(`cause = ${parameter(filter.cause)}`);
  if (filter.effectiveFrom !== undefined)
    conditions.push(`effective_at >= ${parameter(filter.effectiveFrom)}`);
  if (filter.effectiveTo !== undefined) conditions.push(`effective_at < ${parameter(filter.effectiveTo)}`);
  if (page.after !== null) {
    const [effectiveAt, id] = page.after;
    conditions.push(`(effective_at, id) < (${parameter(effectiveAt)}::timestamptz, ${parameter(id)}::uuid)`);
  }
  return executor.rows({
    text: `SELECT ${ledgerColumns} FROM transitions WHERE ${conditions.join(' AND ')}
            ORDER BY effective_at DESC, id DESC LIMIT ${page.limit}`,
    values,
  });
}
