// Owns policies before they decide anything: making a draft, from rules or from a template, editing it and
// throwing it away. Does not own what becomes of it (activation.ts, shadowing.ts).

import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError } from '../errors.js';
import { newId } from '../ids.js';
import { sameJson } from '../lifecycle/json.js';
import type { Policy } from '../lifecycle/policy.js';
import { known, refuseOtherRevision, refuseOversized } from './guards.js';
import {
  countPolicies,
  deletePolicy,
  insertPolicy,
  lockPolicy,
  type PolicyRow,
  updatePolicy,
} from './policies-store.js';
import type { PolicyTarget, ShadowLedgers } from './shadowing.js';
import { changeTo, refuseUnlessDraft } from './steps.js';

export const DRAFTS_MAX = 200;

export interface DraftInput {
  name: string | null;
  policy: Policy;
}

export interface DraftChange {
  /** Undefined: as it is. */
  name: string | null | undefined;
  /** The rules as they are to be, made from those that there are; throws where that is no policy. */
  change: (policy: Policy) => Policy;
}

export async function createDraft(
  tx: Transaction,
  context: Context,
  { name, policy }: DraftInput,
): Promise<PolicyRow> {
  const { tenantId, now } = context;
  refuseOversized(policy);
  if ((await countPolicies(tx, tenantId, { status: 'draft', max: DRAFTS_MAX })) >= DRAFTS_MAX) {
    throw new ConflictError('too_many_policy_drafts', `A tenant has at most ${DRAFTS_MAX} drafts.`);
  }
  const row: PolicyRow = {
    ...{ id: newId(), name, status: 'draft', version: null, effectiveFrom: null, policy },
    ...{ backfill: false, activatedBy: null, revision: 1, createdAt: now },
    statusChanges: [changeTo('draft', context)],
  };
  await insertPolicy(tx, tenantId, row);
  return row;
}

/** What changes nothing leaves the revision as it was. */
export async function changeDraft(
  tx: Transaction,
  { tenantId }: Context,
  { ref, expected, name, change }: PolicyTarget & DraftChange,
): Promise<PolicyRow> {
  const row = known(await lockPolicy(tx, tenantId, ref));
  refuseOtherRevision(row, expected);
  refuseUnlessDraft(row);
  const policy = change(row.policy);
  refuseOversized(policy);
  const changed: PolicyRow = { ...row, name: name === undefined ? row.name : name, policy };
  if (changed.name === row.name && sameJson(policy, row.policy)) return row;
  changed.revision += 1;
  await updatePolicy(tx, tenantId, changed);
  return changed;
}

export async function removeDraft(
  shadows: ShadowLedgers,
  tx: Transaction,
  context: Context,
  { ref, expected }: PolicyTarget,
): Promise<void> {
  const { tenantId } = context;
  const row = known(await lockPolicy(tx, tenantId, ref));
  refuseOtherRevision(row, expected);
  refuseUnlessDraft(row);
  await shadows.remove(tx, context, row.id);
  await deletePolicy(tx, tenantId, row.id);
}
