// Owns what every use case of a policy refuses: one that is not there, one that has changed meanwhile, rules that
// contradict themselves. Does not own the steps between statuses (steps.ts).

import { versionMismatch } from '../api/etag.js';
import { ConflictError, type Fault, InvalidError, NotFoundError } from '../errors.js';
import type { Policy } from '../lifecycle/policy.js';
import { type AvailableModels, policySizeFaults, validatePolicy } from '../lifecycle/validation.js';

export function known<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new NotFoundError('policy_not_found', 'There is no such policy.');
  return row;
}

export function refuseOtherRevision({ revision }: { revision: number }, expected: number | null | undefined) {
  if (expected != null && expected !== revision) throw versionMismatch();
}

/** With pointers from the root of the resource that has the policy as its `policy`. */
export function faultsOf(policy: Policy, models?: AvailableModels): Fault[] {
  return validatePolicy(policy, models).map(({ pointer, message }) => ({
    pointer: `/policy${pointer}`,
    detail: message,
  }));
}

/** A draft may say anything that is not too much. */
export function refuseOversized(policy: Policy): void {
  refuseFaults(
    policySizeFaults(policy).map(({ pointer, message }) => ({
      pointer: `/policy${pointer}`,
      detail: message,
    })),
  );
}

/** A draft may have faults while it is written; it may not decide. The pointers are into the draft. */
export function refuseUnsound(policy: Policy, models: AvailableModels): void {
  const faults = faultsOf(policy, models);
  const [first] = faults;
  if (first === undefined) return;
  throw new ConflictError('policy_not_sound', `${first.pointer} ${first.detail}.`, { faults });
}

export function futureFaults(effectiveFrom: Date | null, now: Date): Fault[] {
  if (effectiveFrom === null || effectiveFrom <= now) return [];
  return [
    {
      pointer: '/effectiveFrom',
      detail: 'lies in the future; a policy takes effect now or from a past instant',
    },
  ];
}

/** Throws an InvalidError that names them all, if there are any. */
export function refuseFaults(faults: Fault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  throw new InvalidError('invalid_policy', `${first.pointer} ${first.detail}.`, { faults });
}
