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
  const permitted = STEPS[status];
  if (!permitted.includes(to)) {
    throw new ConflictError(
      'policy_step_not_permitted',
      `This policy is ${status} and cannot become ${to}.`,
      {
        members: { status, permitted },
      },
    );
  }
  return [...statusChanges, changeTo(to, context)].slice(-STATUS_CHANGES_MAX);
}

/** Only a draft can be edited or deleted: what has decided, or does so in shadow, stays as it was. */
export function refuseUnlessDraft({ status }: { status: PolicyStatus }): void {
  if (status === 'draft') return;
  throw new ConflictError('policy_not_draft', `This policy is ${status}: only a draft can be changed.`, {
    members: { status },
  });
}
