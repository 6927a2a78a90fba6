// Owns who is who while customers are admitted and changed: a register of the locked customers and of every
// identity they hold, worked through in memory in the order of the items, so that a thousand of them need
// no more statements than one. Does not own the rows (store.ts). No I/O.

import type { Reference } from '../api/references.js';
import { ConflictError } from '../errors.js';
import { newId } from '../ids.js';
import type { ProfileChangeFact } from '../lifecycle/facts.js';
import { recordingTime } from '../transitions/service.js';
import type { Advancement, CustomerSnapshot, DraftEvent, LockedCustomer } from '../transitions/work.js';
import { type Identity, identitiesOf, identityKey, pointerTo } from './identities.js';
import type { ExternalId } from './kinds.js';
import { factsBetween, newSnapshot, type ProfileChange, previousOf } from './profile.js';

/** One customer that the work touches. */
export interface Entry {
  /** Its snapshot is the profile as it stands after the items so far. */
  readonly customer: LockedCustomer;
  /** The profile as it was found; null for a customer that this work admits. */
  readonly before: CustomerSnapshot | null;
}

export interface Register {
  /** The customer that holds the identity, or has the id, as far as the items have come. */
  holder(identity: Identity): Entry | undefined;
  byId(id: string): Entry | undefined;
  /** Admits a new customer. Throws a ConflictError where somebody holds one of their identities. */
  admit(change: ProfileChange): Entry;
  /**
   * Changes a customer's profile to `next`. Throws a ConflictError likewise; `given` are the external ids that
   * the request holds, for its pointer.
   */
  change(entry: Entry, next: CustomerSnapshot, given?: readonly ExternalId[]): void;
  /** Those that are new or differ from what was found: for the rows, and for advanceCustomers. */
  changed(): Changed[];
}

/** What is written of a customer. */
export interface Written extends Entry {
  /** Dated values as they are kept, and as the customer's advance is told of them. */
  readonly facts: readonly ProfileChangeFact[];
}

/** However many items made it, a customer's change is one: one version, one event, with what was before. */
export interface Changed extends Written {
  readonly event: DraftEvent;
}

export interface RegisterOptions {
  /** Every customer that any of the work's references and identities names, locked. */
  locked: readonly (LockedCustomer | undefined)[];
  /** What each of the locked was found by, from the first on: it may be more than their profile shows. */
  refs: readonly Reference[];
  opened: (snapshot: CustomerSnapshot) => LockedCustomer;
  now: Date;
}

export function createRegister({ locked, refs, opened, now }: RegisterOptions): Register {
  const entries = new Map<string, Entry>();
  const holders = new Map<string, Entry>();
  for (const customer of locked) {
    if (customer === undefined || entries.has(customer.snapshot.id)) continue;
    const entry = { customer, before: customer.snapshot };
    entries.set(customer.snapshot.id, entry);
    for (const identity of identitiesOf(customer.snapshot)) holders.set(identityKey(identity), entry);
  }
  // One who was merged left their e-mail and phone to somebody whose profile shows another.
  for (const [place, ref] of refs.entries()) {
    const entry = entries.get(locked[place]?.snapshot.id ?? '');
    if (ref.kind === 'external' && entry !== undefined) holders.set(identityKey(ref), entry);
  }

  /** Checked as a whole before anything is taken: an item that fails must leave no trace. */
  function take(
    identities: Identity[],
    holder: Entry | null,
    given: readonly ExternalId[] | undefined,
  ): void {
    for (const identity of identities) {
      const other = holders.get(identityKey(identity));
      if (other !== undefined && other !== holder) throw taken(identity, other, pointerTo(identity, given));
    }
  }

  return {
    holder: (identity) => holders.get(identityKey(identity)),
    byId: (id) => entries.get(id),
    admit(change) {
      const snapshot = newSnapshot(newId(), change, now);
      const identities = identitiesOf(snapshot);
      take(identities, null, snapshot.externalIds);
      const entry: Entry = { customer: opened(snapshot), before: null };
      entries.set(snapshot.id, entry);
      for (const identity of identities) holders.set(identityKey(identity), entry);
      return entry;
    },
    change(entry, next, given) {
      const { customer, before } = entry;
      const identities = identitiesOf(next);
      take(identities, entry, given);
      for (const identity of identitiesOf(customer.snapshot)) holders.delete(identityKey(identity));
      for (const identity of identities) holders.set(identityKey(identity), entry);
      const profileVersion = before === null ? 1 : before.profileVersion + 1;
      customer.snapshot = { ...next, profileVersion, updatedAt: now };
    },
    changed: () => [...entries.values()].flatMap((entry) => changedOf(entry, now)),
  };
}

/** What advanceCustomers is told of a customer that a register has changed. */
export function advancementOf({ customer, event, facts }: Changed): Advancement {
  return { customer, changes: [...facts], events: [event] };
}

/** The customer of an event is filled in by advanceCustomers, which knows where they stand. */
function changedOf(entry: Entry, now: Date): Changed[] {
  const { customer, before } = entry;
  const facts = () => datedFacts(entry, now);
  if (before === null) {
    return [{ ...entry, event: { type: 'customer.created', occurredAt: now, data: {} }, facts: facts() }];
  }
  const previous = previousOf(before, customer.snapshot);
  if (previous !== undefined) {
    return [
      { ...entry, event: { type: 'customer.updated', occurredAt: now, data: {}, previous }, facts: facts() },
    ];
  }
  // Nothing was given, or the items took each other back: the version that was found stays.
  customer.snapshot = before;
  return [];
}

/**
 * In force from when they are recorded: of two changes that wait for each other, the one that is written last
 * is the last also by its facts.
 */
function datedFacts({ before, customer }: Entry, now: Date): ProfileChangeFact[] {
  const at = recordingTime(now, customer).getTime();
  return factsBetween(before, customer.snapshot).map(({ field, value }) => ({
    id: newId(),
    at,
    field,
    value,
  }));
}

function taken({ namespace }: Identity, { customer }: Entry, pointer: string): ConflictError {
  return new ConflictError('identity_taken', `Another customer already has this ${nameOf(namespace)}.`, {
    faults: [{ pointer, detail: 'is taken by another customer' }],
    members: { customerId: customer.snapshot.id, namespace },
  });
}

function nameOf(namespace: string): string {
  if (namespace === 'email') return 'e-mail address';
  return namespace === 'phone' ? 'phone number' : `external id in ${namespace}`;
}
