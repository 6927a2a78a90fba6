// Owns what is said where a customer cannot be worked on: there is none, they were merged into another, or
// their personal data was erased. Does not own the looking for them (store.ts).

import type { Executor } from '../db/executor.js';
import { LostRace } from '../db/failures.js';
import { ConflictError, NotFoundError, PerennialError } from '../errors.js';
import { heirsOf, isHeld } from './absence-store.js';
import type { Ref } from './store.js';
import type { LockedCustomer } from './work.js';

/**
 * Why nobody was found under each of `refs`, in their order. Throws LostRace where an external id has passed to
 * another customer while its holder's lock was waited for: the transaction, run again, finds them.
 */
export async function absencesOf(
  executor: Executor,
  tenantId: string,
  refs: readonly Ref[],
): Promise<PerennialError[]> {
  const ids = refs.flatMap((ref) => (ref.kind === 'id' ? [ref.id] : []));
  const names = refs.flatMap((ref) => (ref.kind === 'external' ? [ref] : []));
  const [heirs, held] = await Promise.all([
    ids.length === 0 ? new Map<string, string>() : heirsOf(executor, tenantId, ids),
    names.length === 0 ? false : isHeld(executor, tenantId, names),
  ]);
  if (held) throw new LostRace('an external id has passed to another customer');
  return refs.map((ref) => {
    const heir = ref.kind === 'id' ? heirs.get(ref.id) : undefined;
    return heir === undefined ? unknownCustomer() : merged(heir);
  });
}

/** Throws where a list is asked for by somebody who was merged into another: it is to be asked for by that one. */
export async function refuseMerged(executor: Executor, tenantId: string, ref: Ref): Promise<void> {
  if (ref.kind !== 'id') return;
  const heir = (await heirsOf(executor, tenantId, [ref.id])).get(ref.id);
  if (heir !== undefined) throw pointedAt('/query/customer', merged(heir));
}

export function unknownCustomer(): NotFoundError {
  return new NotFoundError('customer_not_found', 'There is no such customer.');
}

function merged(mergedInto: string): NotFoundError {
  return new NotFoundError('customer_merged', 'This customer was merged into another.', {
    members: { mergedInto },
  });
}

/** The same where the request's body has a place for whatever named the customer. */
export function pointedAt(pointer: string, { kind, code, message, members }: PerennialError): PerennialError {
  const faults = [{ pointer, detail: message }];
  return new PerennialError(kind, code, message, members === undefined ? { faults } : { faults, members });
}

/** Throws where the customer's personal data was erased: nothing new is written of them. */
export function refuseErased(customer: LockedCustomer): void {
  if (customer.snapshot.erasedAt !== null) throw customerErased(customer.snapshot.id);
}

export function customerErased(customerId: string): ConflictError {
  const detail = 'The personal data of this customer was erased; nothing can be added to them.';
  return new ConflictError('customer_erased', detail, { members: { customerId } });
}
