// Owns when a policy runs in shadow, and the interface to the shadow ledgers that are kept meanwhile. Does not
// own those ledgers.

import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError } from '../errors.js';
import type { Policy } from '../lifecycle/policy.js';
import type { TransitionsService } from '../transitions/service.js';
import { known, refuseOtherRevision, refuseUnsound } from './guards.js';
import { availableModels } from './models.js';
import { countPolicies, lockPolicy, type PolicyRow, updatePolicy } from './policies-store.js';
import type { PolicyRef } from './policy-ref.js';
import { step } from './steps.js';

/** Each of them decides for every customer beside the live one. */
export const SHADOWS_MAX = 3;

/** Keeps the ledger that a policy would write: told in the transaction that changes the policy's status. */
export interface ShadowLedgers {
  /** `since` is when the policy began to run in shadow. */
  start(
    tx: Transaction,
    context: Context,
    shadow: { policyId: string; policy: Policy; since: Date },
  ): Promise<void>;
  /** What it has come to stays to be looked at. */
  stop(tx: Transaction, context: Context, policyId: string): Promise<void>;
  /** For a policy that is deleted: what it has kept goes too. One that never ran is no fault. */
  remove(tx: Transaction, context: Context, policyId: string): Promise<void>;
}

/** For a service that keeps none: the status alone changes. */
export const NO_SHADOW_LEDGERS: ShadowLedgers = {
  start: async () => undefined,
  stop: async () => undefined,
  remove: async () => undefined,
};

export interface ShadowDeps {
  shadows: ShadowLedgers;
  histories: TransitionsService['histories'];
}

export interface PolicyTarget {
  ref: PolicyRef;
  /** The revision that the caller has seen; undefined or null for any. */
  expected: number | null | undefined;
}

/** A draft that decides alongside the live policy from now on, and tells nobody. Twice is once. */
export async function startShadow(
  { shadows, histories }: ShadowDeps,
  tx: Transaction,
  context: Context,
  { ref, expected }: PolicyTarget,
): Promise<PolicyRow> {
  const { tenantId, now } = context;
  const row = known(await lockPolicy(tx, tenantId, ref));
  refuseOtherRevision(row, expected);
  if (row.status === 'shadow') return row;
  const statusChanges = step(row, 'shadow', context);
  refuseUnsound(row.policy, await availableModels(histories, tx, tenantId));
  const running = await countPolicies(tx, tenantId, { status: 'shadow', max: SHADOWS_MAX });
  if (running >= SHADOWS_MAX) {
    throw new ConflictError(
      'too_many_shadow_policies',
      `A tenant has at most ${SHADOWS_MAX} policies in shadow.`,
    );
  }
  const shadow: PolicyRow = { ...row, status: 'shadow', statusChanges, revision: row.revision + 1 };
  await updatePolicy(tx, tenantId, shadow);
  await shadows.start(tx, context, { policyId: row.id, policy: row.policy, since: now });
  return shadow;
}

/** Out of shadow: back to a draft, or retired for good. A draft is retired the same way. Twice is once. */
export async function leaveTo(
  status: 'draft' | 'retired',
  { shadows, tx, context }: { shadows: ShadowLedgers; tx: Transaction; context: Context },
  { ref, expected }: PolicyTarget,
): Promise<PolicyRow> {
  const { tenantId } = context;
  const row = known(await lockPolicy(tx, tenantId, ref));
  refuseOtherRevision(row, expected);
  if (row.status === status) return row;
  const left: PolicyRow = {
    ...row,
    status,
    statusChanges: step(row, status, context),
    revision: row.revision + 1,
  };
  await updatePolicy(tx, tenantId, left);
  if (row.status === 'shadow') await shadows.stop(tx, context, row.id);
  return left;
}
