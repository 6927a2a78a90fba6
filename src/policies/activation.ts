// Owns how a policy comes into force, whichever way it is asked for: it gets the next version, the one before it
// is retired, everybody is to be decided anew, and it is told. Does not own the deciding (recompute.ts).

import { versionMismatch } from '../api/etag.js';
import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import { sameJson } from '../lifecycle/json.js';
import type { Policy } from '../lifecycle/policy.js';
import type { OutboxService } from '../outbox/service.js';
import { faultsOf, futureFaults, known, refuseFaults, refuseOtherRevision, refuseUnsound } from './guards.js';
import { availableModels } from './models.js';
import { policyPayload } from './payload.js';
import {
  insertPolicy,
  livePolicy,
  lockPolicy,
  type PolicyRow,
  type PolicyVersionRow,
  updatePolicy,
} from './policies-store.js';
import type { PolicyRef } from './policy-ref.js';
import { insertRecomputation } from './recomputations-store.js';
import type { ShadowDeps } from './shadowing.js';
import { changeTo, step } from './steps.js';

export interface ActivationTerms {
  /** Null: from the beginning of time. */
  effectiveFrom: Date | null;
  /** Whether what it changes is kept from the webhooks. */
  backfill: boolean;
  /** The version, or of a draft the revision, that the caller has seen; undefined or null for any. */
  expected: number | null | undefined;
}

/** Rules that are put into force as they come, without a draft. */
export interface Activation extends ActivationTerms {
  policy: Policy;
}

export interface ActivationDeps extends ShadowDeps {
  outbox: Pick<OutboxService, 'prepareEvents' | 'publish'>;
}

/** What can be refused without a look at the tenant. Throws an InvalidError with pointers into the request. */
export function checkActivation({ effectiveFrom, policy }: Activation, now: Date): void {
  refuseFaults([...faultsOf(policy), ...futureFaults(effectiveFrom, now)]);
}

/** As the live policy's replacement; the same policy with the same date changes nothing. */
export async function activateRules(
  { outbox, histories }: ActivationDeps,
  tx: Transaction,
  context: Context,
  { policy, effectiveFrom, backfill, expected }: Activation,
): Promise<PolicyVersionRow> {
  const { tenantId, now } = context;
  const live = await livePolicy(tx, tenantId);
  if (expected != null && expected !== live?.version) throw versionMismatch();
  if (live !== undefined && isSameDate(live, effectiveFrom, now) && sameJson(live.policy, policy))
    return live;
  refuseFaults(faultsOf(policy, await availableModels(histories, tx, tenantId)));
  const row: PolicyVersionRow = {
    ...{ id: newId(), name: live?.name ?? null, policy, revision: 1, createdAt: now },
    ...inForce(context, live, { effectiveFrom, backfill }),
    statusChanges: [changeTo('active', context)],
  };
  await Promise.all([
    insertPolicy(tx, tenantId, row),
    ...succeed({ outbox, tx, context }, { row, before: live }),
  ]);
  return row;
}

/** A draft or a shadow, in force from now on. One that is in force stays so, if its date is to be the same. */
export async function activateDraft(
  { outbox, shadows, histories }: ActivationDeps,
  tx: Transaction,
  context: Context,
  { ref, effectiveFrom, backfill, expected }: ActivationTerms & { ref: PolicyRef },
): Promise<PolicyVersionRow> {
  const { tenantId } = context;
  const draft = known(await lockPolicy(tx, tenantId, ref));
  refuseOtherRevision(draft, expected);
  if (isInForce(draft) && isSameDate(draft, effectiveFrom, context.now)) return draft;
  const statusChanges = step(draft, 'active', context);
  refuseUnsound(draft.policy, await availableModels(histories, tx, tenantId));
  const before = await livePolicy(tx, tenantId);
  const row: PolicyVersionRow = {
    ...draft,
    ...inForce(context, before, { effectiveFrom, backfill }),
    statusChanges,
    revision: draft.revision + 1,
  };
  if (draft.status === 'shadow') await shadows.stop(tx, context, draft.id);
  await Promise.all([updatePolicy(tx, tenantId, row), ...succeed({ outbox, tx, context }, { row, before })]);
  return row;
}

/** `now` for a policy that is in force already: what is sent twice makes one version. */
function isSameDate(row: PolicyVersionRow, effectiveFrom: Date | null, now: Date): boolean {
  const from = effectiveFrom?.getTime();
  return from === row.effectiveFrom?.getTime() || from === now.getTime();
}

function isInForce(row: PolicyRow): row is PolicyVersionRow {
  return row.status === 'active' && row.version !== null;
}

function inForce(
  { actor }: Context,
  before: PolicyVersionRow | undefined,
  { effectiveFrom, backfill }: Pick<ActivationTerms, 'effectiveFrom' | 'backfill'>,
) {
  const version = (before?.version ?? 0) + 1;
  const activatedBy = `${actor.kind}:${actor.id}`;
  return { status: 'active' as const, version, effectiveFrom, backfill, activatedBy };
}

interface Succession {
  row: PolicyVersionRow;
  before: PolicyVersionRow | undefined;
}

/** What follows from a new version, beside its own row. */
function succeed(
  { outbox, tx, context }: { outbox: ActivationDeps['outbox']; tx: Transaction; context: Context },
  { row, before }: Succession,
): Promise<unknown>[] {
  const { tenantId, now } = context;
  const { version, backfill } = row;
  const draft = { type: 'policy.activated', occurredAt: now, data: { policy: policyPayload(row) } };
  const events = [{ draft, customerId: null, sequence: null, deliver: !backfill }];
  const walk = { id: newId(), cause: 'policy' as const, version, backfill, createdAt: now };
  return [
    ...(before === undefined ? [] : [updatePolicy(tx, tenantId, retired(before, context))]),
    insertRecomputation(tx, tenantId, walk),
    outbox.publish(tx, context, outbox.prepareEvents(context, events)),
  ];
}

function retired(row: PolicyVersionRow, context: Context): PolicyRow {
  const statusChanges = [...row.statusChanges, changeTo('retired', context)];
  return { ...row, status: 'retired', statusChanges, revision: row.revision + 1 };
}
