// Owns working many customers at once: batches of profiles, and the customers that orders name or bring
// along. The number of statements does not depend on the number of items. Does not own transactions.

import { attempt, below } from '../api/items.js';
import { parseRef, type Reference } from '../api/references.js';
import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { PerennialError } from '../errors.js';
import { customerErased, pointedAt, unknownCustomer } from '../transitions/absence.js';
import type { TransitionsService } from '../transitions/service.js';
import type { Advancement, LockedCustomer } from '../transitions/work.js';
import { advancementOf, createRegister, type Register } from './admission.js';
import { type Identity, identitiesOf, identityKey } from './identities.js';
import { normalProfile, overwritten, type ProfileChange } from './profile.js';
import type { CustomerInput } from './schemas.js';
import { writeProfiles } from './store.js';

type Locking = Pick<TransitionsService, 'lock' | 'opened' | 'absences'>;

/** What became of one customer of a batch. */
export interface Upserted {
  customer: LockedCustomer;
  created: boolean;
}

export interface Worked {
  register: Register;
  /** One for each input, in their order. */
  outcomes: (Upserted | PerennialError)[];
}

/** Creates and changes customers in the order given. Pointers of problems are into the item. */
export async function workBatch(
  tx: Transaction,
  context: Context,
  inputs: readonly CustomerInput[],
  transitions: Locking,
): Promise<Worked> {
  const changes = inputs.map((input) => attempt(() => normalProfile(input, null)));
  const refs = changes.flatMap((change) => (change instanceof PerennialError ? [] : identitiesOf(change)));
  const register = await registerOf(tx, context, refs.map(external), transitions);
  const outcomes = changes.map((change) =>
    change instanceof PerennialError
      ? change
      : attempt(() => upsert(register, change, change.externalIds ?? [])),
  );
  return { register, outcomes };
}

/** A customer as an order brings them: their profile, by which they are found or admitted. */
export type InlineCustomer = CustomerInput;

/** A customer as an order has them: by reference, or with their profile. */
export interface CustomerMention {
  index: number;
  ref?: string;
  inline?: InlineCustomer;
}

/** Where an order has its customer, for the pointers of a problem. */
const MENTION_POINTER = '/customer';

export interface Resolved {
  /** By the index of the mention. The same customer is the same object. */
  customers: Map<number, LockedCustomer | PerennialError>;
  /** Customers that are new or changed: written, and still to be advanced, together with what the order brings. */
  admitted: Advancement[];
}

/** Where every mention is a reference this is one statement; otherwise the writes follow in one message. */
export async function resolveOrAdmit(
  tx: Transaction,
  context: Context,
  mentions: readonly CustomerMention[],
  transitions: Locking,
): Promise<Resolved> {
  const read = mentions.map(({ ref, inline }) =>
    attempt(() => ({
      ref: ref === undefined ? undefined : parseRef(ref),
      change: inline === undefined ? undefined : normalProfile(inline, null),
    })),
  );
  const refs = read.flatMap((mention) => {
    if (mention instanceof PerennialError) return [];
    if (mention.ref !== undefined) return [mention.ref];
    return mention.change === undefined ? [] : identitiesOf(mention.change).map(external);
  });
  const register = await registerOf(tx, context, refs, transitions);
  const named = read.flatMap((mention) =>
    mention instanceof PerennialError || mention.ref === undefined ? [] : [mention.ref],
  );
  const absences = await absencesIn(tx, context, { refs: named, register, transitions });
  const customers = new Map<number, LockedCustomer | PerennialError>();
  for (const [place, { index }] of mentions.entries()) {
    const mention = read[place];
    const outcome = attempt(() => {
      if (mention === undefined || mention instanceof PerennialError) throw mention;
      const { ref, change } = mention;
      if (change !== undefined) return upsert(register, change, identitiesOf(change)).customer;
      const entry = ref && found(register, ref);
      // Those who are absent were asked after above, and nobody is taken out of a register.
      if (entry === undefined) throw pointedAt('', (ref && absences.get(keyOf(ref))) ?? unknownCustomer());
      if (entry.customer.snapshot.erasedAt !== null)
        throw pointedAt('', customerErased(entry.customer.snapshot.id));
      return entry.customer;
    });
    customers.set(index, outcome instanceof PerennialError ? below(MENTION_POINTER, outcome) : outcome);
  }
  const changed = register.changed();
  // Awaited before the caller goes on: an identity lost to another transaction must be the first failure.
  if (changed.length > 0) await writeProfiles(tx, context.tenantId, changed, context.now);
  return { customers, admitted: changed.map(advancementOf) };
}

interface Asking {
  refs: readonly Reference[];
  register: Register;
  transitions: Locking;
}

/** Why nobody was found, by the reference: asked only where somebody was not. */
async function absencesIn(tx: Transaction, { tenantId }: Context, { refs, register, transitions }: Asking) {
  const missing = refs.filter((ref) => found(register, ref) === undefined);
  const absences = missing.length === 0 ? [] : await transitions.absences(tx, tenantId, missing);
  return new Map(absences.map((absence, place) => [keyOf(missing[place] as Reference), absence]));
}

function found(register: Register, ref: Reference) {
  return ref.kind === 'id' ? register.byId(ref.id) : register.holder(ref);
}

const keyOf = (ref: Reference) => (ref.kind === 'id' ? ref.id : identityKey(ref));

const external = ({ namespace, id }: Identity) => ({ kind: 'external', namespace, id }) as const;

/** A register of everybody whom the references name, locked by one statement. */
export async function registerOf(
  tx: Transaction,
  context: Context,
  refs: Parameters<TransitionsService['lock']>[2],
  transitions: Locking,
): Promise<Register> {
  const locked = refs.length === 0 ? [] : await transitions.lock(tx, context.tenantId, refs);
  return createRegister({ locked, refs, opened: transitions.opened, now: context.now });
}

/**
 * The customer that one of `names` belongs to takes the change; where nobody has any of them, a new one is
 * admitted. Where they belong to two, the first is taken and the register refuses it the other's.
 */
export function upsert(register: Register, change: ProfileChange, names: readonly Identity[]): Upserted {
  const entry = names.map((name) => register.holder(name)).find((holder) => holder !== undefined);
  if (entry === undefined) return { customer: register.admit(change).customer, created: true };
  register.change(entry, overwritten(entry.customer.snapshot, change), change.externalIds);
  return { customer: entry.customer, created: false };
}
