// Owns the life of a policy: its statuses, the steps between them, and the record of who took them and when.
// Does not own what a step does (activation.ts, shadowing.ts, drafts.ts). Pure.

import type { Context } from '../context.js';
import { ConflictError } from '../errors.js';

export const POLICY_STATUSES = ['draft', 'shadow', 'active', 'retired'] as const;
export type PolicyStatus = (typeof POLICY_STATUSES)[number];

export interface StatusChange {
  status: PolicyStatus;
  /** RFC 3339. */
  at: string;
  by: string;
}

/** An active policy is retired by the one that takes its place, and by nothing else. */
const STEPS: Record<PolicyStatus, readonly PolicyStatus[]> = {
  draft: ['shadow', 'active', 'retired'],
  shadow: ['draft', 'active', 'retired'],
  active: [],
  retired: [],
};

/** A policy may be put into shadow and taken out again any number of times: the newest changes are kept. */
export const STATUS_CHANGES_MAX = 100;

export function changeTo(status: PolicyStatus, { actor, now }: Context): StatusChange {
  return { status, at: now.toISOString(), by: `${actor.kind}:${actor.id}` };
}

/**
 * The changes with another one; throws a ConflictError that names the steps there are. Whoever asks for the
 * status that a policy has is not to be sent here: that changes nothing.
 */
export function step(
  { status, statusChanges }: { status: PolicyStatus; statusChanges: readonly StatusChange[] },
  to: PolicyStatus,
  context: Context,
): StatusChange[] {
  if (!STEPS[status].includes(to)) {
    throw notPermitted(status, `This policy is ${status} and cannot become ${to}.`);
  }
  return [...statusChanges, changeTo(to, context)].slice(-STATUS_CHANGES_MAX);
}

/**
 * A preview shows what an activation would do. The one in force is refused too, though to activate it again with
 * its own date is accepted: that changes nothing, so there is nothing to show.
 */
export function refuseUnlessActivable({ status }: { status: PolicyStatus }): void {
  if (STEPS[status].includes('active')) return;
  const detail = `This policy is ${status} and cannot be put into force: to preview its rules, make a draft of them.`;
  throw notPermitted(status, detail);
}

function notPermitted(status: PolicyStatus, detail: string): ConflictError {
  const members = { status, permitted: STEPS[status] };
  return new ConflictError('policy_step_not_permitted', detail, { members });
}

/** Only a draft can be edited or deleted: what has decided, or does so in shadow, stays as it was. */
export function refuseUnlessDraft({ status }: { status: PolicyStatus }): void {
  if (status === 'draft') return;
  throw new ConflictError('policy_not_draft', `This policy is ${status}: only a draft can be changed.`, {
    members: { status },
  });
}
